//! What all handlers share.

use std::path::PathBuf;
use std::sync::Arc;

use hither_auth::{Mode, Origin, Peer, Proxies};
use hither_core::SessionId;
use http::HeaderName;
use tokio::sync::Semaphore;

use super::auth::Auth;
use super::base_path::BasePath;
use super::gate::Gate;
use super::idempotency::Idempotency;
use super::lobby::Waiting;
use super::problem::Problem;
use super::profiles::Profiles;
use super::run::Runs;
use super::serve::Stop;
use super::server_routes::Succession;
use crate::audit::{Actor, Audit, Event, Silent};
use crate::metrics::HttpMetrics;
use crate::oidc::Provider;
use crate::pass::Passes;
use crate::sessions::{Readiness, ServerStatus, Sessions};

/// Settings of the control plane.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the server in answers, as in the title of the page.
    pub server_name: String,
    /// Login name of the user that the server runs as.
    pub user: String,
    /// Shell that interprets a command line; absolute path.
    pub shell: PathBuf,
    /// Sessions that requests may name.
    pub profiles: Profiles,
    /// Address of the start page, as in `http://127.0.0.1:7681/`: where launch URLs lead.
    pub page_url: String,
    /// Most connections that speak HTTP at a time; [`super::CONNECTIONS_MAX`] unless there is a
    /// reason.
    pub connections_max: usize,
    /// Most sessions at a time, as the data plane enforces it; told to clients.
    pub sessions_max: usize,
    /// Origins under which a proxy makes the server known, besides the loopback names; see
    /// [`Origin::of_name`].
    pub public_origins: Vec<Origin>,
    /// Proxies whose `X-Forwarded-*` headers count.
    pub proxies: Proxies,
    /// The header in which those proxies name the user, if they do.
    pub identity_header: Option<HeaderName>,
    /// Whether strangers may come without TLS and without a proxy on addresses of the network.
    pub insecure_plaintext: bool,
    /// Path below which everything is on TCP listeners.
    pub base_path: BasePath,
}

/// Everything that handlers need.
#[derive(Debug)]
pub struct App {
    /// Settings.
    pub config: Config,
    /// Credentials.
    pub auth: Auth,
    /// Where what happens is written down.
    audit: Arc<dyn Audit>,
    /// Counts what strangers try.
    pub(crate) gate: Gate,
    /// Connections that have not shown a credential yet.
    pub(crate) waiting: Arc<Waiting>,
    /// Who is attached to which session.
    pub(crate) passes: Passes,
    /// Turns true when the gateway stops.
    pub(crate) stop: Stop,
    /// How it is upgraded, if it can be.
    pub(crate) succession: Option<Succession>,
    /// Commands that are being waited for.
    pub(crate) runs: Runs,
    /// Requests that may be repeated.
    pub(crate) idempotency: Idempotency,
    /// By whom people sign on, if by anybody.
    pub(crate) oidc: Option<Arc<Provider>>,
    sessions: Guarded,
    /// What this side counts.
    pub(crate) metrics: HttpMetrics,
    /// Room for connections.
    pub(crate) slots: Arc<Semaphore>,
}

struct Guarded(Arc<dyn Sessions>);

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(config: Config, auth: Auth, sessions: Arc<dyn Sessions>, stop: Stop) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(config.connections_max)),
            waiting: Waiting::new(config.connections_max),
            metrics: HttpMetrics::new(),
            config,
            auth,
            stop,
            succession: None,
            oidc: None,
            runs: Runs::default(),
            idempotency: Idempotency::default(),
            sessions: Guarded(sessions),
            audit: Arc::new(Silent),
            passes: Passes::default(),
            gate: Gate::default(),
        }
    }

    /// How often requests were refused with this code, or this limit was hit, as the page of metrics
    /// says it.
    #[must_use]
    pub fn refusals(&self, code: &str) -> u64 {
        self.metrics.refusals(code)
    }

    /// The same application, with its audit log.
    #[must_use]
    pub fn with_audit(self, audit: Arc<dyn Audit>) -> Self {
        Self { audit, ..self }
    }

    /// The same, for a gateway that can be upgraded.
    #[must_use]
    pub(crate) fn with_succession(self, succession: Succession) -> Self {
        Self { succession: Some(succession), ..self }
    }

    /// The same, with a provider of single sign-on.
    #[must_use]
    pub fn with_oidc(self, provider: Option<Arc<Provider>>) -> Self {
        Self { oidc: provider, ..self }
    }

    /// An address that logs a browser in, once and within ten minutes; the one before it is good
    /// no more. The secret is in the fragment, which reaches neither logs nor other sites. With
    /// authentication off there is none.
    ///
    /// # Errors
    /// When the kernel has no random numbers.
    pub fn launch_url(&self) -> Result<String, getrandom::Error> {
        let page = &self.config.page_url;
        match self.auth.mode() {
            Mode::Off => Ok(page.clone()),
            Mode::Required => Ok(format!("{page}#t={}", self.auth.issue_launch()?.to_text())),
        }
    }

    /// Writes down what was done already, or cannot be undone: a failure is logged and that is all.
    pub(crate) fn note(&self, actor: &Actor, event: &Event) {
        if let Err(error) = self.audit.note(actor, event) {
            tracing::error!(%error, "an event is not in the audit log");
        }
    }

    /// Closes the audit log: everything before is on the disk when this returns.
    pub(crate) async fn finish_audit(&self) {
        if self.audit.record(&Actor::gateway(), &Event::Stopped).await.is_err() {
            tracing::error!("the end is not in the audit log");
        }
    }

    /// Writes down what is about to be done, which must not be when this fails.
    pub(crate) async fn note_first(&self, actor: &Actor, event: &Event) -> Result<(), Problem> {
        self.audit.record(actor, event).await.map_err(|_| Problem::audit_failed())
    }

    /// Whether there is a session with this id, for whoever has proven to know of it.
    pub(crate) fn is_session(&self, id: SessionId) -> bool {
        self.all_sessions().find(id).is_some()
    }

    /// Which program in this process it is, from 1.
    pub(crate) fn generation(&self) -> u64 {
        self.succession.as_ref().map_or(1, |succession| succession.generation)
    }

    /// What paths of answers begin with: the base path, which a Unix socket does not have.
    pub(crate) fn base_of(&self, peer: Peer) -> &str {
        match peer {
            Peer::Network => self.config.base_path.as_str(),
            Peer::SameUser => "",
        }
    }

    /// All sessions, which only the handles of `handle` may touch.
    pub(super) fn all_sessions(&self) -> &dyn Sessions {
        &*self.sessions.0
    }

    /// Connections that speak HTTP now.
    pub(crate) fn connections(&self) -> usize {
        self.config.connections_max.saturating_sub(self.slots.available_permits())
    }

    /// Whether sessions can be started and reached, which is for everybody.
    pub(crate) fn readiness(&self) -> Readiness {
        self.sessions.0.readiness()
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
