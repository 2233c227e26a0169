//! A client of Hither: connect, attach, resume.
//!
//! * [`Attachment`] is pure: it numbers input and keeps it until it is accepted, checks that output
//!   is contiguous, knows where to resume, and says what to acknowledge. It outlives connections.
//! * [`Server`] and [`Connection`] are the thin driver over TCP, TLS or a Unix socket, for
//!   blocking use and for event loops alike. [`Trust`] says which servers are believed.
//!
//! Nothing here links code of the server: it proves that `docs/protocol.md` is enough.
#![forbid(unsafe_code)]

mod attachment;
mod backlog;
mod backoff;
mod connection;
mod handshake;
mod server;
mod stream;
mod trust;

pub use attachment::{AttachError, Attached, Attachment, Event, Wish};
pub use backlog::{BACKLOG_MAX, BacklogFull};
pub use backoff::Backoff;
pub use connection::{Connection, ConnectionError, Progress};
pub use handshake::HandshakeError;
pub use server::{Address, Server};
pub use trust::{TlsError, Trust, TrustError};

pub use hither_protocol::hither::{Event as Happening, Exit, Features};
pub use hither_protocol::replies::is_reply;
pub use hither_protocol::websocket::{CloseCode, Reconnect};
