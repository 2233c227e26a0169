//! What goes over the connection to a server, for each protocol that the bench speaks.

mod dialect;
mod http;

pub(crate) use dialect::{Attach, Dialect, Incoming};
pub(crate) use http::{Request, parse_response};

use clap::ValueEnum;

/// A protocol between a terminal in a browser and its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Protocol {
    /// Bytes on a TCP connection: the bench's own floor
    Raw,
    /// `hither.v1`
    Hither,
    /// ttyd
    Ttyd,
    /// gotty
    Gotty,
    /// terminado, as in Jupyter
    Terminado,
    /// The plan's own: `/api/sessions` and `/ws?sessionId=`
    Plan,
    /// Plain HTTP requests: no terminal
    Http,
}

impl Protocol {
    /// The WebSocket subprotocol to ask for.
    #[must_use]
    pub(crate) const fn subprotocol(self) -> Option<&'static str> {
        match self {
            Self::Hither => Some("hither.v1"),
            Self::Ttyd => Some("tty"),
            Self::Gotty => Some("webtty"),
            Self::Terminado | Self::Plan | Self::Raw | Self::Http => None,
        }
    }

    /// Whether a session has to be made by `POST /api/sessions` before it can be attached to.
    #[must_use]
    pub(crate) const fn creates_sessions(self) -> bool {
        matches!(self, Self::Hither | Self::Plan)
    }

    /// The path of the WebSocket where the server's address does not say it.
    #[must_use]
    pub(crate) const fn default_path(self) -> &'static str {
        match self {
            Self::Terminado => "/websocket",
            Self::Raw | Self::Http => "/",
            Self::Hither | Self::Ttyd | Self::Gotty | Self::Plan => "/ws",
        }
    }
}
