//! What a PTY host hands to a new gateway: sessions and journals, brought to where the last gateway
//! left them.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use hither_core::journal::{Intent, recover};
use hither_core::{Offset, SessionId};
use hither_host::message::{JournalFds, SessionFds, SessionState};
use hither_host::{FromHost, HostConnection};
use hither_pty::{Journal, Mapping};

use super::host_starter::{LinkError, PATIENCE};
use super::stranded::Stranded;
use crate::worker::memory::SessionMemory;
#[cfg(feature = "mutants")]
use crate::worker::mutant;

/// A session that the host has kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) state: SessionState,
    pub(super) master: OwnedFd,
    pub(super) memory: SessionMemory,
}

/// What the host tells a new gateway.
#[derive(Debug, Default)]
pub(super) struct Estate {
    pub(super) sessions: BTreeMap<SessionId, Kept>,
    /// Those that cannot be taken over.
    pub(super) stranded: Vec<Stranded>,
    /// Journals in which nothing is left.
    pub(super) journals: Vec<Journal>,
    /// Journals that hold output of stranded sessions.
    pub(super) set_aside: Vec<Journal>,
}

impl Estate {
    pub(super) fn receive(host: &mut HostConnection) -> Result<Self, LinkError> {
        let mut estate = Self::default();
        loop {
            let message = host.recv(PATIENCE)?;
            if let FromHost::Adopt { session, fds } = message {
                estate.keep(session, fds);
            } else if let FromHost::Journal { fds, .. } = message {
                estate.journals.push(journal(fds)?);
            } else if let FromHost::AdoptEnd = message {
                return Ok(estate);
            } else {
                tracing::debug!(?message, "PTY host says");
            }
        }
    }

    fn is_stranded(&self, id: SessionId) -> bool {
        self.stranded.iter().any(|stranded| stranded.state.session == id)
    }

    fn keep(&mut self, state: SessionState, fds: SessionFds) {
        let id = state.session;
        match map(&fds.memory) {
            Ok(memory) => {
                self.sessions.insert(id, Kept { master: fds.master, memory, state });
            }
            Err(reason) => self.stranded.push(Stranded { state, reason }),
        }
    }

    /// Brings every stream to where its killed reader left it.
    pub(super) fn recover(&mut self) {
        for journal in std::mem::take(&mut self.journals) {
            let named = name(&journal);
            if named.is_some_and(|id| self.is_stranded(id)) {
                self.set_aside.push(journal);
                continue;
            }
            match recover_journal(&journal, &mut self.sessions) {
                Ok(()) => self.journals.push(journal),
                Err(error) => {
                    // What is in the pipe belongs before everything that comes: whoever cannot read
                    // it must not read on.
                    tracing::error!(%error, "recovering a journal");
                    self.set_aside.push(journal);
                    if let Some(Kept { state, .. }) = named.and_then(|id| self.sessions.remove(&id))
                    {
                        let reason = format!("its last output cannot be read: {error}");
                        self.stranded.push(Stranded { state, reason });
                    }
                }
            }
        }
        for kept in self.sessions.values() {
            if kept.memory.settle_write() {
                tracing::warn!(
                    session = %kept.state.session,
                    "one write of input was in doubt and counts as done"
                );
            }
        }
    }
}

/// Maps and checks the memory of a session; else why that cannot be done.
fn map(memory: &OwnedFd) -> Result<SessionMemory, String> {
    #[cfg(feature = "mutants")]
    if mutant::chosen() == Some(mutant::Mutant::MapsNothing) {
        return Err("mapping its memory: injected".to_owned());
    }
    let mapping = Mapping::new(memory).map_err(|error| format!("mapping its memory: {error}"))?;
    SessionMemory::adopt(mapping).map_err(|error| error.to_string())
}

/// The session that a journal was used for last.
fn name(journal: &Journal) -> Option<SessionId> {
    let raw = journal.intent();
    std::str::from_utf8(&raw.session).ok().and_then(|name| name.parse().ok())
}

fn journal(fds: JournalFds<OwnedFd>) -> std::io::Result<Journal> {
    Journal::from_parts(fds.read_end, fds.write_end, fds.memory)
}

fn recover_journal(
    journal: &Journal,
    sessions: &mut BTreeMap<SessionId, Kept>,
) -> std::io::Result<()> {
    let raw = journal.intent();
    let unread = journal.unread()?;
    let Some(kept) = name(journal).and_then(|id| sessions.get_mut(&id)) else {
        // Nothing was ever read, or the session was closed meanwhile: its bytes concern nobody.
        return discard(journal, unread);
    };
    let intent =
        Intent { session: kept.state.session, head: Offset(raw.head), pending: raw.pending };
    let published = kept.memory.history().head();
    let recovery = recover(intent, published, unread).map_err(std::io::Error::other)?;
    let noted = recovery.intent;
    #[cfg(feature = "mutants")]
    let noted = noted.filter(|_| mutant::chosen() != Some(mutant::Mutant::TakesUnnoted));
    if let Some(intent) = noted {
        journal.name(&raw.session, intent.head.0);
        journal.pend(intent.pending);
    }
    kept.memory.recover_head(recovery.head);
    let mut left = recovery.unread;
    #[cfg(feature = "mutants")]
    if mutant::chosen() == Some(mutant::Mutant::SkipsUnread) {
        return discard(journal, left);
    }
    while left > 0 {
        let into = kept.memory.free_run(left);
        #[cfg(feature = "mutants")]
        let read = mutant::take(journal, into)? as u64;
        #[cfg(not(feature = "mutants"))]
        let read = journal.read(into)? as u64;
        kept.memory.advance(read);
        left -= read;
    }
    #[cfg(feature = "mutants")]
    if recovery.unread > 0 {
        mutant::die(mutant::Death::Rescued);
    }
    kept.memory.publish();
    journal.pend(0);
    Ok(())
}

fn discard(journal: &Journal, mut left: u64) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    while left > 0 {
        left = left.saturating_sub(journal.read(&mut buffer)? as u64);
    }
    journal.pend(0);
    Ok(())
}
