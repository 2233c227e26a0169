//! Pure wire formats: what bytes mean, never where they come from.
//!
//! * [`websocket`]: RFC 6455 framing for both sides, the layer below all the others;
//! * [`hither`]: frames of our own subprotocol `hither.v1`, as `docs/protocol.md` states them.
//!
//! Every decoder accepts any bytes: it returns an error and never panics.
#![forbid(unsafe_code)]

mod inline;

pub mod hither;
pub mod websocket;

pub use inline::InlineBytes;
