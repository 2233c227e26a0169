//! A session's shared memory: history, checkpoint and input ledger, laid out so that the next
//! gateway finds them after a kill.
//!
//! ```text
//! 0        HISTORY             checkpoint_start(0)    + CHECKPOINT_BYTES   + CHECKPOINT_BYTES
//! | words  | history (a ring)  | checkpoint A         | checkpoint B       |
//! ```
//!
//! The history begins right behind the words, in their page: a session that has written little needs
//! no other. The checkpoints begin at a page, so that all their memory can be given back.
//!
//! A kill takes effect between two instructions, so stores become visible in program order; each
//! change is one store of one word that follows the stores it depends on.

use std::sync::atomic::Ordering::{Acquire, Release};

use hither_core::{ClientId, History, InputNumber, InvalidCapacity, Offset, ViewerId, WindowSize};
use hither_pty::Mapping;

/// Most bytes of a checkpoint: a screen of any size and about a thousand lines of scrollback.
pub(crate) const CHECKPOINT_BYTES: usize = 128 << 10;
/// How many resizes may lie between checkpoint and head.
pub(crate) const MARKS: u64 = 32;
/// How many clients' input numbers are remembered; the one silent for longest goes first.
const CLIENTS: usize = 16;

/// Where the history begins: behind the words.
const HISTORY: usize = (at::CLIENT + CLIENTS * 4) * 8;
const PAGE: usize = 4096;
/// Names this layout; sessions that were laid out otherwise cannot be taken over.
pub(crate) const LAYOUT: u64 = u64::from_be_bytes(*b"hither\0\x02");

/// Indices of words.
mod at {
    pub(super) const MAGIC: usize = 0;
    pub(super) const CAPACITY: usize = 1;
    pub(super) const HEAD: usize = 2;
    pub(super) const BIRTH_SIZE: usize = 3;
    pub(super) const ANSWERED: usize = 4;
    /// 0: none, 1: A, 2: B.
    pub(super) const CHECKPOINT: usize = 5;
    pub(super) const MARKS: usize = 6;
    pub(super) const INTENT: usize = 7;
    /// Offset, length and size of A, then of B.
    pub(super) const CHECKPOINTS: usize = 8;
    /// How many viewers have been given an id.
    pub(super) const VIEWERS: usize = 14;
    /// Accepted and partial of the client before the write that the intent is about.
    pub(super) const BEFORE: usize = 15;
    /// Offset and size, [`super::MARKS`] times.
    pub(super) const MARK: usize = 64;
    /// Client, accepted, partial, stamp, [`super::CLIENTS`] times.
    pub(super) const CLIENT: usize = 256;
}

/// The memory of one session, mapped.
#[derive(Debug)]
pub(crate) struct SessionMemory {
    mapping: Mapping,
    history: History,
}

/// A screen to start from: feed `bytes` to a fresh screen of `size`, then the history from `at` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoint<'a> {
    pub(crate) at: Offset,
    pub(crate) size: WindowSize,
    pub(crate) bytes: &'a [u8],
}

/// A memory that no gateway of this version has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidMemory {
    #[error("session memory was written by another version")]
    Magic,
    #[error("session memory has an impossible shape")]
    Shape,
}

/// Bytes of memory that a session with this history needs.
pub(crate) const fn memory_bytes(capacity: u64) -> u64 {
    (HISTORY as u64 + capacity).next_multiple_of(PAGE as u64) + 2 * CHECKPOINT_BYTES as u64
}

impl SessionMemory {
    /// Lays out the memory of a new session.
    pub(crate) fn create(
        mapping: Mapping,
        capacity: u64,
        size: WindowSize,
    ) -> Result<Self, InvalidCapacity> {
        let memory = Self { history: History::new(capacity, Offset::ZERO)?, mapping };
        memory.store(at::CAPACITY, capacity);
        memory.store(at::BIRTH_SIZE, pack(size));
        memory.store(at::MAGIC, LAYOUT);
        Ok(memory)
    }

    /// Takes over the memory of a session from a gateway that is gone.
    pub(crate) fn adopt(mapping: Mapping) -> Result<Self, InvalidMemory> {
        if mapping.len() < PAGE || mapping.word(at::MAGIC).load(Acquire) != LAYOUT {
            return Err(InvalidMemory::Magic);
        }
        let capacity = mapping.word(at::CAPACITY).load(Acquire);
        let head = Offset(mapping.word(at::HEAD).load(Acquire));
        let history = History::new(capacity, head).map_err(|_| InvalidMemory::Shape)?;
        if mapping.len() as u64 != memory_bytes(capacity) {
            return Err(InvalidMemory::Shape);
        }
        Ok(Self { mapping, history })
    }

    /// Shape of the history.
    pub(crate) const fn history(&self) -> &History {
        &self.history
    }

    /// Where the next bytes go: at most `len`, contiguous.
    pub(crate) fn free_run(&mut self, len: u64) -> &mut [u8] {
        let run = self.history.free_run(len);
        self.mapping.bytes_mut(HISTORY + run.start..HISTORY + run.end)
    }

    /// `len` bytes have been written to [`Self::free_run`].
    pub(crate) const fn advance(&mut self, len: u64) {
        self.history.advance(len);
    }

    /// Makes the head known to a survivor.
    pub(crate) fn publish(&self) {
        self.store(at::HEAD, self.history.head().0);
    }

    /// Sets the head to where a killed reader's stream really stands.
    pub(crate) fn recover_head(&mut self, head: Offset) {
        self.history =
            History::new(self.history.capacity(), head).expect("the capacity was checked");
        self.publish();
    }

    /// Takes the head back without telling a survivor: what no right reader does.
    #[cfg(feature = "mutants")]
    pub(crate) fn rewind(&mut self, head: Offset) {
        self.history =
            History::new(self.history.capacity(), head).expect("the capacity was checked");
    }

    /// The bytes `from..from + len` of the output, which the history must hold.
    pub(crate) fn output(&self, from: Offset, len: u64) -> [&[u8]; 2] {
        let spans = self.history.spans(from, len);
        [spans.first, spans.second].map(|span| {
            if span.is_empty() {
                return &[][..];
            }
            self.mapping.bytes(HISTORY + span.start..HISTORY + span.end)
        })
    }

    /// The screen to start from.
    pub(crate) fn checkpoint(&self) -> Checkpoint<'_> {
        let slot = self.load(at::CHECKPOINT);
        let Some(slot) = usize::try_from(slot).ok().and_then(|slot| slot.checked_sub(1)) else {
            let size = unpack(self.load(at::BIRTH_SIZE));
            return Checkpoint { at: Offset::ZERO, size, bytes: &[] };
        };
        let slot = slot.min(1);
        let word = at::CHECKPOINTS + slot * 3;
        let len = usize::try_from(self.load(word + 1)).unwrap_or(0).min(CHECKPOINT_BYTES);
        let start = self.checkpoint_start(slot);
        Checkpoint {
            at: Offset(self.load(word)),
            size: unpack(self.load(word + 2)),
            bytes: self.mapping.bytes(start..start + len),
        }
    }

    /// Replaces the checkpoint. Bytes beyond [`CHECKPOINT_BYTES`] are the caller's mistake.
    pub(crate) fn store_checkpoint(&mut self, at: Offset, size: WindowSize, bytes: &[u8]) {
        assert!(bytes.len() <= CHECKPOINT_BYTES, "a checkpoint fits");
        let slot = usize::from(self.load(at::CHECKPOINT) == 1);
        let start = self.checkpoint_start(slot);
        self.mapping.bytes_mut(start..start + bytes.len()).copy_from_slice(bytes);
        let word = at::CHECKPOINTS + slot * 3;
        self.store(word, at.0);
        self.store(word + 1, bytes.len() as u64);
        self.store(word + 2, pack(size));
        self.store(at::CHECKPOINT, slot as u64 + 1);
        // What the other slot and the rest of this one occupied goes back to the kernel.
        let other = self.checkpoint_start(1 - slot);
        for unused in
            [start + bytes.len()..start + CHECKPOINT_BYTES, other..other + CHECKPOINT_BYTES]
        {
            if let Err(error) = self.mapping.release(unused) {
                tracing::debug!(%error, "releasing checkpoint memory");
            }
        }
    }

    fn checkpoint_start(&self, slot: usize) -> usize {
        let capacity = usize::try_from(self.history.capacity()).expect("checked when created");
        (HISTORY + capacity).next_multiple_of(PAGE) + slot * CHECKPOINT_BYTES
    }

    /// Notes that the window has `size` from the head on. False: too many resizes since the
    /// checkpoint, make a new one first.
    pub(crate) fn mark_size(&self, size: WindowSize) -> bool {
        let count = self.load(at::MARKS);
        let last = at::MARK + slot_of(count.wrapping_sub(1)) * 2;
        if count > 0 && Offset(self.load(last)) == self.history.head() {
            self.store(last + 1, pack(size));
            return true;
        }
        if count >= MARKS {
            let oldest = at::MARK + slot_of(count - MARKS) * 2;
            if Offset(self.load(oldest)) >= self.checkpoint().at {
                return false;
            }
        }
        let word = at::MARK + slot_of(count) * 2;
        self.store(word, self.history.head().0);
        self.store(word + 1, pack(size));
        self.store(at::MARKS, count + 1);
        true
    }

    /// Resizes at or behind `from`, oldest first.
    pub(crate) fn marks(&self, from: Offset) -> impl Iterator<Item = (Offset, WindowSize)> + '_ {
        let count = self.load(at::MARKS);
        (count.saturating_sub(MARKS)..count).filter_map(move |index| {
            let word = at::MARK + slot_of(index) * 2;
            let offset = Offset(self.load(word));
            (offset >= from).then(|| (offset, unpack(self.load(word + 1))))
        })
    }

    /// The window size at the head.
    pub(crate) fn size(&self) -> WindowSize {
        match self.load(at::MARKS) {
            0 => self.checkpoint().size,
            count => unpack(self.load(at::MARK + slot_of(count - 1) * 2 + 1)),
        }
    }

    /// Queries before this offset have been answered.
    pub(crate) fn answered(&self) -> Offset {
        Offset(self.load(at::ANSWERED))
    }

    /// Queries before `offset` have been answered, or there were none.
    pub(crate) fn set_answered(&self, offset: Offset) {
        self.store(at::ANSWERED, offset.0);
    }

    /// An id that no viewer of this session has had, under this gateway or an earlier one.
    pub(crate) fn name_viewer(&self) -> ViewerId {
        let id = self.load(at::VIEWERS) + 1;
        self.store(at::VIEWERS, id);
        ViewerId(id)
    }

    /// Where the numbers of a client are kept, and how many bytes of the number behind the
    /// accepted one were written.
    pub(crate) fn client(&self, client: ClientId, stamp: u64) -> ClientSlot {
        let known = (0..CLIENTS).find(|&slot| self.load(at::CLIENT + slot * 4) == client.0);
        let slot = known.unwrap_or_else(|| {
            let slot = (0..CLIENTS)
                .min_by_key(|&slot| self.load(at::CLIENT + slot * 4 + 3))
                .expect("there are slots");
            self.store(at::CLIENT + slot * 4 + 1, 0);
            self.store(at::CLIENT + slot * 4 + 2, 0);
            self.store(at::CLIENT + slot * 4, client.0);
            slot
        });
        self.store(at::CLIENT + slot * 4 + 3, stamp);
        ClientSlot { slot, client }
    }

    /// Highest number of the client that was written whole.
    pub(crate) fn accepted(&self, slot: ClientSlot) -> InputNumber {
        if self.holds(slot) {
            InputNumber(self.load(at::CLIENT + slot.slot * 4 + 1))
        } else {
            InputNumber(0)
        }
    }

    /// Bytes of the next number that were written.
    pub(crate) fn partial(&self, slot: ClientSlot) -> usize {
        if self.holds(slot) {
            usize::try_from(self.load(at::CLIENT + slot.slot * 4 + 2)).unwrap_or(0)
        } else {
            0
        }
    }

    fn holds(&self, slot: ClientSlot) -> bool {
        self.load(at::CLIENT + slot.slot * 4) == slot.client.0
    }

    /// `len` more bytes of the client's next number are about to be written; `last`: they are its
    /// last ones.
    pub(crate) fn begin_write(&self, slot: ClientSlot, len: usize, last: bool) {
        if self.holds(slot) {
            let word = at::CLIENT + slot.slot * 4;
            self.store(at::BEFORE, self.load(word + 1));
            self.store(at::BEFORE + 1, self.load(word + 2));
            self.store(at::INTENT, intent(slot.slot, len, last));
        }
    }

    /// The write took `written` bytes; `whole`: the number is complete.
    pub(crate) fn end_write(&self, slot: ClientSlot, written: usize, whole: bool) {
        if self.holds(slot) {
            self.store(at::INTENT, intent(slot.slot, written, whole));
            self.note_write(slot.slot, written as u64, whole);
        }
        self.store(at::INTENT, 0);
    }

    /// Counts from what was there before the write, so that it can be done twice: whoever does it
    /// may be killed before the intent is cleared.
    fn note_write(&self, slot: usize, written: u64, whole: bool) {
        let word = at::CLIENT + slot * 4;
        let [accepted, partial] = [0, 1].map(|index| self.load(at::BEFORE + index));
        self.store(word + 1, accepted + u64::from(whole));
        self.store(word + 2, if whole { 0 } else { partial + written });
    }

    /// Settles a write that a killed gateway may or may not have done. It counts as done: a doubled
    /// Enter is worse than a lost one. Returns whether there was one.
    pub(crate) fn settle_write(&self) -> bool {
        let intent = self.load(at::INTENT);
        let slot = usize::try_from(intent >> 32 & 0xffff).unwrap_or(0);
        if slot == 0 || slot > CLIENTS {
            return false;
        }
        self.note_write(slot - 1, intent & 0xffff_ffff, intent >> 63 == 1);
        self.store(at::INTENT, 0);
        true
    }

    fn load(&self, word: usize) -> u64 {
        self.mapping.word(word).load(Acquire)
    }

    fn store(&self, word: usize, value: u64) {
        self.mapping.word(word).store(value, Release);
    }
}

/// Place of a client's input numbers. It may be taken from a client that is silent for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientSlot {
    slot: usize,
    client: ClientId,
}

/// A write of `len` bytes for the client in `slot`; `whole`: its number is complete with it.
fn intent(slot: usize, len: usize, whole: bool) -> u64 {
    u64::from(whole) << 63 | (slot as u64 + 1) << 32 | len as u64
}

fn slot_of(count: u64) -> usize {
    usize::try_from(count % MARKS).expect("there are few marks")
}

fn pack(size: WindowSize) -> u64 {
    u64::from(size.cols()) << 16 | u64::from(size.rows())
}

fn unpack(word: u64) -> WindowSize {
    let part = |bits: u64| u32::try_from(bits & 0xffff).expect("16 bits fit");
    WindowSize::clamped(part(word >> 16), part(word))
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
