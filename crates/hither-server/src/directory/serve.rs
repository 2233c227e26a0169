//! The directory as the control plane's [`Sessions`].

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hither_auth::UserId;
use hither_core::{Offset, Role, SessionId, Shell, WindowSize};
use hither_protocol::websocket::CloseCode;
use tokio::sync::oneshot;

use super::Directory;
use super::create::Meta;
use crate::pass::Pass;
use crate::sessions::{
    Amendment, BoxFuture, Connection, CreateError, EventCursor, EventId, Look, NewSession, Output,
    Patience, Readiness, ServerStatus, SessionError, SessionEvent, SessionInfo, Sessions, Signal,
    ViewerProtocol,
};
use crate::worker::Command;

/// How long the host may take to send a signal, or to be told something.
const HOST_TIME: Duration = Duration::from_secs(5);

type Done<T> = oneshot::Sender<Result<T, SessionError>>;

impl Directory {
    /// Asks the worker of a session for something and waits for its answer.
    async fn ask<T>(
        &self,
        id: SessionId,
        command: impl FnOnce(Done<T>) -> Command,
    ) -> Result<T, SessionError> {
        let shared = self.lookup(id).ok_or(SessionError::NotFound)?;
        let (done, answer) = oneshot::channel();
        self.tell(shared.worker, command(done));
        answer.await.unwrap_or(Err(SessionError::Stopping))
    }

    async fn close_session(&self, id: SessionId) -> Result<(), SessionError> {
        let shared = self.forget(id).ok_or(SessionError::NotFound)?;
        let (done, answer) = oneshot::channel();
        self.tell(shared.worker, Command::Remove(id, "session closed".into(), done));
        answer.await.map_err(|_| SessionError::Stopping)?;
        let told = tokio::time::timeout(HOST_TIME, self.host.told_to_close(id));
        told.await.map_err(|_| SessionError::HostUnavailable)
    }

    async fn send_signal(&self, id: SessionId, signal: Signal) -> Result<(), SessionError> {
        let shared = self.lookup(id).ok_or(SessionError::NotFound)?;
        if shared.ended().is_some() {
            return Err(SessionError::Exited);
        }
        let answer = self.host.signal(id, signal).ok_or(SessionError::HostUnavailable)?;
        match tokio::time::timeout(HOST_TIME, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(SessionError::HostUnavailable),
        }
    }
}

impl Sessions for Directory {
    fn create(
        &self,
        owner: UserId,
        new: NewSession,
    ) -> BoxFuture<'_, Result<SessionInfo, CreateError>> {
        Box::pin(async move {
            let result = self.start_session(owner, new).await;
            match &result {
                Ok(_) => self.metrics.started.increment(),
                Err(error) => self.metrics.start_failures.increment(error.code()),
            }
            result
        })
    }

    fn list(&self) -> Vec<SessionInfo> {
        self.sessions().iter().map(|shared| shared.info()).collect()
    }

    fn find(&self, id: SessionId) -> Option<SessionInfo> {
        self.lookup(id).map(|shared| shared.info())
    }

    fn input(&self, id: SessionId, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(self.ask(id, move |done| Command::Input(id, bytes, done)))
    }

    fn resize(&self, id: SessionId, size: WindowSize) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(self.ask(id, move |done| Command::Resize(id, size, done)))
    }

    fn reset_size(&self, id: SessionId) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(self.ask(id, move |done| Command::ResetSize(id, done)))
    }

    fn close(&self, id: SessionId) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(self.close_session(id))
    }

    fn attach(&self, connection: Connection) -> Result<(), SessionError> {
        let shared = self.lookup(connection.session).ok_or(SessionError::NotFound)?;
        let max = self.config.limits.viewers_max;
        // A viewer that understands it is told so by the worker, in a close frame.
        let silent = connection.protocol == ViewerProtocol::Raw;
        if silent && shared.viewers.load(Relaxed) >= max {
            tracing::warn!(session = %shared.id, max, "limit of viewers is reached");
            return Err(SessionError::TooManyViewers { max });
        }
        self.tell(shared.worker, Command::Attach(Box::new(connection)));
        Ok(())
    }

    fn send_away(&self, pass: &Pass, code: CloseCode, reason: &'static str) {
        if let Some(shared) = self.lookup(pass.session()) {
            let command = Command::SendAway(shared.id, pass.id(), code, reason);
            self.tell(shared.worker, command);
        }
    }

    fn set_role(&self, pass: &Pass, role: Role) {
        if let Some(shared) = self.lookup(pass.session()) {
            self.tell(shared.worker, Command::SetRole(shared.id, pass.id(), role));
        }
    }

    fn events(&self, behind: Option<EventId>) -> EventCursor {
        self.upward.events(behind)
    }

    fn output(
        &self,
        id: SessionId,
        from: Option<Offset>,
        patience: Patience,
    ) -> BoxFuture<'_, Result<Output, SessionError>> {
        let wait = patience == Patience::Wait;
        Box::pin(self.ask(id, move |reply| Command::Output(id, from, wait, reply)))
    }

    fn look(
        &self,
        id: SessionId,
        scrollback_lines: usize,
    ) -> BoxFuture<'_, Result<Look, SessionError>> {
        Box::pin(self.ask(id, move |reply| Command::Look(id, scrollback_lines, reply)))
    }

    fn shell(&self, id: SessionId) -> Option<Shell> {
        self.lookup(id).map(|shared| shared.shell())
    }

    fn amend(&self, id: SessionId, amendment: Amendment) -> Result<SessionInfo, SessionError> {
        let shared = self.lookup(id).ok_or(SessionError::NotFound)?;
        let renamed = shared.amend(amendment)?;
        self.host.set_meta(id, Meta::of(&shared).to_bytes());
        let info = shared.info();
        if renamed {
            self.upward.publish(SessionEvent::Title(id, info.title.clone()));
            self.tell(shared.worker, Command::Renamed(id));
        }
        self.upward.publish(SessionEvent::Amended(Box::new(info.clone())));
        Ok(info)
    }

    fn signal(&self, id: SessionId, signal: Signal) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(self.send_signal(id, signal))
    }

    fn status(&self) -> ServerStatus {
        self.status_counts()
    }

    fn readiness(&self) -> Readiness {
        Self::readiness(self)
    }
}

impl Directory {
    /// Counts of this moment.
    pub(crate) fn status_counts(&self) -> ServerStatus {
        let sessions = self.sessions();
        let exited = sessions.iter().filter(|shared| shared.ended().is_some()).count();
        ServerStatus {
            uptime: self.clock.now(),
            sessions_running: sessions.len() - exited,
            sessions_exited: exited,
            viewers: sessions.iter().map(|shared| shared.viewers.load(Relaxed)).sum(),
            workers: self.workers.len(),
        }
    }
}
