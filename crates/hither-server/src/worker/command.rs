//! What the control plane asks of a worker. None of it is on the path of a keystroke.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use hither_core::{ExitStatus, Offset, Role, SessionId, WindowSize};
use hither_protocol::websocket::CloseCode;
use hither_pty::{Journal, Master};
use tokio::sync::oneshot;

use super::asking::{LookReply, OutputReply};
use super::memory::SessionMemory;
use super::receiving::Refusal;
use super::viewer::ViewerKey;
use super::{Settings, Worker};
use crate::clock::Clock;
use crate::directory::{Shared, Upward};
use crate::metrics::WorkerMetrics;
use crate::pass::PassId;
use crate::sessions::{Connection, SessionError};

/// Answer to a command that can fail.
pub(crate) type Reply = oneshot::Sender<Result<(), SessionError>>;

/// Answers whoever asked; if nobody waits any more, that is no matter.
pub(crate) fn answer<T>(asker: oneshot::Sender<T>, value: T) {
    if asker.send(value).is_err() {
        tracing::debug!("nobody waits for an answer");
    }
}

/// A session on its way to its worker.
#[derive(Debug)]
pub(crate) struct Adoption {
    pub(crate) shared: Arc<Shared>,
    /// None when the session has ended already.
    pub(crate) master: Option<Master>,
    pub(crate) memory: SessionMemory,
    /// How its child exited, if it has.
    pub(crate) exit: Option<ExitStatus>,
}

/// One request to a worker.
#[derive(Debug)]
pub(crate) enum Command {
    Adopt(Box<Adoption>),
    Attach(Box<Connection>),
    Input(SessionId, Vec<u8>, Reply),
    Resize(SessionId, WindowSize, Reply),
    ResetSize(SessionId, Reply),
    /// Output from an offset on, the head if none; true: wait until there is some.
    Output(SessionId, Option<Offset>, bool, OutputReply),
    /// The screen with so many lines of scrollback.
    Look(SessionId, usize, LookReply),
    /// Somebody has renamed the session.
    Renamed(SessionId),
    /// The child has exited.
    Exited(SessionId, ExitStatus),
    /// Forget the session and send its viewers away, with this reason.
    Remove(SessionId, Cow<'static, str>, oneshot::Sender<()>),
    /// A copy of the counters is wanted.
    Measure(oneshot::Sender<Box<WorkerMetrics>>),
    /// Send one viewer away.
    SendAway(SessionId, PassId, CloseCode, &'static str),
    /// Set the most that one viewer may do.
    SetRole(SessionId, PassId, Role),
    /// A second or so has passed.
    Tick,
    /// Send all viewers away and end the thread.
    Stop,
}

/// Commands that a worker has not seen yet.
#[derive(Debug)]
pub(super) struct Inbox {
    commands: Mutex<VecDeque<Command>>,
    waker: mio::Waker,
    /// The worker has something to look at once a second.
    ticking: AtomicBool,
}

/// The control plane's end of a worker.
#[derive(Debug)]
pub(crate) struct WorkerHandle {
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
}

impl Inbox {
    pub(super) const fn new(waker: mio::Waker) -> Self {
        Self { commands: Mutex::new(VecDeque::new()), waker, ticking: AtomicBool::new(false) }
    }

    /// Whether [`Command::Tick`] is wanted.
    pub(super) fn set_ticking(&self, ticking: bool) {
        self.ticking.store(ticking, Relaxed);
    }

    pub(super) fn take(&self) -> VecDeque<Command> {
        std::mem::take(&mut *self.commands.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl WorkerHandle {
    /// Starts worker number `index`.
    ///
    /// # Errors
    /// No descriptor or no thread left.
    pub(crate) fn start(
        index: usize,
        settings: Settings,
        clock: Clock,
        journal: Journal,
        upward: Arc<Upward>,
    ) -> io::Result<Self> {
        let mut worker = Worker::new(settings, clock, journal, upward)?;
        let inbox = Arc::clone(&worker.inbox);
        let thread = std::thread::Builder::new()
            .name(format!("worker-{index}"))
            .spawn(move || worker.run())?;
        Ok(Self { inbox, thread: Some(thread) })
    }

    /// Hands the worker something to do. The number of commands under way is bounded by those who
    /// wait for an answer and by the limits on connections and sessions.
    pub(crate) fn send(&self, command: Command) {
        let mut commands = self.inbox.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.push_back(command);
        drop(commands);
        while let Err(error) = self.inbox.waker.wake() {
            if error.kind() != io::ErrorKind::Interrupted {
                tracing::error!(%error, "waking a worker");
                break;
            }
        }
    }

    /// Lets the worker look after its viewers, if it has any. Idle workers sleep on.
    pub(crate) fn tick(&self) {
        if self.inbox.ticking.load(Relaxed) {
            self.send(Command::Tick);
        }
    }

    /// Waits until the worker has ended. It must have been told to stop.
    pub(crate) fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("worker ended by a panic");
        }
    }
}

impl Worker {
    /// Does what the control plane has asked for.
    pub(super) fn handle_commands(&mut self) {
        for command in self.inbox.take() {
            self.handle_command(command);
        }
    }

    fn handle_command(&mut self, command: Command) {
        match command {
            Command::Adopt(adoption) => self.adopt(*adoption),
            Command::Attach(connection) => self.attach(*connection),
            Command::Input(id, bytes, reply) => self.handle_api_input(id, &bytes, reply),
            Command::Resize(id, size, reply) => {
                self.handle_api_size(id, Some(size), reply);
            }
            Command::ResetSize(id, reply) => self.handle_api_size(id, None, reply),
            Command::Output(id, from, wait, reply) => {
                self.handle_output_request(id, from, wait, reply);
            }
            Command::Look(id, lines, reply) => self.handle_look_request(id, lines, reply),
            Command::Renamed(id) => self.handle_renamed(id),
            Command::Exited(id, status) => {
                if let Some(&index) = self.names.get(&id) {
                    self.handle_exit(index, status);
                }
            }
            Command::Remove(id, reason, done) => {
                if let Some(&index) = self.names.get(&id) {
                    self.remove_session(index, CloseCode::SESSION_CLOSED, &reason);
                }
                answer(done, ());
            }
            Command::Measure(asker) => answer(asker, Box::new(self.measure())),
            Command::SendAway(id, pass, code, reason) => {
                if let Some(key) = self.viewer_with(id, pass) {
                    self.refuse(key, &Refusal::new(code, reason));
                }
            }
            Command::SetRole(id, pass, role) => {
                if let Some(key) = self.viewer_with(id, pass) {
                    self.set_role(key, role);
                }
            }
            Command::Tick => self.tick(),
            Command::Stop => self.stop(),
        }
    }

    /// The viewer of a session that came with this pass.
    fn viewer_with(&self, id: SessionId, pass: PassId) -> Option<ViewerKey> {
        let viewers = &self.sessions.get(*self.names.get(&id)?)?.viewers;
        viewers.iter().copied().find(|&key| self.viewers[key].pass.id() == pass)
    }

    /// Sets the most that a viewer may do. One that asked to be an observer stays one.
    fn set_role(&mut self, key: ViewerKey, role: Role) {
        let viewer = &mut self.viewers[key];
        let role = if viewer.wants_to_type { role } else { Role::Observer };
        if viewer.role != role {
            viewer.demoted |= role == Role::Observer;
            viewer.role = role;
            viewer.notices.role = true;
            self.serve(key);
        }
    }
}
