//! Output from the PTY into the history: the only place that reads a PTY.

use std::sync::atomic::Ordering::Relaxed;

use hither_core::{Offset, SessionId, ShellMark};
use hither_protocol::hither::Features;
use hither_pty::Journal;
use hither_screen::{Directory, Notice, Scanner};
use rustix::io::Errno;

use super::Worker;
use super::session::{Child, Session};
use super::viewer::{Phase, Viewer};
use crate::sessions::{SessionEvent, ShellEvent, ViewerProtocol};

/// What one read of a PTY came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// There may be more.
    More,
    /// There was no more at that moment; an event tells when there is.
    Drained,
    /// A viewer that is waited for must catch up first.
    Gated,
    /// The kernel had no memory for it; a later try may have more luck.
    Failed,
    /// The PTY is closed and everything was read.
    Closed,
}

/// What a quiet session is asked for: the kernel allocates as many pages as it is asked for, and a
/// line discipline holds 4,095 bytes.
const QUIET_BYTES: usize = 4 << 10;
/// What each of several floods is asked for in a turn: typists wait for one turn.
const SHARED_BYTES: usize = 8 << 10;
/// History that is searched for a shell's marks when a session is taken over; it takes a millisecond
/// at most.
const RECALLED_BYTES: u64 = 256 << 10;
/// A read that brings less than this shows that the PTY is empty. A fuller one may have met the
/// 4,095 bytes that the line discipline holds at most, with more behind them.
const DRAINED_BELOW: usize = 2048;
/// Tries to take output out of the journal before the gateway gives up.
const JOURNAL_TRIES: u32 = 8;

impl Worker {
    /// Reads one chunk of a session's output.
    pub(super) fn read_chunk(&mut self, key: usize) -> Chunk {
        let room = self.room(key);
        if room == 0 {
            self.sessions[key].reading.gated = true;
            return Chunk::Gated;
        }
        let len = room.min(self.chunk_bytes(key)).min(self.settings.read_bytes);
        self.keep_checkpoint(key, len as u64);
        let Self { sessions, journal, now, .. } = self;
        let session = &mut sessions[key];
        match transfer(journal, session, len) {
            Ok(taken) => {
                session.reading.pace.handle_output(taken as u64, *now);
                // The end of the stream raises no second event when it comes together with data.
                let drained = taken < DRAINED_BELOW.min(len) && session.child == Child::Running;
                self.handle_output(key, taken);
                if drained { Chunk::Drained } else { Chunk::More }
            }
            Err(Errno::AGAIN) => Chunk::Drained,
            // Nothing was read, and no second event says that there is something.
            Err(Errno::INTR) => Chunk::More,
            Err(Errno::NOMEM) => Chunk::Failed,
            Err(Errno::IO) => Chunk::Closed,
            Err(error) => {
                tracing::error!(%error, "reading a PTY");
                Chunk::Closed
            }
        }
    }

    /// How much of a session's output one turn may bring.
    fn chunk_bytes(&self, key: usize) -> usize {
        if !self.sessions[key].reading.pace.is_flooding(self.now) {
            QUIET_BYTES
        } else if self.flooding.is_empty() {
            self.settings.read_bytes
        } else {
            SHARED_BYTES
        }
    }

    /// How many bytes may be read before a viewer that is waited for would lose some.
    pub(super) fn room(&self, key: usize) -> usize {
        let session = &self.sessions[key];
        let history = session.memory.history();
        session
            .viewers
            .iter()
            .map(|&viewer| &self.viewers[viewer])
            .filter(|viewer| viewer.phase == Phase::Open)
            .filter_map(|viewer| viewer.cursor.as_ref()?.patience(history))
            .min()
            .map_or(usize::MAX, |room| usize::try_from(room).unwrap_or(usize::MAX))
    }

    /// New output is in the history: who is behind, what does it mean, who has to know.
    fn handle_output(&mut self, key: usize, taken: usize) {
        let session = &mut self.sessions[key];
        self.metrics.output_bytes += taken as u64;
        self.metrics.unechoed += u64::from(session.echo_timer.handle_output(self.now));
        let tail = session.memory.history().tail();
        if tail > Offset::ZERO {
            for &viewer in &session.viewers {
                if let Some(cursor) = &mut self.viewers[viewer].cursor {
                    self.metrics.skips += u64::from(cursor.handle_overrun(tail));
                }
            }
        }
        session.shared.output_bytes.store(session.head().0, Relaxed);
        session.shared.updated_ms.store(self.clock.unix_ms(self.now), Relaxed);
        self.scan(key, taken as u64);
        if self.sessions[key].echo.is_some() {
            self.watch_echo(key);
        }
    }

    /// Programs that change whether input is echoed write something soon after; viewers that
    /// predict the echo are told.
    fn watch_echo(&mut self, key: usize) {
        let session = &mut self.sessions[key];
        let echo = session.master.as_ref().and_then(|master| master.echo_flags().ok());
        if echo.is_some() && session.echo != echo {
            session.echo = echo;
            self.notify(key, |viewer| {
                viewer.notices.termios = viewer.features.contains(Features::TERMIOS);
            });
        }
    }

    /// Looks for queries, titles and bells in the output that has just come.
    fn scan(&mut self, key: usize, taken: u64) {
        let Session { memory, scanner, .. } = &mut self.sessions[key];
        let mut from = Offset(memory.history().head().0 - taken);
        let mut found = std::mem::take(&mut self.found);
        for slice in memory.output(from, taken).into_iter().filter(|slice| !slice.is_empty()) {
            scanner.scan(slice, &mut |notice| found.push((from, notice)));
            from = from.plus(slice.len() as u64);
        }
        let mut queried = None;
        for (start, notice) in found.drain(..) {
            match notice {
                Notice::Query { kind, end } => {
                    queried = Some(start.plus(end as u64));
                    self.expect_replies(key, kind);
                }
                Notice::Title(title) => self.rename(key, title),
                Notice::Mark { mark, end } => self.handle_mark(key, mark, start.plus(end as u64)),
                Notice::Directory(directory) => self.handle_directory(key, directory),
                Notice::Bell => self.notify(key, |viewer| viewer.notices.bell = true),
            }
        }
        self.found = found;
        match queried {
            Some(end) => self.answer(key, end),
            None => {
                let session = &self.sessions[key];
                if session.asked.is_none() {
                    session.memory.set_answered(session.head());
                }
            }
        }
    }

    /// A viewer whose terminal also answers this query will send an answer that nobody asked for.
    fn expect_replies(&mut self, key: usize, kind: hither_screen::QueryKind) {
        let now = self.clock.instant(self.now);
        let kind = super::codec::reply_kind(kind);
        self.sessions[key].queries_seen = true;
        self.notify(key, |viewer| {
            if viewer.protocol != ViewerProtocol::Hither {
                viewer.replies.handle_answered(kind, 1, now);
            }
        });
    }

    fn rename(&mut self, key: usize, title: String) {
        let session = &self.sessions[key];
        if session.shared.set_program_title(&title) {
            let event = SessionEvent::Title(session.shared.id, title);
            self.upward.publish(event);
            self.notify(key, |viewer| viewer.notices.title = true);
        }
    }

    /// The shell has marked a place in its output: those who want to know are told.
    fn handle_mark(&self, key: usize, mark: ShellMark, at: Offset) {
        let shared = &self.sessions[key].shared;
        shared.handle_mark(mark, at);
        let event = match mark {
            ShellMark::Prompt => return,
            ShellMark::Input => ShellEvent::Prompt,
            ShellMark::Output => ShellEvent::CommandStart,
            ShellMark::End(code) => ShellEvent::CommandEnd(code),
        };
        self.upward.publish(SessionEvent::Shell(shared.id, event, at));
    }

    /// The shell has said which directory it is in. That of another machine is of no use here.
    fn handle_directory(&self, key: usize, directory: Directory) {
        let shared = &self.sessions[key].shared;
        if is_this_machine(&directory.host) && shared.set_directory(&directory.path) {
            self.upward.publish(SessionEvent::Directory(shared.id, directory.path));
        }
    }

    /// Finds the last marks and the directory of a shell in the history that another gateway left.
    pub(super) fn recall_marks(&self, key: usize) {
        let Session { memory, shared, .. } = &self.sessions[key];
        let head = memory.history().head();
        let mut from = memory.history().tail().max(Offset(head.0.saturating_sub(RECALLED_BYTES)));
        let mut scanner = Scanner::new();
        for slice in memory.output(from, head.since(from)) {
            scanner.scan(slice, &mut |notice| match notice {
                Notice::Mark { mark, end } => shared.handle_mark(mark, from.plus(end as u64)),
                Notice::Directory(directory) if is_this_machine(&directory.host) => {
                    shared.set_directory(&directory.path);
                }
                Notice::Directory(_) | Notice::Query { .. } | Notice::Title(_) | Notice::Bell => {}
            });
            from = from.plus(slice.len() as u64);
        }
    }

    /// Somebody has given the session another title.
    pub(super) fn handle_renamed(&mut self, id: SessionId) {
        if let Some(&index) = self.names.get(&id) {
            self.notify(index, |viewer| viewer.notices.title = true);
            self.announce(index);
        }
    }

    /// Does something to every viewer of a session.
    pub(super) fn notify(&mut self, key: usize, mut tell: impl FnMut(&mut Viewer)) {
        for &viewer in &self.sessions[key].viewers {
            tell(&mut self.viewers[viewer]);
        }
    }
}

/// Whether a shell that says it runs on `host` runs here.
fn is_this_machine(host: &str) -> bool {
    let is_own = |name: &std::ffi::CStr| name.to_bytes() == host.as_bytes();
    host.is_empty() || host == "localhost" || is_own(rustix::system::uname().nodename())
}

/// Moves at most `len` bytes from the PTY into the history, so that a kill at any moment loses and
/// doubles nothing. The steps are those of `hither_core::journal`.
fn transfer(journal: &Journal, session: &mut Session, len: usize) -> Result<usize, Errno> {
    #[cfg(feature = "mutants")]
    if let Some(result) = super::mutant::transfer(journal, session, len) {
        return result;
    }
    let master = session.master.as_ref().ok_or(Errno::IO)?;
    let memory = &mut session.memory;
    journal.name(session.shared.id.as_bytes(), memory.history().head().0);
    let taken = journal.splice_from(master, len.min(Journal::SPLICE_MAX))?;
    if taken == 0 {
        return Err(Errno::IO);
    }
    #[cfg(feature = "mutants")]
    super::mutant::die(super::mutant::Death::Spliced);
    journal.pend(taken as u64);
    let mut left = taken as u64;
    while left > 0 {
        let read = take(journal, memory.free_run(left)) as u64;
        memory.advance(read);
        left -= read;
    }
    memory.publish();
    journal.pend(0);
    Ok(taken)
}

/// Takes bytes out of the journal. What stayed there would be taken for output of the next session
/// that is read, so a gateway that cannot take it ends: the journal tells the next one whose it is.
fn take(journal: &Journal, into: &mut [u8]) -> usize {
    for _ in 0..JOURNAL_TRIES {
        #[cfg(feature = "mutants")]
        let result = super::mutant::take(journal, into);
        #[cfg(not(feature = "mutants"))]
        let result = journal.read(into);
        match result {
            Ok(read) => return read,
            Err(error) => {
                tracing::error!(%error, "output in the journal cannot be taken");
                std::thread::yield_now();
            }
        }
    }
    tracing::error!("the gateway ends, sessions live on: start it again");
    std::process::abort();
}
