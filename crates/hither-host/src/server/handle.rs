//! What the host does when it is told something.

use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use hither_core::SessionId;
use hither_pty::Signal;
use rustix::process::getpid;

use super::claim::Claim;
use super::connection::{Connection, Dropped};
use super::session::pid_number;
use super::{Ends, Server, Shared};
use crate::message::{FromHost, JournalFds, Refusal, SignalTarget, SpawnRequest, ToHost, VERSION};

impl Server {
    /// Does what a message asks for. An error means that it broke the rules.
    pub(super) fn handle(&mut self, id: u64, message: ToHost) -> Result<(), Dropped> {
        let known = self.connection(id)?.is_known();
        let greets = matches!(message, ToHost::Hello { .. });
        if known == greets {
            return Err(Dropped);
        }
        match message {
            ToHost::Hello { version } => self.handle_hello(id, version),
            ToHost::Claim => self.handle_claim(id),
            ToHost::Spawn(request) => self.handle_spawn(id, *request),
            ToHost::Signal { session, signal, target } => {
                self.connection(id)?.listen();
                self.handle_signal(id, session, signal, target)
            }
            ToHost::Close { session } => {
                self.connection(id)?.listen();
                self.handle_close(id, session)
            }
            ToHost::List => {
                let end = self.sessions.end();
                self.connection(id)?.start_list(end)
            }
            ToHost::PutJournal { index, fds } => self.handle_journal(id, index, fds),
            ToHost::SetMeta { session, meta } => self.handle_meta(id, session, meta),
            ToHost::Stop => {
                self.connection(id)?.listen();
                self.stop();
                Ok(())
            }
        }
    }

    fn handle_hello(&mut self, id: u64, version: u16) -> Result<(), Dropped> {
        let answer = if version == VERSION {
            let pid = pid_number(getpid());
            Ok(FromHost::Welcome { version, pid })
        } else {
            Err(FromHost::WrongVersion { version: VERSION })
        };
        self.connection(id)?.greet(answer);
        Ok(())
    }

    fn handle_claim(&mut self, id: u64) -> Result<(), Dropped> {
        if self.claims(id) {
            return Err(Dropped);
        }
        let connection = self.connections.get_mut(&id).ok_or(Dropped)?;
        let pid = connection.peer().pid.ok_or(Dropped)?;
        if let Some(claim) = self.claim.as_ref().filter(|claim| !claim.yields_to(pid)) {
            let pid = pid_number(claim.pid());
            connection.tell(FromHost::ClaimRefused { pid });
            return Ok(());
        }
        if let Some(last) = self.claim.as_ref().and_then(Claim::connection) {
            self.hear_out(last);
        }
        let connection = self.connections.get_mut(&id).ok_or(Dropped)?;
        let pidfd = connection.peer().pidfd(connection.socket().as_fd());
        self.claim = Some(Claim::new(pid, pidfd.map_err(|_| Dropped)?, id));
        connection.start_adoption(self.sessions.end());
        Ok(())
    }

    /// Does what a gateway that is gone had still asked for: it may have told its clients that it
    /// happens. Bounded by what the socket holds.
    fn hear_out(&mut self, id: u64) {
        loop {
            match self.receive(id) {
                Ok(true) => {}
                Ok(false) => return,
                Err(Dropped) => return self.drop_connection(id),
            }
        }
    }

    fn handle_spawn(&mut self, id: u64, request: SpawnRequest) -> Result<(), Dropped> {
        let answer = match self.admit(id, request.session) {
            Err(reason) => FromHost::SpawnRefused { request: request.request, reason },
            Ok(()) => self.spawn(request),
        };
        self.connection(id)?.tell(answer);
        Ok(())
    }

    fn spawn(&mut self, spawn: SpawnRequest) -> FromHost<Shared> {
        let (request, session) = (spawn.request, spawn.session);
        let spawned = self.sessions.spawn(spawn);
        match spawned {
            Err(error) => FromHost::SpawnFailed { request, error },
            Ok(spawned) => FromHost::Spawned {
                request,
                session,
                pid: spawned.pid(),
                fds: spawned.fds().expect("it has just been started"),
            },
        }
    }

    fn admit(&self, id: u64, session: SessionId) -> Result<(), Refusal> {
        match self.ends {
            _ if !self.claims(id) => Err(Refusal::NotClaimed),
            // Nobody was told of the session, and nobody would end it.
            _ if self.claim.as_ref().is_some_and(Claim::is_dead) => Err(Refusal::NotClaimed),
            Ends::WhenEmpty => Err(Refusal::Stopping),
            Ends::NotBefore(_) | Ends::WhenUnused => self.sessions.admit(session),
        }
    }

    fn handle_signal(
        &mut self,
        id: u64,
        session: SessionId,
        signal: Signal,
        target: SignalTarget,
    ) -> Result<(), Dropped> {
        let serial = self.sessions.serial(session);
        let sent = serial.and_then(|serial| self.sessions.signal(serial, signal, target));
        let answer = match sent {
            Ok(()) => FromHost::Signalled { session },
            Err(reason) => FromHost::Refused { session, reason },
        };
        self.connection(id)?.tell(answer);
        Ok(())
    }

    fn handle_close(&mut self, id: u64, session: SessionId) -> Result<(), Dropped> {
        match self.sessions.serial(session) {
            Ok(serial) => self.close(serial),
            Err(reason) => self.connection(id)?.tell(FromHost::Refused { session, reason }),
        }
        Ok(())
    }

    fn close(&mut self, serial: u64) {
        if self.sessions.close(serial) {
            self.begin_ending(serial);
        }
    }

    fn handle_journal(
        &mut self,
        id: u64,
        index: u16,
        fds: JournalFds<OwnedFd>,
    ) -> Result<(), Dropped> {
        if !self.claims(id) {
            return Err(Dropped);
        }
        let shared = |fd: OwnedFd| -> Shared { Rc::new(fd) };
        let fds = JournalFds {
            read_end: shared(fds.read_end),
            write_end: shared(fds.write_end),
            memory: shared(fds.memory),
        };
        self.journals.insert(index, fds);
        Ok(())
    }

    fn handle_meta(&mut self, id: u64, session: SessionId, meta: Vec<u8>) -> Result<(), Dropped> {
        let serial =
            if self.claims(id) { self.sessions.serial(session) } else { Err(Refusal::NotClaimed) };
        match serial {
            Ok(serial) => self.sessions.set_meta(serial, meta),
            Err(reason) => self.connection(id)?.tell(FromHost::Refused { session, reason }),
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.ends = Ends::WhenEmpty;
        for serial in self.sessions.serials() {
            self.close(serial);
        }
    }

    fn claims(&self, id: u64) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.is_by(id))
    }

    fn connection(&mut self, id: u64) -> Result<&mut Connection, Dropped> {
        self.connections.get_mut(&id).ok_or(Dropped)
    }
}
