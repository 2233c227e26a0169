//! Descriptors that are kept free, for when there are no others.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

/// A number of open descriptors that stand in for others.
///
/// A process that has used its descriptors up can still do what it keeps spare ones for: it gives
/// them up for a moment and takes them back afterwards.
#[derive(Debug)]
pub(crate) struct Spare {
    held: Mutex<Vec<OwnedFd>>,
    count: usize,
}

impl Spare {
    /// Holds `count` descriptors, or as many as there are.
    pub(crate) fn new(count: usize) -> Self {
        let spare = Self { held: Mutex::new(Vec::with_capacity(count)), count };
        spare.refill();
        spare
    }

    /// Does something that needs descriptors while the spare ones are given up.
    pub(crate) fn lend<T>(&self, work: impl FnOnce() -> T) -> T {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let result = work();
        self.refill();
        result
    }

    /// Whether all of them are there, after another attempt.
    pub(crate) fn refill(&self) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        while held.len() < self.count {
            match File::open("/dev/null") {
                Ok(file) => held.push(file.into()),
                Err(_) => return false,
            }
        }
        true
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
        let count = || spare.held.lock().unwrap().len();
        assert_eq!(count(), 2);
        assert_eq!(spare.lend(count), 0);
        assert_eq!(count(), 2);
        assert!(is_exhausted(&io::Error::from_raw_os_error(24)));
        assert!(!is_exhausted(&io::Error::other("another")));
    }
}
