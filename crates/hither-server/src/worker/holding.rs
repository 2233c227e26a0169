//! What the gateway holds for one viewer, and how much that may be.
//!
//! A viewer is a cursor: output that it has not been sent lies in the session's history and costs it
//! nothing. What is held for it alone is one frame or snapshot that its socket did not take, the
//! small frames around it, sealed records, and the part of a message that has come. A viewer that
//! does not read keeps the first kind for ever, one that does not finish its messages the last.

use hither_protocol::websocket::CloseCode;

use super::Worker;
use super::measuring::VIEWER_BYTES;
use super::receiving::Refusal;
use super::viewer::{Phase, Viewer, ViewerKey};

/// Most bytes that are held for one viewer, apart from the header of a frame: 1 MiB. Its largest parts
/// are a snapshot (512 KiB) and a message (1 MiB), so both fit, but not both in full at once.
const VIEWER_BYTES_MAX: usize = 1 << 20;
/// The longest header of a frame (RFC 6455, section 5.2).
const FRAME_HEADER_BYTES_MAX: usize = 14;

impl Viewer {
    /// Bytes of memory that are held for it alone, and vary with what it does.
    pub(super) fn held_bytes(&self) -> usize {
        self.inbox.capacity()
            + self.outbox.held_bytes()
            + self.decoder.held_bytes()
            + self.stream.held_bytes()
    }
}

impl Worker {
    /// Sends a viewer away for which too much is held. To be called when something was put aside.
    pub(super) fn check_held(&mut self, key: ViewerKey) {
        let Some(viewer) = self.viewers.get(key) else { return };
        if viewer.phase != Phase::Open
            || viewer.held_bytes() <= VIEWER_BYTES_MAX + FRAME_HEADER_BYTES_MAX
        {
            return;
        }
        self.metrics.hit(VIEWER_BYTES);
        let reason =
            format!("unread output and unfinished message exceed {VIEWER_BYTES_MAX} bytes");
        self.refuse(key, &Refusal::new(CloseCode::TOO_BIG, reason));
    }
}

/// Appends to a message that grows: by doubling, but not beyond what may be held.
pub(super) fn append_held(inbox: &mut Vec<u8>, bytes: &[u8]) {
    let needed = inbox.len() + bytes.len();
    if needed > inbox.capacity() {
        let most = VIEWER_BYTES_MAX + FRAME_HEADER_BYTES_MAX;
        let target = (inbox.capacity() * 2).min(most).max(needed);
        inbox.reserve_exact(target - inbox.len());
    }
    inbox.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_grows_to_the_limit_and_not_beyond() {
        let mut inbox = Vec::new();
        let most = VIEWER_BYTES_MAX + FRAME_HEADER_BYTES_MAX;
        while inbox.len() < most {
            let piece = (most - inbox.len()).min(64 << 10);
            append_held(&mut inbox, &vec![7; piece]);
            assert!(inbox.capacity() <= most, "{} for {}", inbox.capacity(), inbox.len());
        }
        assert!(inbox.iter().all(|&byte| byte == 7));
    }
}
