//! The start of a gateway: what the last one left behind is taken over, exactly where it stood.

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};

use hither_core::ExitStatus;
use hither_host::FromHost;
use hither_host::limits::JOURNALS_MAX;
use hither_host::message::Life;
use hither_pty::{Journal, Master};

use super::create::{Meta, Starting};
use super::estate::{Estate, Kept};
use super::host_journals::{duplicate, put_journals};
use super::host_link::{Heard, HostLink};
use super::host_starter::{HostStarter, LinkError};
use super::shared::Facts;
use super::{Config, Directory, Upward};
use crate::clock::Clock;
use crate::sessions::{CreateError, Resource};
use crate::worker::{Adoption, Command, Settings, WorkerHandle, answer};

impl Directory {
    /// Connects to the host, takes over its sessions and starts the workers.
    ///
    /// # Errors
    /// When there is no host to be had, another gateway serves it, or threads or descriptors are
    /// used up.
    pub(crate) fn open(
        config: Config,
        settings: Settings,
        workers: usize,
        starter: HostStarter,
    ) -> Result<Self, LinkError> {
        let mut host = starter.claim()?;
        let mut estate = Estate::receive(&mut host)?;
        estate.recover();
        let Estate { sessions, stranded, mut journals, set_aside } = estate;
        // Journals beyond the number of workers are empty now and stay with the host.
        journals.truncate(workers);
        while journals.len() < workers {
            journals.push(Journal::create()?);
        }
        // Those with output of stranded sessions are for the next gateway.
        let kept = journals.iter().chain(&set_aside).take(usize::from(JOURNALS_MAX));
        let copies: Vec<_> = kept.map(duplicate).collect::<Result<_, _>>()?;
        put_journals(&host, &copies)?;
        let link = HostLink::new(starter, host, &journals)?;
        let clock = Clock::start();
        let upward = Arc::new(Upward::new());
        let start = |(index, journal)| {
            WorkerHandle::start(index, settings, clock, journal, Arc::clone(&upward))
                .map(Mutex::new)
        };
        let directory = Self {
            config,
            clock,
            host: link,
            workers: journals.into_iter().enumerate().map(start).collect::<Result<_, _>>()?,
            trimmed_at: AtomicUsize::new(0),
            settled: AtomicBool::new(false),
            loads: (0..workers).map(|_| AtomicUsize::new(0)).collect(),
            table: Mutex::default(),
            metrics: crate::metrics::LifeMetrics::new(),
            upward,
        };
        tracing::debug_span!("adoption", sessions = sessions.len()).in_scope(|| {
            sessions.into_values().for_each(|kept| directory.adopt(kept));
            stranded.into_iter().for_each(|stranded| directory.show_stranded(stranded));
        });
        Ok(directory)
    }

    fn adopt(&self, kept: Kept) {
        let Kept { state, master, memory } = kept;
        let id = state.session;
        let exit = match state.life {
            Life::Running => None,
            Life::Exited(status) => Some(exit_status(status)),
            Life::Closing => return self.host.close(id),
        };
        let facts = Meta::facts(&state.meta, id, memory.size(), state.created_unix_ms);
        if facts.life == crate::sessions::Life::WithViewer {
            // Its viewer is gone with the last gateway.
            return self.host.close(id);
        }
        tracing::info!(session = %id, pid = state.pid, "session taken over");
        self.metrics.adopted.increment();
        let shared = self.insert(facts);
        let worker = shared.worker;
        let adoption = Adoption { shared, master: Some(Master::from(master)), memory, exit };
        self.tell(worker, Command::Adopt(Box::new(adoption)));
    }

    /// Acts on what the host says.
    pub(super) fn handle_host(&self, heard: Heard) {
        match heard {
            Heard::Lost(starting) => {
                self.metrics.host_losses.increment();
                for one in starting {
                    answer(one.reply, Err(CreateError::HostUnavailable));
                }
                for shared in self.sessions() {
                    self.handle_exited(shared.id, ExitStatus::Lost);
                }
            }
            Heard::Message(FromHost::Spawned { request, pid, fds, session }) => {
                match self.host.take_starting(request) {
                    Some(starting) => self.handle_spawned(starting, pid, fds),
                    None => self.host.close(session),
                }
            }
            Heard::Message(FromHost::SpawnFailed { request, error }) => {
                tracing::info!(%error, "program could not be started");
                self.refuse(request, |facts| spawn_failure(&error, &facts.command[0]));
            }
            Heard::Message(FromHost::SpawnRefused { request, reason }) => {
                tracing::warn!(%reason, "PTY host refused a session");
                let full = reason == hither_host::message::Refusal::TooManySessions;
                let files = CreateError::Exhausted(Resource::Files);
                self.refuse(request, |_| if full { files } else { CreateError::Failed });
            }
            Heard::Message(FromHost::Exited { session, status }) => {
                if let Some(shared) = self.lookup(session) {
                    shared.set_stranded(false);
                }
                self.handle_exited(session, exit_status(status));
            }
            // If it is listed here, somebody else has closed it.
            Heard::Message(FromHost::Closed { session }) => {
                self.end(session, "session closed");
            }
            Heard::Message(FromHost::Signalled { session }) => {
                self.host.handle_signalled(session, Ok(()));
            }
            Heard::Message(FromHost::Refused { session, reason }) => {
                tracing::debug!(%session, %reason, "PTY host refused");
                self.host.handle_signalled(session, Err(reason));
            }
            Heard::Message(message) => tracing::debug!(?message, "PTY host says"),
        }
    }

    fn refuse(&self, request: u64, why: impl FnOnce(&Facts) -> CreateError) {
        if let Some(Starting { facts, reply }) = self.host.take_starting(request) {
            answer(reply, Err(why(&facts)));
        }
    }
}

fn exit_status(status: hither_host::ExitStatus) -> ExitStatus {
    match status {
        hither_host::ExitStatus::Code(code) => ExitStatus::Code(code),
        hither_host::ExitStatus::Signal { signal, .. } => ExitStatus::Signal(signal),
        hither_host::ExitStatus::Unknown => ExitStatus::Unknown,
    }
}

fn spawn_failure(error: &hither_host::SpawnError, program: &str) -> CreateError {
    use hither_host::Stage;
    use rustix::io::Errno;
    let errno = Errno::from_raw_os_error(error.errno);
    match error.stage {
        _ if errno == Errno::MFILE || errno == Errno::NFILE => {
            CreateError::Exhausted(Resource::Files)
        }
        // posix_openpt(3): none is left; the kernel itself says ENOSPC.
        Stage::Terminal if errno == Errno::AGAIN || errno == Errno::NOSPC => {
            CreateError::Exhausted(Resource::Terminals)
        }
        Stage::Process if errno == Errno::AGAIN => CreateError::Exhausted(Resource::Processes),
        // Memory files are in a file system of the kernel's own, which may be full.
        Stage::Memory if errno == Errno::NOSPC => CreateError::Exhausted(Resource::Memory),
        _ if errno == Errno::NOMEM => CreateError::Exhausted(Resource::Memory),
        Stage::Exec => CreateError::ProgramNotFound(program.to_owned()),
        Stage::Directory => CreateError::DirectoryNotFound,
        Stage::Terminal
        | Stage::Memory
        | Stage::Process
        | Stage::Session
        | Stage::ControllingTerminal
        | Stage::Descriptors
        | Stage::Signals
        | Stage::Limits => CreateError::Failed,
    }
}

#[cfg(test)]
mod tests {
    use hither_host::{SpawnError, Stage};

    use super::*;

    #[test]
    fn what_is_used_up_is_told_from_what_is_wrong() {
        for (stage, errno, code) in [
            (Stage::Terminal, 11, "pty_limit"),
            (Stage::Terminal, 28, "pty_limit"),
            (Stage::Terminal, 24, "file_limit"),
            (Stage::Memory, 23, "file_limit"),
            (Stage::Memory, 12, "memory_limit"),
            (Stage::Memory, 28, "memory_limit"),
            (Stage::Process, 11, "process_limit"),
            (Stage::Process, 12, "memory_limit"),
            (Stage::Exec, 2, "program_not_found"),
            (Stage::Exec, 12, "memory_limit"),
            (Stage::Directory, 13, "directory_not_found"),
            (Stage::Limits, 1, "create_failed"),
        ] {
            let failure = spawn_failure(&SpawnError { stage, errno }, "htop");
            assert_eq!(failure.code(), code, "{stage} {errno}");
        }
    }
}
