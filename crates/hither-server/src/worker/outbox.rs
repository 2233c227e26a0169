//! Bytes that a socket did not take yet.

/// What is written to a viewer's socket before anything else.
///
/// It fills only when the socket takes less than it is given, or with a snapshot. Its
/// owner never adds output while it is not empty, so it is bounded by one frame or snapshot and a
/// few control frames.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    start: usize,
}

/// An empty outbox gives memory beyond this back: it keeps what a ping or a pong needs, not what the
/// welcome of thousands of viewers took.
const KEPT_BYTES: usize = 64;

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Bytes of memory that it takes.
    pub(super) const fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Makes room for so many more bytes and for no others.
    pub(super) fn reserve(&mut self, len: usize) {
        self.bytes.reserve_exact(len);
    }

    pub(super) fn pending(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Where more bytes are appended.
    pub(super) const fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The socket took this many of the pending bytes.
    pub(super) fn consume(&mut self, len: usize) {
        self.start += len;
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
            if self.bytes.capacity() > KEPT_BYTES {
                self.bytes = Vec::new();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_gives_memory_back() {
        let mut outbox = Outbox::default();
        outbox.bytes_mut().extend_from_slice(&[7; 100_000]);
        outbox.consume(99_999);
        assert_eq!(outbox.pending(), [7]);
        outbox.bytes_mut().push(8);
        assert_eq!((outbox.pending(), outbox.len()), (&[7, 8][..], 2));
        outbox.consume(2);
        assert!(outbox.is_empty() && outbox.bytes.capacity() == 0);
    }
}
