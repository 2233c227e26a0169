//! The stack on which the child runs until it executes its program.

use std::ffi::c_void;
use std::ptr;

use rustix::io::Errno;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// A private mapping with a guard page below it.
#[derive(Debug)]
pub(super) struct Stack {
    base: *mut c_void,
}

// SAFETY: the mapping belongs to the whole process, and the pointer is never given out but to a
// child that exists only during a call.
unsafe impl Send for Stack {}

impl Stack {
    /// The child's frames and the C library's take less than 4 KiB, unoptimized.
    const BYTES: usize = 32 << 10;
    /// At least a page on every machine that Linux runs on.
    const GUARD_BYTES: usize = 64 << 10;

    pub(super) fn new() -> Result<Self, Errno> {
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::STACK;
        let len = Self::GUARD_BYTES + Self::BYTES;
        // SAFETY: a null hint makes the kernel choose an address that is not in use.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), len, prot, flags)? };
        let stack = Self { base };
        // SAFETY: the range is the lower part of the mapping made above, which nobody uses yet.
        unsafe { mprotect(base, Self::GUARD_BYTES, MprotectFlags::empty())? };
        Ok(stack)
    }

    /// The lowest address that may be used, and how many bytes there are from it.
    pub(super) fn range(&self) -> (*mut c_void, usize) {
        let bottom = self.base.cast::<u8>().wrapping_add(Self::GUARD_BYTES);
        (bottom.cast(), Self::BYTES)
    }

    /// The upper end, where a stack that grows downwards starts; page-aligned.
    pub(super) fn top(&self) -> *mut c_void {
        let bytes = Self::GUARD_BYTES + Self::BYTES;
        self.base.cast::<u8>().wrapping_add(bytes).cast()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length, and no process runs on it any
        // more. It cannot fail with a range that exists; if it did, 96 KiB would stay mapped.
        unsafe { munmap(self.base, Self::GUARD_BYTES + Self::BYTES).ok() };
    }
}
