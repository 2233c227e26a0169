//! What all handlers share.

use std::path::PathBuf;
use std::sync::Arc;

use hither_auth::{Authenticated, Origin};

use super::auth::Auth;
use super::serve::Stop;
use crate::sessions::{ServerStatus, Sessions};

/// Settings of the control plane.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the server in answers, as in the title of the page.
    pub server_name: String,
    /// Login name of the user that the server runs as.
    pub user: String,
    /// Shell that interprets a command line; absolute path.
    pub shell: PathBuf,
    /// Most sessions at a time, as the data plane enforces it; told to clients.
    pub sessions_max: usize,
    /// Origins under which a proxy makes the server known, besides the loopback names.
    pub public_origins: Vec<Origin>,
}

/// Everything that handlers need.
#[derive(Debug)]
pub struct App {
    /// Settings.
    pub config: Config,
    /// Credentials.
    pub auth: Auth,
    /// Turns true when the gateway stops.
    pub(crate) stop: Stop,
    sessions: Guarded,
}

struct Guarded(Arc<dyn Sessions>);

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(config: Config, auth: Auth, sessions: Arc<dyn Sessions>, stop: Stop) -> Self {
        Self { config, auth, stop, sessions: Guarded(sessions) }
    }

    /// The sessions, for whoever was verified.
    pub(crate) fn sessions(&self, _proof: &Authenticated) -> &dyn Sessions {
        &*self.sessions.0
    }

    /// Counts, which are for everybody.
    pub(crate) fn status(&self) -> ServerStatus {
        self.sessions.0.status()
    }
}

impl std::fmt::Debug for Guarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}
