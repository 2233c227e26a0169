//! What a program in a session notes about itself, in a file that nothing under test touches.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The account of a writer: what the kernel took of its output, and how far it may go on.
///
/// Four words in a file: bytes written, calls of `write`, whether it has ended, the limit.
#[derive(Debug)]
pub struct Account(File);

/// What an account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes that the kernel took, by the return values of all calls of `write`.
    pub bytes: u64,
    /// Calls of `write` that took something.
    pub calls: u64,
    /// The program has written its last byte.
    pub ended: bool,
}

const BYTES: u64 = 0;
const CALLS: u64 = 8;
const ENDED: u64 = 16;
const LIMIT: u64 = 24;

impl Account {
    /// A fresh account with a limit in bytes.
    ///
    /// # Errors
    /// What the file system says.
    pub fn create(path: &Path, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        let account = Self(file);
        for (word, value) in [(BYTES, 0), (CALLS, 0), (ENDED, 0), (LIMIT, limit)] {
            account.store(word, value)?;
        }
        Ok(account)
    }

    /// The account at `path`.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().read(true).write(true).open(path).map(Self)
    }

    /// What the program has written so far.
    ///
    /// # Errors
    /// What the file system says.
    pub fn written(&self) -> io::Result<Written> {
        let ended = self.load(ENDED)? != 0;
        Ok(Written { bytes: self.load(BYTES)?, calls: self.load(CALLS)?, ended })
    }

    /// Tells the program to write no more than `bytes` in all: 0 makes it end after what it is
    /// writing.
    ///
    /// # Errors
    /// What the file system says.
    pub fn limit(&self, bytes: u64) -> io::Result<()> {
        self.store(LIMIT, bytes)
    }

    pub(crate) fn limited_to(&self) -> io::Result<u64> {
        self.load(LIMIT)
    }

    pub(crate) fn note(&self, written: Written) -> io::Result<()> {
        self.store(BYTES, written.bytes)?;
        self.store(CALLS, written.calls)?;
        self.store(ENDED, written.ended.into())
    }

    fn load(&self, word: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, word)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn store(&self, word: u64, value: u64) -> io::Result<()> {
        self.0.write_all_at(&value.to_le_bytes(), word)
    }
}
