//! WebSocket as RFC 6455 wants it: rows W01 to W14. The peer here shares no code with the gateway:
//! what it sends and reads is written down byte for byte.

mod cases;
mod handshake;
mod limits;
mod malformed;
mod messages;
pub(crate) mod peer;
