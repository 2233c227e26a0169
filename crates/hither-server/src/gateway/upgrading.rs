//! An upgrade from the wish to the last moment of this program.

use std::convert::Infallible;
use std::future::pending;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use hither_host::{ClientError, HostConnection, RuntimeDir};
use tokio::sync::{mpsc, oneshot};
use tracing::field::Empty;
use tracing::{Span, debug_span};

use super::bequest::Bequest;
use super::listen::{Kept, Listeners};
use super::successor::{Program, Successor, UpgradeError, report_ready};
use super::{Config, Ended, GatewayError, kernel};
use crate::http::{App, Auth, UpgradeBegun, UpgradeRefused, UpgradeWish};
use crate::worker::answer;

/// Name of the part with the launch secret's digest.
const LAUNCH: &str = "launch";
/// Name of the part that says that another upgrade was asked for.
const AGAIN: &str = "again";

type Reply = oneshot::Sender<Result<UpgradeBegun, UpgradeRefused>>;
type Trying = Pin<Box<dyn Future<Output = Result<Successor, UpgradeError>>>>;

/// A successor that is being tried, and who wants to know what comes of it.
struct Trial {
    trying: Trying,
    reply: Option<Reply>,
    span: Span,
}

/// Wishes for an upgrade, and the trial that is under way; there is at most one.
pub(super) struct Upgrading {
    program: Program,
    /// What a trial is told.
    told: Bequest,
    wishes: mpsc::Receiver<UpgradeWish>,
    trial: Option<Trial>,
    /// A signal asked for one more while the trial went on: the file may have changed by then.
    again: bool,
    /// Counts the wishes that were not fulfilled.
    app: Arc<App>,
}

impl Upgrading {
    pub(super) fn new(
        program: Program,
        told: Bequest,
        wishes: mpsc::Receiver<UpgradeWish>,
        app: Arc<App>,
    ) -> Self {
        Self { program, told, wishes, trial: None, again: false, app }
    }

    /// Whether one more upgrade is to follow the one that has begun.
    pub(super) const fn is_wanted_again(&self) -> bool {
        self.again
    }

    /// A signal asks for an upgrade: now, or when the one that is under way is through.
    pub(super) fn begin_again(&mut self) {
        if self.trial.is_some() {
            tracing::info!("another upgrade is asked for: it follows the one under way");
            self.again = true;
        } else {
            self.begin(None, None);
        }
    }

    /// Starts to try the program that is wished for.
    pub(super) fn begin(&mut self, path: Option<PathBuf>, reply: Option<Reply>) {
        if self.trial.is_some() {
            return self.refuse(reply, &UpgradeError::Busy);
        }
        let path = path.unwrap_or_else(|| self.program.path.clone());
        tracing::info!(program = %path.display(), "trying a successor");
        let trying = Successor::try_out(self.program.clone(), path, self.told.clone());
        let span = debug_span!(parent: None, "upgrade", outcome = Empty);
        self.trial = Some(Trial { trying: Box::pin(trying), reply, span });
    }

    /// The next successor that has shown that it can start. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Successor {
        loop {
            tokio::select! {
                Some(wish) = self.wishes.recv() => self.begin(wish.program, Some(wish.reply)),
                tried = poll_trial(&mut self.trial) => {
                    let trial = self.trial.take();
                    let outcome = if tried.is_ok() { "begun" } else { "refused" };
                    if let Some(trial) = &trial {
                        trial.span.record("outcome", outcome);
                    }
                    let reply = trial.and_then(|trial| trial.reply);
                    match tried {
                        Err(error) => {
                            self.refuse(reply, &error);
                            if std::mem::take(&mut self.again) {
                                self.begin_again();
                            }
                        }
                        Ok(successor) => {
                            let version = successor.version.clone();
                            if let Some(reply) = reply {
                                answer(reply, Ok(UpgradeBegun { version }));
                            }
                            return successor;
                        }
                    }
                }
            }
        }
    }

    fn refuse(&self, reply: Option<Reply>, error: &UpgradeError) {
        self.app.metrics.upgrade_failures.increment();
        refuse(reply, error);
    }
}

async fn poll_trial(trial: &mut Option<Trial>) -> Result<Successor, UpgradeError> {
    match trial {
        Some(trial) => (&mut trial.trying).await,
        None => pending().await,
    }
}

fn refuse(reply: Option<Reply>, error: &UpgradeError) {
    tracing::error!(%error, "no upgrade; this program goes on");
    if let Some(reply) = reply {
        let code = match error {
            UpgradeError::Busy => "upgrade_running",
            UpgradeError::Unusable { .. }
            | UpgradeError::Hangs(_)
            | UpgradeError::Refused { .. }
            | UpgradeError::Replaced(_)
            | UpgradeError::Kernel(_) => "upgrade_failed",
        };
        answer(reply, Err(UpgradeRefused { code, detail: error.to_string() }));
    }
}

/// Finds out whether this program could take the place of the one that left `left`, and says so.
/// Nothing is changed.
pub(super) fn try_out(config: &Config, left: &Bequest) -> Result<(), GatewayError> {
    let dir = RuntimeDir::open(&config.runtime_dir)?;
    Listeners::try_out(&config.listen, &left.listeners)?;
    let host = HostConnection::connect(&dir);
    #[cfg(feature = "mutants")]
    let host = host.and_then(|host| crate::worker::mutant::greet_host(&dir).map(|()| host));
    match host {
        Ok(_) | Err(ClientError::NotRunning | ClientError::TurnedAway) => {}
        Err(error) => return Err(GatewayError::Host(error.to_string())),
    }
    report_ready().map_err(kernel("saying that the trial went well"))
}

/// What a trial is told of a gateway that listens on these.
pub(super) fn told(generation: u64, listeners: &[Kept]) -> Bequest {
    let mut told = Bequest::new(generation);
    told.listeners = listeners.iter().map(|listener| listener.left(-1)).collect();
    told
}

/// What this gateway leaves, apart from its listeners.
pub(super) fn bequest(generation: u64, auth: &Auth, again: bool) -> Bequest {
    let mut bequest = Bequest::new(generation);
    if again {
        bequest.parts.insert(AGAIN.to_owned(), true.into());
    }
    if let Some(line) = auth.launch_line() {
        bequest.parts.insert(LAUNCH.to_owned(), line.into());
    }
    bequest
}

/// Takes up what [`bequest`] put there.
pub(super) fn resume(left: &Bequest, auth: &Auth) {
    if let Some(line) = left.parts.get(LAUNCH).and_then(|part| part.as_str()) {
        auth.resume_launch(line);
    }
}

/// Whether the program that left this was asked for one more upgrade when it had begun to leave.
pub(super) fn is_wanted_again(left: &Bequest) -> bool {
    left.parts.get(AGAIN).and_then(serde_json::Value::as_bool).unwrap_or(false)
}

/// Becomes the successor, or failing that the present program once more: nothing of the gateway
/// runs any more.
pub(super) fn become_successor(
    successor: &Successor,
    program: &Program,
    bequest: &Bequest,
    listeners: &[Kept],
) -> Result<Ended, GatewayError> {
    let become_it = |next: &Successor| -> Result<Infallible, UpgradeError> {
        next.take_place(program, bequest.clone(), listeners)
    };
    let failed = |error: UpgradeError| GatewayError::Upgrade(error.to_string());
    let Err(error) = become_it(successor);
    tracing::error!(%error, "executing the successor; this program starts again");
    let again = Successor::again().map_err(kernel("finding this program"))?;
    let Err(error) = become_it(&again);
    Err(failed(error))
}
