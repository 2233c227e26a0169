//! Memory that the allocator holds and nobody uses.

/// Gives pages of the heap that are free back to the kernel (malloc_trim(3)).
///
/// After a storm of connections the heap is large and mostly free, with small live pieces in
/// between, so that it does not shrink by itself. It takes in the order of 100 µs per MiB. Does nothing
/// where the C library is not glibc.
pub fn give_back_free_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim may be called at any time, from any thread.
    let _released = unsafe { libc::malloc_trim(0) };
}

/// From this size on an allocation is a mapping of its own.
#[cfg(target_env = "gnu")]
const LARGE_BYTES_MIN: libc::c_int = 4 << 20;
/// Free memory at the end of a heap that is kept for the next allocation.
#[cfg(target_env = "gnu")]
const SPARE_BYTES_MAX: libc::c_int = 2 << 20;

/// Has large allocations go back to the kernel as soon as they are freed (mallopt(3)).
///
/// Else the allocator of glibc learns from the first ones to cut all others out of a heap, where
/// those with an alignment of their own, as the 19 MiB of a password's hash, rarely fit where the
/// last ones were: a flood of logins then keeps hundreds of MiB. Does nothing where the C library
/// is not glibc.
pub fn keep_large_memory_apart() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt may be called at any time; these parameters change where memory comes from.
    let _set = unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES_MIN)
            & libc::mallopt(libc::M_TRIM_THRESHOLD, SPARE_BYTES_MAX)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resident_pages() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn free_memory_between_live_pieces_goes_back() {
        let pieces: Vec<Vec<u8>> = (0..20_000).map(|_| vec![1; 1000]).collect();
        let live: Vec<Vec<u8>> = pieces
            .into_iter()
            .enumerate()
            .filter(|(index, _)| index % 100 == 0)
            .map(|(_, p)| p)
            .collect();
        let before = resident_pages();
        give_back_free_memory();
        let after = resident_pages();
        assert!(after + 2000 < before, "{before} pages before, {after} after");
        assert_eq!(live.len(), 200);
    }
}
