//! Messages with descriptors over a Unix SEQPACKET socket.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
    recvmsg, sendmsg,
};

use crate::RuntimeDir;
use crate::limits::MESSAGE_BYTES_MAX;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 64;

/// What one attempt to receive gave.
pub(crate) enum Received {
    /// A message of this many bytes.
    Message(usize, Vec<OwnedFd>),
    /// Nothing is there now.
    Nothing,
    /// The other side is gone.
    End,
}

fn new_socket() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
}

fn address(dir: &RuntimeDir) -> Result<SocketAddrUnix, Errno> {
    SocketAddrUnix::new(dir.within(RuntimeDir::HOST_SOCKET))
}

/// A listening socket in `dir`, in the place of one that an earlier host may have left.
pub(crate) fn listen(dir: &RuntimeDir) -> Result<OwnedFd, Errno> {
    unlink(dir)?;
    let socket = new_socket()?;
    rustix::net::bind(&socket, &address(dir)?)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// Removes the socket from `dir`; nobody can find it any more.
pub(crate) fn unlink(dir: &RuntimeDir) -> Result<(), Errno> {
    match rustix::fs::unlinkat(dir, RuntimeDir::HOST_SOCKET, rustix::fs::AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// A connection to the host of `dir`. A full backlog is waited for by nobody: it is an error.
pub(crate) fn connect(dir: &RuntimeDir) -> Result<OwnedFd, Errno> {
    let socket = new_socket()?;
    rustix::net::connect(&socket, &address(dir)?)?;
    Ok(socket)
}

pub(crate) fn accept(listener: &OwnedFd) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::accept_with(listener, flags)
}

/// Sends one message; never blocks and never raises SIGPIPE.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    fds: Option<[BorrowedFd<'_>; 3]>,
) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if let Some(fds) = &fds {
        let pushed = control.push(SendAncillaryMessage::ScmRights(fds));
        debug_assert!(pushed, "the space is made for three descriptors");
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let iov = [IoSlice::new(bytes)];
    rustix::io::retry_on_intr(|| sendmsg(socket, &iov, &mut control, flags))?;
    Ok(())
}

/// A buffer for [`receive`]: one byte longer than any message, so that none is cut unseen.
pub(crate) fn buffer() -> Vec<u8> {
    vec![0; MESSAGE_BYTES_MAX + 1]
}

/// Receives one message into `buffer`; never blocks.
///
/// # Errors
/// Besides the kernel's errors `EMSGSIZE` for a message that was cut, or whose descriptors were.
pub(crate) fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let mut attempt = || {
        rustix::io::retry_on_intr(|| {
            recvmsg(&socket, &mut [IoSliceMut::new(buffer)], &mut control, flags)
        })
    };
    let received = match attempt() {
        // The other side went without having read everything. That is told once, before what it
        // had sent, which is there all the same.
        Err(Errno::CONNRESET) => attempt(),
        received => received,
    };
    let received = match received {
        Err(Errno::AGAIN) => return Ok(Received::Nothing),
        received => received?,
    };
    // What the buffer could not hold was closed by the kernel; what it holds is closed by us when
    // `fds` is dropped.
    let fds = control.drain().flat_map(rights).collect::<Vec<_>>();
    let cut = ReturnFlags::TRUNC | ReturnFlags::CTRUNC;
    if received.flags.intersects(cut) {
        return Err(Errno::MSGSIZE.into());
    }
    match (received.bytes, fds.is_empty()) {
        (0, true) => Ok(Received::End),
        (bytes, _) => Ok(Received::Message(bytes, fds)),
    }
}

fn rights(message: RecvAncillaryMessage<'_>) -> Vec<OwnedFd> {
    if let RecvAncillaryMessage::ScmRights(fds) = message { fds.collect() } else { Vec::new() }
}
