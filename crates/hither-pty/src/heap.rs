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
