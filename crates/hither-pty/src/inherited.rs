//! Descriptors that the program before this one, in the same process, has left open.

#![allow(unsafe_code, reason = "owning a descriptor by its number has no safe wrapper")]

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// First number that is not one of the standard three.
const FIRST: RawFd = 3;

/// Takes the descriptor `number`, which was left open across execve(2).
///
/// What this program opens itself is close-on-exec from its first moment. So a descriptor that is
/// not was inherited and has no owner yet; taking it makes it close-on-exec, so that nobody can
/// take it twice.
///
/// # Errors
/// `EBADF` when it is not open or is owned already.
pub fn take_inherited(number: RawFd) -> io::Result<OwnedFd> {
    if number < FIRST {
        return Err(rustix::io::Errno::BADF.into());
    }
    // SAFETY: the borrow ends before this function does; a number that is not open is an error of
    // the calls below and nothing else.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    if fcntl_getfd(fd)?.contains(FdFlags::CLOEXEC) {
        return Err(rustix::io::Errno::BADF.into());
    }
    fcntl_setfd(fd, FdFlags::CLOEXEC)?;
    // SAFETY: it is open, and without the flag it had no owner in this program; see above.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsRawFd, IntoRawFd};

    use super::*;

    #[test]
    fn takes_what_was_left_open_and_takes_it_once() {
        let (reader, writer) = io::pipe().unwrap();
        fcntl_setfd(&writer, FdFlags::empty()).unwrap();
        let number = OwnedFd::from(writer).into_raw_fd();
        let taken = take_inherited(number).unwrap();
        assert_eq!(taken.as_raw_fd(), number);
        assert!(fcntl_getfd(&taken).unwrap().contains(FdFlags::CLOEXEC));
        let again = take_inherited(number).unwrap_err();
        assert_eq!(again.raw_os_error(), Some(libc::EBADF));
        drop(reader);
    }

    #[test]
    fn refuses_what_is_owned_or_not_open() {
        let (reader, _writer) = io::pipe().unwrap();
        for number in [-1, 0, 2, reader.as_raw_fd(), 1 << 20] {
            let refused = take_inherited(number).unwrap_err();
            assert_eq!(refused.raw_os_error(), Some(libc::EBADF), "{number}");
        }
    }
}
