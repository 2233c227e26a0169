//! Short byte strings that live on the stack.

use std::fmt;

/// Up to `CAPACITY` bytes (at most 255), kept in place: a header that goes in front of a payload in
/// one `writev`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InlineBytes<const CAPACITY: usize> {
    bytes: [u8; CAPACITY],
    len: u8,
}

impl<const CAPACITY: usize> InlineBytes<CAPACITY> {
    /// No bytes.
    #[must_use]
    #[inline]
    pub(crate) const fn new() -> Self {
        const { assert!(CAPACITY <= u8::MAX as usize) };
        Self { bytes: [0; CAPACITY], len: 0 }
    }

    /// Appends bytes that the caller knows to fit.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let start = usize::from(self.len);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.len += u8::try_from(bytes.len()).expect("the capacity is at most 255");
    }

    /// The bytes.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl<const CAPACITY: usize> AsRef<[u8]> for InlineBytes<CAPACITY> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<const CAPACITY: usize> fmt::Debug for InlineBytes<CAPACITY> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", self.as_bytes())
    }
}
