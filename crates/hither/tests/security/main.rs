//! WebSocket as RFC 6455 wants it, tried on the real gateway over real sockets.
//!
//! The rows W01 to W14 of the security catalogue (docs/security.md). The peer here shares no code
//! with the gateway: what it sends and reads is written down byte for byte.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod cases;
mod gateway;
mod handshake;
mod limits;
mod malformed;
mod messages;
mod peer;
