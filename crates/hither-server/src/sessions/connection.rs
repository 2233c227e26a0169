//! A viewer's socket on its way from the control plane to a worker.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use hither_core::{Role, SessionId};
use rustls::ServerConnection;

use crate::pass::Pass;

/// A socket after the WebSocket handshake, on its way to a worker.
#[derive(Debug)]
pub struct Connection {
    /// The socket, non-blocking, no longer known to any runtime.
    pub socket: Socket,
    /// Bytes of the client that were read behind the handshake; they come first.
    pub read_ahead: Vec<u8>,
    /// What is spoken on it.
    pub protocol: ViewerProtocol,
    /// The session it attaches to.
    pub session: SessionId,
    /// The most this viewer may do; a client can ask for less.
    pub role: Role,
    /// For whom, and how the control plane finds the viewer again. Kept as long as it is attached.
    pub pass: Arc<Pass>,
}

/// A stream socket of either family.
#[derive(Debug)]
pub enum Socket {
    /// From a TCP listener, with `TCP_NODELAY` set.
    Tcp(TcpStream),
    /// The same with TLS on it: the state of the connection behind the handshakes of TLS and
    /// WebSocket. It may hold more of the client's bytes, which come after those read ahead.
    Tls(TcpStream, Box<ServerConnection>),
    /// From the Unix listener, or one end of a socket pair.
    Unix(UnixStream),
}

/// What a viewer's socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewerProtocol {
    /// `hither.v1` in WebSocket messages; docs/protocol.md.
    Hither,
    /// ttyd's, in WebSocket messages. Its first message (JSON with the window size) has been read.
    Ttyd,
    /// The plan's: raw or JSON text in, raw output out, in WebSocket messages.
    Plan,
    /// No framing at all: raw output out; what comes in is ignored. An observer that ends at the
    /// end of the session or when the other end closes.
    Raw,
}
