//! How a server is reached.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;

use crate::wire::{Attach, Dialect, Protocol, Request};

/// How connections to a server are made.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    /// With TLS: whom to believe.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// What it speaks.
    pub(crate) protocol: Protocol,
    /// Path and query of the WebSocket; a session's id is added to it.
    pub(crate) path: String,
    /// Makes the requests.
    pub(crate) request: Request,
    /// How viewers attach, where there is a choice.
    pub(crate) attach: Attach,
    /// Attach to this session; `None` makes one for each connection, where sessions are made.
    pub(crate) session: Option<String>,
    /// Connections of this rate in bytes per second; `None` reads as fast as it can.
    pub(crate) reads_per_second: Option<f64>,
}

impl Dial {
    /// The first request: one that makes a session, or one for the WebSocket.
    pub(super) fn first_request(&self, nonce: u64) -> (Stage, String) {
        if matches!(self.protocol, Protocol::Raw | Protocol::Http) {
            (Stage::Connecting, String::new())
        } else if self.protocol.creates_sessions() && self.session.is_none() {
            let body = r#"{"cols":80,"rows":24}"#;
            (Stage::Creating, self.request.plain("POST", "/api/sessions", body))
        } else {
            (Stage::Upgrading, self.upgrade(self.session.as_deref(), nonce))
        }
    }

    /// The request for the WebSocket, of a session if there is one.
    pub(super) fn upgrade(&self, session: Option<&str>, nonce: u64) -> String {
        let name = if self.protocol == Protocol::Plan { "sessionId" } else { "session" };
        let path = match session {
            Some(id) if self.path.contains('?') => format!("{}&{name}={id}", self.path),
            Some(id) => format!("{}?{name}={id}", self.path),
            None => self.path.clone(),
        };
        self.request.upgrade(&path, self.protocol, nonce)
    }

    /// The protocol's state for a fresh connection.
    pub(super) fn dialect(&self, client: u64) -> Dialect {
        Dialect::new(self.protocol, self.attach, client)
    }
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Raw bytes will go both ways once the kernel has connected.
    Connecting,
    /// `POST /api/sessions` has been sent.
    Creating,
    /// The request for the WebSocket has been sent.
    Upgrading,
    /// Frames, or raw bytes, go both ways.
    Open,
}
