//! Descriptors that a command waits for: the keyboard, a connection.

use std::io;
use std::os::fd::AsRawFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Most that is read from the keyboard at once.
const KEYS_BYTES: usize = 16 * 1024;

/// Has the loop wait for a descriptor to be readable.
#[expect(
    deprecated,
    reason = "what replaces it is unsafe; what is watched is owned, and closed behind the watch"
)]
pub(super) fn watched<T: AsRawFd>(descriptor: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(descriptor, Interest::READABLE)
}

/// Keys, when there are some. The descriptor blocks, as the shell that runs us shares it; so it is
/// read once each time that it is readable.
pub(super) async fn read_keys(keys: &AsyncFd<io::Stdin>) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; KEYS_BYTES];
    let mut ready = keys.readable().await?;
    let len = rustix::io::read(keys.get_ref(), &mut buffer[..])?;
    if len < buffer.len() {
        ready.clear_ready();
    }
    if len == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    buffer.truncate(len);
    Ok(buffer)
}
