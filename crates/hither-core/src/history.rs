//! Ring arithmetic: where the bytes of an offset lie in a bounded history.

use std::ops::Range;

use crate::Offset;

/// Shape of a history: which offsets it still holds and where they lie in its memory.
///
/// The byte of offset `o` lies at index `o mod capacity`. The history holds the last `capacity`
/// bytes before its head; older ones are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    capacity: u64,
    head: Offset,
}

/// A capacity that is not a power of two between [`History::CAPACITY_MIN`] and
/// [`History::CAPACITY_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("history of {0} bytes is not a power of two from 65536 to 67108864")]
pub struct InvalidCapacity(pub u64);

/// Up to two index ranges that together hold one run of offsets: the second is empty unless the
/// run crosses the end of the memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// The first part.
    pub first: Range<usize>,
    /// The part that begins at index 0.
    pub second: Range<usize>,
}

impl History {
    /// Smallest capacity: 64 KiB, one full frame.
    pub const CAPACITY_MIN: u64 = 1 << 16;
    /// Largest capacity: 64 MiB.
    pub const CAPACITY_MAX: u64 = 1 << 26;
    /// Capacity unless configured otherwise: 1 MiB.
    pub const CAPACITY_DEFAULT: u64 = 1 << 20;

    /// A history of `capacity` bytes that ends at `head`.
    ///
    /// # Errors
    /// When the capacity is not a power of two within the limits.
    pub fn new(capacity: u64, head: Offset) -> Result<Self, InvalidCapacity> {
        if capacity.is_power_of_two()
            && (Self::CAPACITY_MIN..=Self::CAPACITY_MAX).contains(&capacity)
        {
            Ok(Self { capacity, head })
        } else {
            Err(InvalidCapacity(capacity))
        }
    }

    /// Bytes that it can hold.
    #[must_use]
    pub const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// The offset behind the last byte.
    #[must_use]
    pub const fn head(&self) -> Offset {
        self.head
    }

    /// The oldest offset still held.
    #[must_use]
    pub const fn tail(&self) -> Offset {
        Offset(self.head.0.saturating_sub(self.capacity))
    }

    /// Whether output can continue at `offset`: it is held, or it is the head.
    #[must_use]
    pub fn reaches(&self, offset: Offset) -> bool {
        (self.tail()..=self.head).contains(&offset)
    }

    /// How many more bytes may be appended before the byte at `kept` is overwritten.
    #[must_use]
    pub const fn room_before(&self, kept: Offset) -> u64 {
        (kept.0 + self.capacity).saturating_sub(self.head.0)
    }

    /// Moves the head forward by `len` bytes that have been written at [`Self::free_run`].
    pub const fn advance(&mut self, len: u64) {
        self.head = self.head.plus(len);
    }

    /// The contiguous indices behind the head, at most `len` of them: where the next bytes go.
    #[must_use]
    pub fn free_run(&self, len: u64) -> Range<usize> {
        let start = self.index(self.head);
        start..start + index(len.min(self.capacity - start as u64))
    }

    /// Where the bytes `from..from + len` lie.
    ///
    /// The caller asks only for bytes that are held; this is checked in debug builds.
    #[must_use]
    pub fn spans(&self, from: Offset, len: u64) -> Spans {
        debug_assert!(from >= self.tail() && from.0 + len <= self.head.0);
        let start = self.index(from);
        let first = len.min(self.capacity - start as u64);
        Spans { first: start..start + index(first), second: 0..index(len - first) }
    }

    fn index(&self, offset: Offset) -> usize {
        index(offset.0 & (self.capacity - 1))
    }
}

/// Capacities are at most 64 MiB, so every index fits.
fn index(value: u64) -> usize {
    usize::try_from(value).expect("an index is below the largest capacity")
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // small numbers
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A ring that is written and read by this arithmetic holds what a plain vector holds.
        #[test]
        fn equals_a_vector(writes in prop::collection::vec(0_u64..50_000, 0..20), start in 0_u64..200_000) {
            let mut history = History::new(History::CAPACITY_MIN, Offset(start)).unwrap();
            let mut memory = vec![0_u8; 1 << 16];
            let mut model: Vec<u8> = Vec::new();
            for len in writes {
                let mut left = len;
                while left > 0 {
                    let run = history.free_run(left);
                    for slot in &mut memory[run.clone()] {
                        let byte = (model.len() % 251) as u8;
                        *slot = byte;
                        model.push(byte);
                    }
                    history.advance(run.len() as u64);
                    left -= run.len() as u64;
                }
            }
            let held = (model.len() as u64).min(history.capacity());
            let from = Offset(history.head().0 - held);
            prop_assert!(history.reaches(from));
            let spans = history.spans(from, held);
            let mut read = memory[spans.first].to_vec();
            read.extend_from_slice(&memory[spans.second]);
            prop_assert_eq!(&read[..], &model[model.len() - held as usize..]);
        }

        /// Near the end of all offsets, and with any capacity, what is asked for lies where it was
        /// written: two runs that together have its length, in memory, each byte of its own.
        #[test]
        fn spans_hold_each_offset_once_at_any_place(
            power in 16_u32..=26,
            head in prop_oneof![0_u64..1 << 28, (1 << 53) - (1 << 28)..1_u64 << 53, u64::MAX - (1 << 28)..u64::MAX],
            back in 0_u64..1 << 27,
            part in 0_u64..=1000,
        ) {
            let history = History::new(1 << power, Offset(head)).unwrap();
            let capacity = history.capacity();
            let held = history.head().since(history.tail());
            prop_assert_eq!(held, head.min(capacity));
            let back = back.min(held);
            let from = Offset(head - back);
            let len = back * part / 1000;
            let spans = history.spans(from, len);
            prop_assert_eq!((spans.first.len() + spans.second.len()) as u64, len);
            prop_assert!(spans.first.end as u64 <= capacity);
            prop_assert_eq!(spans.second.start, 0);
            prop_assert!(spans.second.is_empty() || spans.first.end as u64 == capacity);
            prop_assert!(spans.second.end <= spans.first.start);
            // The byte before the head lies just before the place of the next one.
            let next = history.free_run(1).start as u64;
            let last = history.spans(Offset(head - back.min(1)), back.min(1)).first;
            prop_assert_eq!((last.start as u64 + back.min(1)) % capacity, next);
            for offset in [history.tail(), from, history.head()] {
                prop_assert!(history.reaches(offset));
            }
            if history.tail() > Offset::ZERO {
                prop_assert!(!history.reaches(Offset(history.tail().0 - 1)));
            }
        }

        #[test]
        fn room_is_what_may_be_written_before_a_byte_is_lost(head in 0_u64..1_000_000, back in 0_u64..65_536) {
            let mut history = History::new(History::CAPACITY_MIN, Offset(head)).unwrap();
            let kept = Offset(head.saturating_sub(back));
            let room = history.room_before(kept);
            history.advance(room);
            prop_assert!(history.reaches(kept));
            history.advance(1);
            prop_assert!(!history.reaches(kept));
        }
    }

    #[test]
    fn refuses_odd_capacities() {
        for bytes in [0, 1, 65_535, 65_537, 100_000, 1 << 27] {
            assert_eq!(History::new(bytes, Offset::ZERO), Err(InvalidCapacity(bytes)));
        }
    }
}
