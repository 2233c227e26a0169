//! The table of sessions, and the way from a request to the worker or the PTY host.

mod adopt;
mod create;
mod environment;
mod estate;
mod host_connection;
mod host_journals;
mod host_link;
mod host_starter;
mod overdue;
mod serve;
mod shared;
mod stranded;
mod upward;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hither_core::{ExitStatus, SessionId};
use tokio::sync::oneshot;

pub(crate) use create::Program;
pub(crate) use environment::allowed;
pub(crate) use host_starter::{HostStarter, LinkError};
pub(crate) use shared::Shared;
pub(crate) use upward::Upward;

use crate::clock::Clock;
use crate::gateway::Limits;
use crate::metrics::{LifeMetrics, WORKER_PATIENCE, WorkerMetrics};
use crate::sessions::{OnClose, Readiness, SessionEvent};
use crate::shell_integration::ShellIntegration;
use crate::worker::{Command, WorkerHandle};
use create::Meta;
use host_link::HostLink;

/// Sessions and viewers that come or go before free memory is given back.
const TRIM_AFTER: usize = 32;

/// What the directory is made of.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// What a session runs when nothing is said.
    pub(crate) program: Program,
    /// Where it starts.
    pub(crate) cwd: PathBuf,
    /// Bytes of output that a session keeps.
    pub(crate) history_bytes: u64,
    /// What becomes of processes that a child leaves behind, unless its session says.
    pub(crate) on_close: OnClose,
    /// How much there may be, and for how long.
    pub(crate) limits: Limits,
    /// Environment of the children, `NAME=value`.
    pub(crate) environment: Vec<(String, String)>,
    /// Has shells mark their prompts and commands, unless that is switched off.
    pub(crate) integration: Option<ShellIntegration>,
}

/// All sessions of this gateway.
#[derive(Debug)]
pub(crate) struct Directory {
    config: Config,
    clock: Clock,
    upward: Arc<Upward>,
    host: HostLink,
    workers: Vec<Mutex<WorkerHandle>>,
    /// Sessions on each worker.
    loads: Vec<AtomicUsize>,
    /// Sessions and viewers when free memory was last given back.
    trimmed_at: AtomicUsize,
    /// Every worker has taken over what the last gateway has left it.
    settled: AtomicBool,
    table: Mutex<HashMap<SessionId, Arc<Shared>>>,
    pub(crate) metrics: LifeMetrics,
}

/// For how long a gateway leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Until somebody starts another one, if ever.
    ForGood,
    /// Its successor serves in a moment.
    ForSuccessor,
}

impl Directory {
    fn table(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Shared>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lookup(&self, id: SessionId) -> Option<Arc<Shared>> {
        self.table().get(&id).map(Arc::clone)
    }

    fn tell(&self, worker: usize, command: Command) {
        self.workers[worker].lock().unwrap_or_else(PoisonError::into_inner).send(command);
    }

    /// All sessions, oldest first.
    fn sessions(&self) -> Vec<Arc<Shared>> {
        let mut all: Vec<_> = self.table().values().map(Arc::clone).collect();
        all.sort_by_key(|shared| (shared.created_ms, shared.id));
        all
    }

    /// Runs the directory's own duties until the gateway stops: messages of the host, sessions that
    /// nobody needs any more, and what is done once a second.
    pub(crate) async fn run(&self) {
        let mut settling = pin!(self.settle());
        let mut keeping_host = pin!(self.host.keep());
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut settling, if !self.settled.load(Acquire) => {}
                () = &mut keeping_host => {}
                message = self.host.receive() => self.handle_host(message),
                () = self.upward.notify.notified() => self.close_given_up(),
                _ = second.tick() => self.tick(),
            }
        }
    }

    /// Waits until each worker has taken over what the last gateway has left it.
    async fn settle(&self) {
        let asked: Vec<_> = (0..self.workers.len()).map(|worker| self.measure(worker)).collect();
        for answer in asked {
            // Commands are obeyed in order, so what answers has adopted; one that has ended never will.
            drop(answer.await);
        }
        self.settled.store(true, Release);
    }

    /// Whether sessions can be started and reached.
    fn readiness(&self) -> Readiness {
        if !self.settled.load(Acquire) {
            Readiness::Adopting
        } else if self.host.is_there() {
            Readiness::Ready
        } else {
            Readiness::HostGone
        }
    }

    fn tick(&self) {
        for worker in &self.workers {
            worker.lock().unwrap_or_else(PoisonError::into_inner).tick();
        }
        self.trim();
        self.keep_titles();
        self.end_overdue();
    }

    /// Lets the host keep the titles that have changed, for the next gateway.
    fn keep_titles(&self) {
        for shared in self.sessions().iter().filter(|shared| shared.take_renamed()) {
            self.host.set_meta(shared.id, Meta::of(shared).to_bytes());
        }
    }

    /// Gives memory back after a storm of sessions or viewers, when it is over.
    fn trim(&self) {
        let count = self.status_counts();
        let count = count.sessions_running + count.sessions_exited + count.viewers;
        let before = self.trimmed_at.load(Relaxed);
        if self.host.starting() == 0 && count.abs_diff(before) >= TRIM_AFTER {
            self.trimmed_at.store(count, Relaxed);
            hither_pty::give_back_free_memory();
        }
    }

    fn close_given_up(&self) {
        for id in self.upward.take_given_up() {
            self.forget(id);
        }
    }

    /// Takes a session out of the table and has the host end it. The worker is told elsewhere.
    fn forget(&self, id: SessionId) -> Option<Arc<Shared>> {
        let shared = self.table().remove(&id)?;
        self.loads[shared.worker].fetch_sub(1, Relaxed);
        self.metrics.closed.increment();
        self.host.close(id);
        shared.close_span();
        tracing::info!(session = %id, "session closed");
        self.upward.publish(SessionEvent::Closed(id));
        Some(shared)
    }

    /// The child of a session has exited, or is lost.
    fn handle_exited(&self, id: SessionId, status: ExitStatus) {
        if let Some(shared) = self.lookup(id) {
            tracing::info!(session = %id, %status, "child ended");
            self.metrics.count_end(status);
            self.tell(shared.worker, Command::Exited(id, status));
        }
    }

    /// Asks a worker for what it has counted.
    fn measure(&self, worker: usize) -> oneshot::Receiver<Box<WorkerMetrics>> {
        let (asker, answer) = oneshot::channel();
        self.tell(worker, Command::Measure(asker));
        answer
    }

    /// Ends a session if it is listed here; its viewers are told why.
    fn end(&self, id: SessionId, reason: impl Into<Cow<'static, str>>) {
        if let Some(shared) = self.forget(id) {
            let (done, _) = oneshot::channel();
            self.tell(shared.worker, Command::Remove(id, reason.into(), done));
        }
    }

    /// What each worker has counted, with its sessions. One that does not answer soon is left out.
    pub(crate) async fn worker_metrics(&self) -> Vec<(usize, WorkerMetrics)> {
        let asked = (0..self.workers.len())
            .map(|worker| (self.loads[worker].load(Relaxed), self.measure(worker)));
        let mut answers = Vec::new();
        for (sessions, answer) in asked.collect::<Vec<_>>() {
            if let Ok(Ok(metrics)) = tokio::time::timeout(WORKER_PATIENCE, answer).await {
                answers.push((sessions, *metrics));
            }
        }
        answers
    }

    /// Sends all viewers away and waits for the workers to end. Answers how many sessions live on.
    pub(crate) fn stop(&self, leaving: Leaving) -> usize {
        for worker in 0..self.workers.len() {
            self.tell(worker, Command::Stop);
        }
        for worker in &self.workers {
            worker.lock().unwrap_or_else(PoisonError::into_inner).join();
        }
        let lives = |shared: &&Arc<Shared>| shared.ended().is_none() || shared.is_stranded();
        let running = self.table().values().filter(lives).count();
        if running == 0 && leaving == Leaving::ForGood {
            // Nothing is left to come back to, so the host need not stay either.
            for shared in self.sessions() {
                self.forget(shared.id);
            }
        }
        self.sessions().iter().for_each(|shared| shared.close_span());
        self.keep_titles();
        self.host.flush();
        running
    }
}
