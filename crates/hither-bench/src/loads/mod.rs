//! The loads: what is typed when, and how what comes back is judged. No sockets, no clocks.

mod ending;
mod flooding;
mod interrupting;
mod lane_of;
mod lines;
mod mixed;
mod opening;
mod requests;
mod resting;
mod timeline;
mod typing;

pub(crate) use ending::Ending;
pub(crate) use flooding::Flooding;
pub(crate) use interrupting::Interrupting;
pub(crate) use lines::Lines;
pub(crate) use mixed::Mixed;
pub(crate) use opening::Opening;
pub(crate) use requests::{RequestKind, Requests, Until};
pub(crate) use resting::Resting;
pub(crate) use timeline::Timeline;
pub(crate) use typing::{Pace, Typing};

use std::time::Duration;

/// How long answers are waited for when nothing more is typed.
pub(crate) const GRACE: Duration = Duration::from_secs(5);
