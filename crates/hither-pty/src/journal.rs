//! The pipe and the words through which a reader of PTYs can be killed without losing a byte.
//!
//! The order of the steps and what a survivor makes of them is decided in `hither_core::journal`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering::SeqCst;

use rustix::pipe::{PipeFlags, SpliceFlags};

use crate::mapping::{Mapping, sealed_memory};

/// One reader's journal: a pipe between PTY and history, and the intent in shared memory.
#[derive(Debug)]
pub struct Journal {
    pipe_read: OwnedFd,
    pipe_write: OwnedFd,
    memory: OwnedFd,
    words: Mapping,
}

/// The intent as it stands in shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawIntent {
    /// Name of the session.
    pub session: [u8; 16],
    /// Its head before the read.
    pub head: u64,
    /// Bytes that may have left the pipe.
    pub pending: u64,
}

const SESSION: [usize; 2] = [0, 1];
const HEAD: usize = 2;
const PENDING: usize = 3;
const LEN: u64 = 4096;

impl Journal {
    /// Most bytes that one splice can bring: the default capacity of a pipe (pipe(7)).
    pub const SPLICE_MAX: usize = 1 << 16;

    /// A new, empty journal.
    ///
    /// # Errors
    /// When descriptors or memory are used up.
    pub fn create() -> io::Result<Self> {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Self::from_parts(read, write, sealed_memory("hither-journal", LEN)?)
    }

    /// The journal of a reader that is gone, from its descriptors: read end, write end, memory.
    ///
    /// # Errors
    /// When the memory is not that of a journal.
    pub fn from_parts(read: OwnedFd, write: OwnedFd, memory: OwnedFd) -> io::Result<Self> {
        let words = Mapping::new(&memory)?;
        Ok(Self { pipe_read: read, pipe_write: write, memory, words })
    }

    /// Read end, write end and memory, to be kept by the PTY host.
    #[must_use]
    pub fn parts(&self) -> [BorrowedFd<'_>; 3] {
        [self.pipe_read.as_fd(), self.pipe_write.as_fd(), self.memory.as_fd()]
    }

    /// Step 1: names the session whose output comes next, and its head.
    #[inline]
    pub fn name(&self, session: &[u8; 16], head: u64) {
        let (low, high) = session.split_at(8);
        for (word, half) in SESSION.into_iter().zip([low, high]) {
            let half = u64::from_ne_bytes(half.try_into().expect("a half has eight bytes"));
            self.words.word(word).store(half, SeqCst);
        }
        self.words.word(HEAD).store(head, SeqCst);
    }

    /// Step 2: moves at most `len` bytes of output from a PTY into the pipe.
    ///
    /// # Errors
    /// `WouldBlock` when there is none, EIO when the other side of the PTY is closed and drained.
    #[inline]
    pub fn splice_from(&self, master: impl AsFd, len: usize) -> rustix::io::Result<usize> {
        rustix::pipe::splice(master, None, &self.pipe_write, None, len, SpliceFlags::NONBLOCK)
    }

    /// Steps 3 and 5: stores how many bytes may leave the pipe from here on; 0 when all have.
    #[inline]
    pub fn pend(&self, pending: u64) {
        self.words.word(PENDING).store(pending, SeqCst);
    }

    /// Step 4: takes bytes out of the pipe.
    ///
    /// # Errors
    /// `WouldBlock` when it is empty.
    #[inline]
    pub fn read(&self, into: &mut [u8]) -> rustix::io::Result<usize> {
        rustix::io::retry_on_intr(|| rustix::io::read(&self.pipe_read, &mut *into))
    }

    /// Bytes in the pipe (FIONREAD, ioctl_pipe(2)).
    ///
    /// # Errors
    /// None that a pipe is known to give.
    pub fn unread(&self) -> rustix::io::Result<u64> {
        rustix::io::ioctl_fionread(&self.pipe_read)
    }

    /// What the journal says.
    #[must_use]
    pub fn intent(&self) -> RawIntent {
        let mut session = [0; 16];
        for (half, word) in session.chunks_exact_mut(8).zip(SESSION) {
            half.copy_from_slice(&self.words.word(word).load(SeqCst).to_ne_bytes());
        }
        RawIntent {
            session,
            head: self.words.word(HEAD).load(SeqCst),
            pending: self.words.word(PENDING).load(SeqCst),
        }
    }
}
