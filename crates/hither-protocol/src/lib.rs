//! Pure wire formats: what bytes mean, never where they come from.
//!
//! * [`websocket`]: RFC 6455 framing for both sides, the layer below all the others;
//! * [`hither`]: frames of our own subprotocol `hither.v1`, as `docs/protocol.md` states them;
//! * [`ttyd`] and [`plan`]: the two other protocols that the server speaks at `/ws`;
//! * [`gotty`] and [`terminado`]: the client's side of two peers, for the bench;
//! * [`replies`]: which input is a terminal's own answer to a query.
//!
//! Every decoder accepts any bytes: it returns an error and never panics.
#![forbid(unsafe_code)]

mod inline;
mod message_error;

pub mod gotty;
pub mod hither;
pub mod plan;
pub mod replies;
pub mod terminado;
pub mod ttyd;
pub mod websocket;

pub use inline::InlineBytes;
pub use message_error::MessageError;
