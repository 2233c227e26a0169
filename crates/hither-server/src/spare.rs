//! Descriptors that are kept free, for when there are no others.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A number of open descriptors that stand in for others.
///
/// A process that has used its descriptors up can still do what it keeps spare ones for: it gives
/// them up for a moment and takes them back afterwards.
#[derive(Debug)]
pub(crate) struct Spare {
    held: Mutex<Held>,
    count: usize,
}

#[derive(Debug, Default)]
struct Held {
    /// Never given up: to duplicate it costs a fraction of what opening a file does.
    source: Option<OwnedFd>,
    spare: Vec<OwnedFd>,
}

impl Spare {
    /// Holds `count` descriptors, or as many as there are.
    pub(crate) fn new(count: usize) -> Self {
        let spare = Self { held: Mutex::default(), count };
        spare.refill();
        spare
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something that needs descriptors while the spare ones are given up.
    pub(crate) fn lend<T>(&self, work: impl FnOnce() -> T) -> T {
        self.held().spare.clear();
        let result = work();
        self.refill();
        result
    }

    /// Whether all of them are there, after another attempt.
    pub(crate) fn refill(&self) -> bool {
        self.held().refill(self.count).is_ok()
    }
}

impl Held {
    fn refill(&mut self, count: usize) -> io::Result<()> {
        while self.spare.len() < count {
            let another = match &self.source {
                Some(source) => source.try_clone()?,
                None => File::open("/dev/null")?.into(),
            };
            if self.source.is_none() {
                self.source = Some(another);
            } else {
                self.spare.push(another);
            }
        }
        Ok(())
    }
}

/// Whether an error says that descriptors are used up, of this process or of the whole machine.
pub(crate) fn is_exhausted(error: &io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    errno
        .is_some_and(|errno| errno == rustix::io::Errno::MFILE || errno == rustix::io::Errno::NFILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lends_and_takes_back() {
        let spare = Spare::new(2);
        let count = || spare.held().spare.len();
        assert_eq!(count(), 2);
        assert_eq!(spare.lend(count), 0);
        assert_eq!(count(), 2);
        assert!(is_exhausted(&io::Error::from_raw_os_error(24)));
        assert!(!is_exhausted(&io::Error::other("another")));
    }
}
