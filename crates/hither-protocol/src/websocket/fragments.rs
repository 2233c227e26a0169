//! Fragmented messages while they arrive (RFC 6455 section 5.4).

use super::{Limits, MessageKind, ProtocolError};

/// Memory kept between fragmented messages. They are rare: a connection that sent a big one once
/// does not hold its space for ever.
const KEEP_BYTES: usize = 4096;

/// The fragments of one message that have arrived so far.
#[derive(Debug)]
pub(super) struct Fragments {
    state: State,
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Empty,
    Collecting {
        kind: MessageKind,
        frames: u32,
        /// How many bytes are known to be whole UTF-8 characters.
        utf8_len: usize,
    },
    /// The caller may still be looking at the bytes.
    Delivered,
}

impl Fragments {
    pub(super) const fn new() -> Self {
        Self { state: State::Empty, bytes: Vec::new() }
    }

    /// Forgets the message that was delivered by the last call, if one was.
    #[inline]
    pub(super) fn forget_delivered(&mut self) {
        if matches!(self.state, State::Delivered) {
            self.state = State::Empty;
            self.bytes.clear();
            self.bytes.shrink_to(KEEP_BYTES);
        }
    }

    #[inline]
    pub(super) const fn is_collecting(&self) -> bool {
        matches!(self.state, State::Collecting { .. })
    }

    /// How many bytes have been stored.
    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many bytes of memory they take.
    pub(super) const fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) const fn start(&mut self, kind: MessageKind) {
        self.state = State::Collecting { kind, frames: 0, utf8_len: 0 };
    }

    /// Checks that one more frame is within the limit, before its payload is waited for.
    pub(super) const fn check_count(&self, limits: Limits) -> Result<(), ProtocolError> {
        match self.state {
            State::Collecting { frames, .. } if frames >= limits.fragments_max => {
                Err(ProtocolError::TooManyFragments { max: limits.fragments_max })
            }
            State::Collecting { .. } | State::Empty | State::Delivered => Ok(()),
        }
    }

    /// Stores a fragment that is within the limits. Text is checked as far as it has come.
    pub(super) fn push(&mut self, payload: &[u8], limits: Limits) -> Result<(), ProtocolError> {
        self.reserve(payload.len(), limits.message_max);
        self.bytes.extend_from_slice(payload);
        if let State::Collecting { kind, frames, utf8_len } = &mut self.state {
            *frames += 1;
            if *kind == MessageKind::Text {
                *utf8_len += whole_utf8_len(&self.bytes[*utf8_len..])?;
            }
        }
        Ok(())
    }

    /// The whole message, after its last fragment.
    pub(super) fn finish(&mut self) -> Result<(MessageKind, &mut [u8]), ProtocolError> {
        let State::Collecting { kind, utf8_len, .. } = self.state else {
            return Err(ProtocolError::NothingToContinue);
        };
        self.state = State::Delivered;
        if kind == MessageKind::Text && utf8_len < self.bytes.len() {
            return Err(ProtocolError::InvalidUtf8);
        }
        Ok((kind, &mut self.bytes))
    }

    /// Grows by doubling, but not beyond the limit.
    fn reserve(&mut self, more: usize, max: usize) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let target = (self.bytes.capacity() * 2).min(max).max(needed);
            self.bytes.reserve_exact(target - self.bytes.len());
        }
    }
}

/// How many of the bytes are whole characters; what follows them may be the start of another one.
fn whole_utf8_len(bytes: &[u8]) -> Result<usize, ProtocolError> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(bytes.len()),
        Err(error) if error.error_len().is_none() => Ok(error.valid_up_to()),
        Err(_) => Err(ProtocolError::InvalidUtf8),
    }
}
