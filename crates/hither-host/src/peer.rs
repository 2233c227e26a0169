//! Who is at the other end of a connection, as the kernel knows it.

#![allow(
    unsafe_code,
    reason = "rustix has no SO_PEERPIDFD, and its SO_PEERCRED assumes that the process is visible"
)]

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use hither_pty::{Pid, PidFd};

/// The process that connected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) uid: u32,
    /// `None` when it lives in another PID namespace.
    pub(crate) pid: Option<Pid>,
}

impl Peer {
    /// The process that called connect(2) at the other end.
    pub(crate) fn of(socket: BorrowedFd<'_>) -> io::Result<Self> {
        // SAFETY: SO_PEERCRED fills a `struct ucred`.
        let credentials: libc::ucred = unsafe { option(socket, libc::SO_PEERCRED)? };
        Ok(Self { uid: credentials.uid, pid: Pid::from_raw(credentials.pid.max(0)) })
    }

    /// A handle of that very process.
    ///
    /// Linux 6.5 and later give the one that connected; on earlier ones it is the process that has
    /// its number now, which is another only if it ended and the number was given anew meanwhile.
    pub(crate) fn pidfd(self, socket: BorrowedFd<'_>) -> io::Result<PidFd> {
        // SAFETY: SO_PEERPIDFD fills an int.
        match unsafe { option::<c_int>(socket, libc::SO_PEERPIDFD) } {
            // SAFETY: the kernel has made this descriptor for us.
            Ok(fd) => Ok(PidFd::from(unsafe { OwnedFd::from_raw_fd(fd) })),
            Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => {
                let pid = self.pid.ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))?;
                PidFd::open(pid)
            }
            Err(error) => Err(error),
        }
    }
}

/// Reads a socket option.
///
/// # Safety
/// The option must be one that fills a `T` completely, and any bytes it fills in must be a `T`.
unsafe fn option<T>(socket: BorrowedFd<'_>, name: c_int) -> io::Result<T> {
    let mut value = MaybeUninit::<T>::uninit();
    let mut len = libc::socklen_t::try_from(size_of::<T>()).expect("an option is a few bytes");
    // SAFETY: `value` holds `len` bytes.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            value.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    assert_eq!(len as usize, size_of::<T>(), "the kernel filled all of it");
    // SAFETY: the kernel has filled all of it, and the caller vouches for the type.
    Ok(unsafe { value.assume_init() })
}
