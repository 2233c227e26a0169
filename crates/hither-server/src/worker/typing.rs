//! Input on its way to the PTY.
//!
//! Input is written at once. What the PTY does not take waits in the session's queue, and whoever
//! sent it is not read until it is written: back-pressure on that viewer only.

use std::os::fd::AsRawFd;

use hither_core::InputNumber;
use mio::Interest;
use mio::unix::SourceFd;
use rustix::io::Errno;
use tokio::sync::oneshot;

use super::Worker;
use super::command::answer;
use super::event_loop::session_token;
use super::memory::ClientSlot;
use super::session::Session;
use super::viewer::ViewerKey;
use crate::sessions::SessionError;

/// Input that was not written whole.
#[derive(Debug)]
pub(super) struct Pending {
    source: Source,
    bytes: Vec<u8>,
    written: usize,
}

/// Who sent input.
#[derive(Debug)]
pub(super) enum Source {
    /// A viewer whose input is numbered.
    Numbered(ViewerKey, ClientSlot, InputNumber),
    /// A viewer without numbers.
    Plain(ViewerKey),
    /// The API; it is told when all of it is written.
    Api(Option<oneshot::Sender<Result<(), SessionError>>>),
    /// The server's own answer to a query.
    Screen,
}

/// What is worth spinning for after a keystroke: its echo, and what comes right behind that, the rest
/// of the echo or the next key of a script.
const SPINS: u8 = 2;

impl Worker {
    /// Writes input behind everything that waits already. False: the queue is full and nothing was
    /// taken.
    pub(super) fn type_input(&mut self, key: usize, source: Source, bytes: &[u8]) -> bool {
        let session = &mut self.sessions[key];
        let mut pending = 0;
        if session.typing.is_empty() {
            pending = write_some(session, &source, bytes);
            self.metrics.input_bytes += pending as u64;
            self.spins = if self.settings.spin.is_zero() { 0 } else { SPINS };
            if pending == bytes.len() {
                self.finish_input(source);
                return true;
            }
        } else if self.queue_is_full(key, bytes.len()) {
            return false;
        }
        if let Source::Numbered(viewer, ..) | Source::Plain(viewer) = source {
            self.viewers[viewer].input.waiting = true;
        }
        let rest = Pending { source, bytes: bytes[pending..].to_vec(), written: 0 };
        self.sessions[key].typing.push_back(rest);
        self.await_writable(key, true);
        true
    }

    /// Whether `len` more bytes do not fit into the queue.
    pub(super) fn queue_is_full(&self, key: usize, len: usize) -> bool {
        let session = &self.sessions[key];
        !session.typing.is_empty()
            && session.queued_bytes() + len > self.settings.input_queue_bytes_max
    }

    /// The PTY takes input again.
    pub(super) fn continue_typing(&mut self, key: usize) {
        loop {
            let session = &mut self.sessions[key];
            let Some(mut front) = session.typing.pop_front() else { break };
            let written = write_some(session, &front.source, &front.bytes[front.written..]);
            front.written += written;
            self.metrics.input_bytes += written as u64;
            if front.written < front.bytes.len() {
                session.typing.push_front(front);
                return;
            }
            self.finish_input(front.source);
        }
        self.await_writable(key, false);
    }

    /// Everything that waits for a PTY that is gone is answered.
    pub(super) fn drop_typing(&mut self, key: usize) {
        for pending in std::mem::take(&mut self.sessions[key].typing) {
            match pending.source {
                Source::Api(Some(reply)) => answer(reply, Err(SessionError::Exited)),
                Source::Numbered(viewer, ..) | Source::Plain(viewer) => self.read_on(viewer),
                Source::Api(None) | Source::Screen => {}
            }
        }
    }

    fn finish_input(&mut self, source: Source) {
        match source {
            Source::Numbered(key, slot, number) => {
                let now = self.now;
                if let Some(viewer) = self.viewers.get_mut(key)
                    && viewer.input.slot.is_some_and(|held| held == slot)
                {
                    viewer.input.handle_accepted(number, now);
                    viewer.notices.input_ack = true;
                    self.read_on(key);
                }
            }
            Source::Plain(key) => self.read_on(key),
            Source::Api(Some(reply)) => answer(reply, Ok(())),
            Source::Api(None) | Source::Screen => {}
        }
    }

    /// A viewer whose input waited may be read again.
    fn read_on(&mut self, key: ViewerKey) {
        if let Some(viewer) = self.viewers.get_mut(key)
            && std::mem::take(&mut viewer.input.waiting)
        {
            self.resumed.push(key);
        }
    }

    /// Starts or stops watching whether the PTY is writable. It is watched only while input waits:
    /// each read of the program would otherwise wake the worker.
    fn await_writable(&mut self, key: usize, wanted: bool) {
        let session = &mut self.sessions[key];
        let Some(master) = &session.master else { return };
        if session.awaits_writable == wanted {
            return;
        }
        let interest =
            if wanted { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        let fd = rustix::fd::AsFd::as_fd(master).as_raw_fd();
        let token = session_token(key);
        match self.poll.registry().reregister(&mut SourceFd(&fd), token, interest) {
            Ok(()) => session.awaits_writable = wanted,
            Err(error) => tracing::error!(%error, "watching a PTY for input"),
        }
    }
}

impl Session {
    fn queued_bytes(&self) -> usize {
        self.typing.iter().map(|pending| pending.bytes.len() - pending.written).sum()
    }
}

/// Writes what the PTY takes of `bytes` and notes it in the ledger. A PTY that is gone takes
/// everything: there is nobody to read it.
fn write_some(session: &Session, source: &Source, bytes: &[u8]) -> usize {
    let Some(master) = &session.master else { return bytes.len() };
    let slot = match source {
        Source::Numbered(_, slot, _) => Some(*slot),
        Source::Plain(_) | Source::Api(_) | Source::Screen => None,
    };
    let mut written = 0;
    while written < bytes.len() {
        let rest = &bytes[written..];
        if let Some(slot) = slot {
            session.memory.begin_write(slot, rest.len(), true);
        }
        let result = master.write(rest);
        let taken = result.as_ref().copied().unwrap_or(0);
        if let Some(slot) = slot {
            session.memory.end_write(slot, taken, taken == rest.len());
        }
        match result {
            Ok(_) => written += taken,
            Err(error) if error.raw_os_error() == Some(Errno::AGAIN.raw_os_error()) => break,
            Err(error) if error.raw_os_error() == Some(Errno::INTR.raw_os_error()) => {}
            // The kernel copies what is written to memory of its own, and may have none for a moment.
            Err(error) if error.raw_os_error() == Some(Errno::NOMEM.raw_os_error()) => break,
            Err(error) => {
                tracing::debug!(%error, "writing input to a PTY that is closing");
                return bytes.len();
            }
        }
    }
    written
}
