//! Writing without a gateway, or beside one.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::log::{FILE_BYTES_MAX, Log};
use super::record::members;
use super::{Actor, Event};

/// Writes to the log of a directory by itself, as the command line does. A gateway may write at the
/// same time: the lock of the log puts their records one behind the other.
#[derive(Debug)]
pub struct Direct(Log);

impl Direct {
    /// Opens the log of a directory, or begins one.
    ///
    /// # Errors
    /// When its files are not this user's own, or cannot be read; the text names the file and the cure.
    pub fn open(dir: &Path) -> io::Result<Self> {
        Log::open(dir, FILE_BYTES_MAX).map(Self)
    }

    /// Takes down what is about to be done, or was done a moment ago, and returns when it is on the
    /// disk.
    ///
    /// # Errors
    /// When the disk refuses. It is not to be done then, even where the log has it: the disk may have
    /// refused only to note the new head.
    pub fn record(&mut self, actor: &Actor, event: &Event) -> io::Result<()> {
        self.0.append(&[members(SystemTime::now(), actor, event)])
    }
}
