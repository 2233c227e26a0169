//! Shared memory that outlives its process.

use std::fmt;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};

/// A memfd mapped read-write.
///
/// Pages are allocated when they are first touched, by a read too. The memory cannot shrink or grow (sealed), so
/// an access never raises SIGBUS. One process uses it at a time; the PTY host only keeps
/// the descriptor.
pub struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping is owned memory; nothing in it is tied to the thread that made it.
unsafe impl Send for Mapping {}

/// Makes a sealed memfd of `len` zero bytes. It costs no memory until it is written.
///
/// # Errors
/// What `memfd_create(2)`, `ftruncate(2)` or `fcntl(F_ADD_SEALS)` report.
pub fn sealed_memory(name: &str, len: u64) -> io::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::ftruncate(&fd, len)?;
    rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(fd)
}

impl Mapping {
    /// Maps the whole of a sealed memfd.
    ///
    /// # Errors
    /// `InvalidInput` when it is empty or could still shrink; else what `mmap(2)` reports.
    pub fn new(memory: impl AsFd) -> io::Result<Self> {
        let seals = rustix::fs::fcntl_get_seals(&memory)?;
        let len = usize::try_from(rustix::fs::fstat(&memory)?.st_size).unwrap_or(0);
        if !seals.contains(SealFlags::SHRINK) || len == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "expected a memfd that is not empty and sealed against shrinking",
            ));
        }
        let flags = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh mapping at an address that the kernel chooses aliases nothing.
        let start = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), len, flags, MapFlags::SHARED, &memory, 0)?
        };
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at zero"))?;
        Ok(Self { start, len })
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Always false: an empty memory is refused.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the memory.
    ///
    /// # Panics
    /// When the range does not lie inside.
    #[must_use]
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        assert!(range.start <= range.end && range.end <= self.len, "range lies inside the memory");
        // SAFETY: the range is mapped and initialised (zero or written), and `&self` excludes
        // `bytes_mut`; the words used by `word` are never part of a range handed out here.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(range.start), range.len()) }
    }

    /// Bytes of the memory, to be written.
    ///
    /// # Panics
    /// When the range does not lie inside.
    #[must_use]
    pub fn bytes_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        assert!(range.start <= range.end && range.end <= self.len, "range lies inside the memory");
        // SAFETY: as in `bytes`, and `&mut self` makes the access unique.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(range.start), range.len()) }
    }

    /// The `index`-th word of 64 bits, for values that a survivor reads after a kill.
    ///
    /// # Panics
    /// When the word does not lie inside.
    #[must_use]
    pub fn word(&self, index: usize) -> &AtomicU64 {
        assert!((index + 1) * 8 <= self.len, "word lies inside the memory");
        // SAFETY: mapped, and aligned because a mapping starts at a page.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().cast::<u64>().add(index)) }
    }

    /// Gives the pages of a range back to the kernel; they read as zero afterwards.
    ///
    /// # Errors
    /// What `madvise(2)` with MADV_REMOVE reports.
    pub fn release(&mut self, range: Range<usize>) -> io::Result<()> {
        let page = page_bytes();
        let (first, last) = (range.start.next_multiple_of(page), range.end / page * page);
        if first >= last || last > self.len {
            return Ok(());
        }
        // SAFETY: the pages lie inside the mapping and `&mut self` excludes references to them.
        unsafe {
            let start = self.start.as_ptr().add(first).cast();
            rustix::mm::madvise(start, last - first, rustix::mm::Advice::LinuxRemove)?;
        }
        Ok(())
    }
}

/// Size of a page, from the C library: rustix reads the auxiliary vector itself, and cannot read the
/// one that valgrind makes up, under which the instruction counts of the bench are taken.
fn page_bytes() -> usize {
    // SAFETY: sysconf may be called at any time.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).expect("every kernel has pages")
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what `mmap` returned, and no reference outlives `self`.
        let _unmapped = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn two_mappings_share_and_release_gives_back() {
        let fd = sealed_memory("test", 1 << 20).unwrap();
        let mut one = Mapping::new(&fd).unwrap();
        let two = Mapping::new(&fd).unwrap();
        one.word(3).store(7, Ordering::SeqCst);
        one.bytes_mut(8192..8200).copy_from_slice(b"a string");
        assert_eq!(two.word(3).load(Ordering::SeqCst), 7);
        assert_eq!(two.bytes(8192..8200), b"a string");
        assert_eq!(rustix::fs::fstat(&fd).unwrap().st_blocks, 16, "two pages are allocated");
        one.release(4096..1 << 20).unwrap();
        assert_eq!(rustix::fs::fstat(&fd).unwrap().st_blocks, 8, "one is left");
        assert_eq!(two.bytes(8192..8200), &[0; 8]);
    }

    #[test]
    fn refuses_memory_that_could_shrink() {
        let fd = rustix::fs::memfd_create("test", MemfdFlags::ALLOW_SEALING).unwrap();
        rustix::fs::ftruncate(&fd, 4096).unwrap();
        assert_eq!(Mapping::new(&fd).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    #[should_panic(expected = "range lies inside")]
    fn does_not_reach_outside() {
        let fd = sealed_memory("test", 4096).unwrap();
        let _bytes = Mapping::new(&fd).unwrap().bytes(4000..4097).len();
    }
}
