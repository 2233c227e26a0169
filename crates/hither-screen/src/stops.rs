//! Finding the bytes at which the scanner has to stop.

use wide::u8x16;

/// Bytes that are looked at together: one for each bit of a word.
const BLOCK: usize = 64;
const LANES: usize = 16;

/// Finds ESC, BEL and the lead byte of C1 controls in a slice, front to back.
///
/// Coloured output has such a byte every few dozen others, so that searching for each anew would
/// cost more than the bytes in between.
#[derive(Debug)]
pub(crate) struct Stops<'a> {
    bytes: &'a [u8],
    /// Index of the block that `found` is about.
    block: usize,
    /// A bit for each stop in the block.
    found: u64,
}

impl<'a> Stops<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, block: 0, found: look(bytes) }
    }

    /// Index of the first stop at or behind `at`, which must not be less than in the call before.
    #[inline]
    pub(crate) fn next(&mut self, at: usize) -> Option<usize> {
        let within = at - self.block;
        if within < BLOCK {
            self.found &= u64::MAX << within;
        } else {
            self.block = at;
            self.found = look(self.bytes.get(at..)?);
        }
        while self.found == 0 {
            self.block += BLOCK;
            self.found = look(self.bytes.get(self.block..)?);
        }
        Some(self.block + self.found.trailing_zeros() as usize)
    }
}

/// A bit for each stop in the first block of `bytes`.
#[inline]
fn look(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(block) => look_at(block),
        None => {
            let mut block = [0; BLOCK];
            block[..bytes.len()].copy_from_slice(bytes);
            look_at(&block)
        }
    }
}

#[inline]
fn look_at(block: &[u8; BLOCK]) -> u64 {
    let mut found = 0;
    for (index, lanes) in block.as_chunks::<LANES>().0.iter().enumerate() {
        let lanes = u8x16::new(*lanes);
        let stops = lanes.simd_eq(u8x16::splat(0x1b))
            | lanes.simd_eq(u8x16::splat(0x07))
            | lanes.simd_eq(u8x16::splat(0xc2));
        found |= u64::from(stops.to_bitmask()) << (index * LANES);
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is left out in between, the next stop is the next stop.
        #[test]
        fn equals_a_search(
            bytes in prop::collection::vec(
                prop_oneof![4 => any::<u8>(), 1 => Just(0x1b), 1 => Just(0x07), 1 => Just(0xc2)],
                0..300,
            ),
            sparse in any::<bool>(),
            steps in prop::collection::vec(1_usize..150, 0..40),
        ) {
            let keep = |byte: u8| if sparse && byte != 0x1b { b'x' } else { byte };
            let bytes: Vec<u8> = bytes.into_iter().map(keep).collect();
            let is_stop = |byte: &u8| matches!(byte, 0x1b | 0x07 | 0xc2);
            let mut stops = Stops::new(&bytes);
            let mut at = 0;
            for step in steps {
                let rest = bytes.get(at..).unwrap_or(&[]);
                let expect = rest.iter().position(is_stop).map(|found| at + found);
                prop_assert_eq!(stops.next(at), expect);
                at = expect.unwrap_or(at) + step;
                if expect.is_none() {
                    break;
                }
            }
        }
    }
}
