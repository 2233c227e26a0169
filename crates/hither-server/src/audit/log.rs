//! The files of the log: `audit.jsonl`, which grows, and the full ones before it.
//!
//! The gateway and the command line may write at the same time: each batch is written under a lock
//! on the file `audit.head`, which holds the last head. A head is stored after its record is on the
//! disk, so a log that ends before its head has lost records.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};

use super::chain::{Head, RECORD_BYTES_MAX, head_of};

/// Size at which a file is full.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// Name of the file that grows.
pub(super) const CURRENT: &str = "audit.jsonl";
/// Name of the file with the last head.
pub(super) const HEAD: &str = "audit.head";
/// Bytes of the head file: room for the longest head.
const HEAD_BYTES: usize = 96;

/// The log, open for writing.
#[derive(Debug)]
pub(super) struct Log {
    dir: PathBuf,
    file: File,
    head_file: File,
    head: Head,
    len: u64,
    file_bytes_max: u64,
}

impl Log {
    /// Opens the log in a directory, or begins one.
    ///
    /// # Errors
    /// When its files are not this user's own, or cannot be read.
    pub(super) fn open(dir: &Path, file_bytes_max: u64) -> io::Result<Self> {
        let file = open_own(&dir.join(CURRENT))?;
        let head_file = open_own(&dir.join(HEAD))?;
        let (dir, head) = (dir.to_owned(), Head::start());
        let mut log = Self { dir, file, head_file, head, len: u64::MAX, file_bytes_max };
        log.locked(Self::catch_up)?;
        Ok(log)
    }

    /// Appends records, given as members, and returns when they are on the disk.
    ///
    /// # Errors
    /// When the disk refuses; what was written of them is cut off again.
    pub(super) fn append(&mut self, records: &[String]) -> io::Result<()> {
        self.locked(|log| {
            log.catch_up()?;
            let mut lines = String::new();
            let mut head = log.head.clone();
            for members in records {
                let (line, next) = head.append(members);
                lines.push_str(&line);
                head = next;
            }
            let written = log.file.write_all(lines.as_bytes()).and_then(|()| log.file.sync_data());
            if let Err(error) = written {
                log.file.set_len(log.len)?;
                return Err(error);
            }
            log.len += lines.len() as u64;
            log.head = head;
            log.store_head()
        })
    }

    fn locked<T>(&mut self, work: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        flock(&self.head_file, FlockOperation::LockExclusive)?;
        let done = work(self);
        flock(&self.head_file, FlockOperation::Unlock)?;
        done
    }

    /// Sees what another process has written, and begins a new file when this one is full.
    fn catch_up(&mut self) -> io::Result<()> {
        let path = self.dir.join(CURRENT);
        let mut now = self.file.metadata()?;
        if path.metadata().ok().map(|meta| meta.ino()) != Some(now.ino()) {
            self.file = open_own(&path)?;
            now = self.file.metadata()?;
            self.len = u64::MAX;
        }
        if now.len() != self.len {
            self.read_end(now.len())?;
        }
        if self.len >= self.file_bytes_max {
            self.turn_over()?;
        }
        Ok(())
    }

    /// Finds the last record. What a crash has left half written was never promised: it goes.
    fn read_end(&mut self, len: u64) -> io::Result<()> {
        let start = len.saturating_sub(RECORD_BYTES_MAX as u64 * 2);
        self.file.seek(SeekFrom::Start(start))?;
        let mut end = Vec::new();
        self.file.read_to_end(&mut end)?;
        let whole = end.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let torn = end.len() - whole;
        self.len = len - torn as u64;
        if torn > 0 {
            self.file.set_len(self.len)?;
        }
        let lines = String::from_utf8_lossy(&end[..whole]);
        let stored = self.stored_head()?;
        let last = lines.lines().next_back().and_then(|line| head_of(line).ok());
        self.head = match (last.map(|(head, _)| head), stored) {
            // A crash came between a record and its head.
            (Some(last), Some(stored)) if last.number > stored.number => last,
            (Some(last), None) => last,
            // The stored head is the truth: what is written next does not fit a log that was cut
            // off or rewritten, however much follows.
            (last, Some(stored)) => {
                if last.is_some_and(|last| last != stored) {
                    tracing::error!("the audit log was changed; see `hither audit verify`");
                }
                stored
            }
            (None, None) => Head::start(),
        };
        Ok(())
    }

    /// Puts a full file aside, under the number of the record that follows it.
    fn turn_over(&mut self) -> io::Result<()> {
        let name = format!("audit-{:012}.jsonl", self.head.number);
        std::fs::rename(self.dir.join(CURRENT), self.dir.join(name))?;
        self.file = open_own(&self.dir.join(CURRENT))?;
        self.len = 0;
        File::open(&self.dir)?.sync_all()
    }

    fn stored_head(&self) -> io::Result<Option<Head>> {
        read_head(&self.head_file)
    }

    fn store_head(&self) -> io::Result<()> {
        let text = format!("{:<width$}\n", self.head.to_string(), width = HEAD_BYTES - 1);
        self.head_file.write_all_at(text.as_bytes(), 0)?;
        self.head_file.sync_data()
    }
}

/// The head in a head file; none in an empty one.
pub(super) fn read_head(file: &File) -> io::Result<Option<Head>> {
    let mut bytes = [0; HEAD_BYTES];
    let len = file.read_at(&mut bytes, 0)?;
    let text = String::from_utf8_lossy(&bytes[..len]);
    let text = text.trim_end();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| io::Error::other(format!("{HEAD}: {error}")))
}

/// Opens a file for appending, or makes it with mode 0600. A link, a pipe, a file of somebody else
/// or with a second name was put there by somebody else.
fn open_own(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    // The head is written in its place; appending is for the records.
    let appends = path.ends_with(CURRENT);
    let file = OpenOptions::new()
        .read(true)
        .append(appends)
        .write(!appends)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let meta = file.metadata()?;
    let own = meta.uid() == rustix::process::geteuid().as_raw();
    if !meta.is_file() || !own || meta.nlink() != 1 || meta.mode() & 0o077 != 0 {
        let cure = format!(
            "{} must be a file of this user with mode 0600 and one name; move it away",
            path.display()
        );
        return Err(io::Error::other(cure));
    }
    Ok(file)
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
