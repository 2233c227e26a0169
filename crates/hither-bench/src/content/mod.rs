//! Content that can be checked: what the bench types and what its session programs write.
//!
//! Every byte that comes back is judged by what it says, not by when it comes, so that a lost, a
//! doubled, a reordered and a damaged byte are found and told apart.

mod damage;
mod flood;
mod flood_check;
mod keys;
mod lines;
mod marker;

pub use damage::Damage;
pub(crate) use flood::{FLOOD_END, FLOOD_TEXT};
pub use flood::{FLOOD_LINE, FloodSource, flood_lines};
pub use flood_check::FloodCheck;
pub use keys::{EchoCheck, key};
pub use lines::{LineCheck, LineText};
pub use marker::Marker;

/// What a session program writes when it is ready for the first key.
pub const READY: &str = "hither-ready>";

/// What the session program of the Ctrl-C scenario writes when it is back at its prompt.
pub const PROMPT: &str = "hither-prompt>";

/// Starts whatever a session program waits for; not among the [keys](key).
pub const GO: u8 = b'~';
