//! Sessions that only exist in memory and remember what was done to them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use hither_auth::UserId;
use hither_core::{ExitStatus, Offset, Role, SessionId, Shell, ShellPhase, WindowSize};
use hither_protocol::websocket::CloseCode;
use hither_screen::Screen;
use hither_server::pass::Pass;
use hither_server::sessions::{
    Amendment, BoxFuture, Connection, CreateError, EventCursor, EventId, EventLog, Look,
    NewSession, Output, Patience, Readiness, ServerStatus, SessionError, SessionEvent, SessionInfo,
    Sessions, Signal, Status,
};
use tokio::sync::{mpsc, watch};

pub(crate) struct Double {
    state: Mutex<State>,
    events: Arc<EventLog>,
    /// What every session has written.
    output: watch::Sender<Vec<u8>>,
    attached: mpsc::Sender<Connection>,
    /// Counts what was said about viewers.
    pub(crate) told: watch::Sender<usize>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) sessions: BTreeMap<SessionId, SessionInfo>,
    pub(crate) created: Vec<NewSession>,
    pub(crate) inputs: Vec<Vec<u8>>,
    /// Everything that was done, in words.
    pub(crate) done: Vec<String>,
    /// What was said about viewers, in words.
    pub(crate) told: Vec<String>,
    pub(crate) refuse: Option<CreateError>,
    pub(crate) unready: Option<Readiness>,
    pub(crate) refuse_attach: Option<SessionError>,
    pub(crate) shell: Shell,
}

impl Double {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Connection>) {
        let (attached, connections) = mpsc::channel(64);
        let double = Self {
            state: Mutex::default(),
            events: EventLog::new(4),
            output: watch::Sender::default(),
            attached,
            told: watch::Sender::new(0),
        };
        (double, connections)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn add(&self, status: Status) -> SessionId {
        let mut state = self.state();
        let number = u8::try_from(state.sessions.len()).unwrap();
        let id = SessionId::from_random([b't', b'e', b's', b't', 0, 0, 0, 0, 0, number]);
        state.sessions.insert(id, info(id, status));
        id
    }

    pub(crate) fn tell(&self, event: SessionEvent) {
        self.events.publish(event);
    }

    /// Waits until somebody waits for output.
    pub(crate) async fn awaited(&self) {
        while self.output.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// The sessions write this.
    pub(crate) fn write(&self, bytes: &[u8]) {
        self.output.send_modify(|output| output.extend_from_slice(bytes));
    }

    fn change(&self, id: SessionId, what: String) -> Result<(), SessionError> {
        let mut state = self.state();
        match state.sessions.get(&id).ok_or(SessionError::NotFound)?.status {
            Status::Exited(_) => return Err(SessionError::Exited),
            Status::Running => state.done.push(what),
        }
        Ok(())
    }
}

fn info(id: SessionId, status: Status) -> SessionInfo {
    SessionInfo {
        id,
        title: "a title".to_owned(),
        command: Arc::new(["sh", "-c", "exit 3"].map(str::to_owned)),
        cwd: Path::new("/tmp").into(),
        size: WindowSize::DEFAULT,
        created: SystemTime::UNIX_EPOCH,
        updated: SystemTime::UNIX_EPOCH + Duration::from_millis(1500),
        status,
        viewers: 2,
        owner: UserId::MACHINE,
        output_bytes: 4096,
        echo: Some(Duration::from_micros(250)),
        round_trip: Some(Duration::from_micros(1500)),
        labels: BTreeMap::new(),
        shell: ShellPhase::Unknown,
        last_exit: None,
        directory: None,
    }
}

impl Sessions for Double {
    fn create(
        &self,
        owner: UserId,
        new: NewSession,
    ) -> BoxFuture<'_, Result<SessionInfo, CreateError>> {
        Box::pin(async move {
            if let Some(error) = self.state().refuse.clone() {
                return Err(error);
            }
            let id = self.add(Status::Running);
            let mut state = self.state();
            let info = state.sessions.get_mut(&id).unwrap();
            info.size = new.size.unwrap_or(WindowSize::DEFAULT);
            info.owner = owner;
            info.labels = new.labels.clone();
            let info = info.clone();
            state.done.push(format!("create {id}"));
            state.created.push(new);
            Ok(info)
        })
    }

    fn list(&self) -> Vec<SessionInfo> {
        self.state().sessions.values().cloned().collect()
    }

    fn find(&self, id: SessionId) -> Option<SessionInfo> {
        self.state().sessions.get(&id).cloned()
    }

    fn input(&self, id: SessionId, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move {
            self.change(id, format!("input {}", bytes.len()))?;
            self.state().inputs.push(bytes);
            Ok(())
        })
    }

    fn resize(&self, id: SessionId, size: WindowSize) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move { self.change(id, format!("resize {size}")) })
    }

    fn reset_size(&self, id: SessionId) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move { self.change(id, "reset-size".to_owned()) })
    }

    fn close(&self, id: SessionId) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move {
            let mut state = self.state();
            state.sessions.remove(&id).ok_or(SessionError::NotFound)?;
            state.done.push("close".to_owned());
            self.tell(SessionEvent::Closed(id));
            Ok(())
        })
    }

    fn attach(&self, connection: Connection) -> Result<(), SessionError> {
        let mut state = self.state();
        if let Some(error) = state.refuse_attach {
            return Err(error);
        }
        let known = state.sessions.contains_key(&connection.session);
        known.then_some(()).ok_or(SessionError::NotFound)?;
        state.done.push(format!("attach {:?}", connection.protocol));
        self.attached.try_send(connection).unwrap();
        Ok(())
    }

    fn send_away(&self, pass: &Pass, code: CloseCode, reason: &'static str) {
        self.state().told.push(format!("away {} {} {reason}", pass.session(), code.number()));
        self.told.send_modify(|count| *count += 1);
    }

    fn set_role(&self, pass: &Pass, role: Role) {
        self.state().told.push(format!("role {} {}", pass.session(), role.as_str()));
        self.told.send_modify(|count| *count += 1);
    }

    fn events(&self, behind: Option<EventId>) -> EventCursor {
        self.events.read_behind(behind)
    }

    fn output(
        &self,
        id: SessionId,
        from: Option<Offset>,
        patience: Patience,
    ) -> BoxFuture<'_, Result<Output, SessionError>> {
        Box::pin(async move {
            let info = self.find(id).ok_or(SessionError::NotFound)?;
            let ended = match info.status {
                Status::Running => None,
                Status::Exited(status) => Some(status),
            };
            let mut output = self.output.subscribe();
            let head = |bytes: &Vec<u8>| Offset(bytes.len() as u64);
            let from = from.unwrap_or_else(|| head(&output.borrow())).min(head(&output.borrow()));
            if patience == Patience::Wait && ended.is_none() {
                output.wait_for(|bytes| head(bytes) > from).await.unwrap();
            }
            let bytes = output.borrow();
            let start = usize::try_from(from.0).unwrap();
            Ok(Output { from, bytes: bytes[start..].to_vec(), head: head(&bytes), ended })
        })
    }

    fn look(
        &self,
        id: SessionId,
        scrollback_lines: usize,
    ) -> BoxFuture<'_, Result<Look, SessionError>> {
        Box::pin(async move {
            let info = self.find(id).ok_or(SessionError::NotFound)?;
            let bytes = self.output.borrow().clone();
            let mut screen = Box::new(Screen::new(info.size, scrollback_lines));
            screen.feed(&bytes);
            Ok(Look { offset: Offset(bytes.len() as u64), screen })
        })
    }

    fn shell(&self, id: SessionId) -> Option<Shell> {
        self.find(id).map(|_| self.state().shell.clone())
    }

    fn amend(&self, id: SessionId, amendment: Amendment) -> Result<SessionInfo, SessionError> {
        let mut state = self.state();
        let info = state.sessions.get_mut(&id).ok_or(SessionError::NotFound)?;
        if let Some(title) = amendment.title {
            info.title = title.unwrap_or_else(|| "a title".to_owned());
        }
        for (name, value) in amendment.labels {
            match value {
                Some(value) => drop(info.labels.insert(name, value)),
                None => drop(info.labels.remove(&name)),
            }
        }
        Ok(info.clone())
    }

    fn signal(&self, id: SessionId, signal: Signal) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move { self.change(id, format!("signal {signal:?}")) })
    }

    fn readiness(&self) -> Readiness {
        self.state().unready.unwrap_or(Readiness::Ready)
    }

    fn status(&self) -> ServerStatus {
        let state = self.state();
        let running = state.sessions.values().filter(|info| info.status == Status::Running);
        let sessions_running = running.count();
        ServerStatus {
            uptime: Duration::from_millis(61_500),
            sessions_running,
            sessions_exited: state.sessions.len() - sessions_running,
            viewers: 5,
            workers: 2,
        }
    }
}

pub(crate) const EXITED: Status = Status::Exited(ExitStatus::Code(3));
