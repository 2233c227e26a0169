//! RFC 6455 framing without I/O, for the server's and the client's side.
//!
//! Reading: a [`Decoder`] works in the caller's buffer, unmasks in place and hands out slices of it.
//! Writing: [`encode_header`] makes a header on the stack, to be sent in front of the payload.
//! No extension is known: every reserved bit is an error.

mod close;
mod decoder;
mod error;
mod fragments;
mod handshake;
mod header;
mod mask;

pub use close::{CloseCode, CloseFrame, ClosePayload, Reconnect, encode_close};
pub use decoder::{Control, Decoder, Limits, MessageKind, Step};
pub use error::ProtocolError;
pub use handshake::{InvalidKey, accept_key, check_key};
pub(crate) use header::push_header;
pub use header::{Header, Opcode, Side, append_frame, encode_header};
pub use mask::mask_in_place;
