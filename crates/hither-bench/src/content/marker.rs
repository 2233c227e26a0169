//! Finds a text in a stream of chunks.

use memchr::memmem;

/// A search for one text in a stream, wherever the chunks are cut.
#[derive(Clone, Debug)]
pub struct Marker {
    finder: memmem::Finder<'static>,
    seam: Vec<u8>,
}

impl Marker {
    /// A search for `text`, which must not be empty.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let finder = memmem::Finder::new(text.as_bytes()).into_owned();
        Self { finder, seam: Vec::with_capacity(text.len() * 2) }
    }

    /// Looks through the next chunk. Gives the position in it just behind the first occurrence.
    ///
    /// The search starts afresh behind a hit: call again with the rest of the chunk.
    pub fn find(&mut self, chunk: &[u8]) -> Option<usize> {
        let keep = self.finder.needle().len() - 1;
        let carried = self.seam.len();
        self.seam.extend_from_slice(&chunk[..chunk.len().min(keep)]);
        if let Some(at) = self.finder.find(&self.seam) {
            self.seam.clear();
            return Some(at + keep + 1 - carried);
        }
        if let Some(at) = self.finder.find(chunk) {
            self.seam.clear();
            return Some(at + keep + 1);
        }
        if chunk.len() >= keep {
            self.seam.clear();
            self.seam.extend_from_slice(&chunk[chunk.len() - keep..]);
        } else {
            let excess = self.seam.len().saturating_sub(keep);
            self.seam.drain(..excess);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn starts_afresh_behind_a_hit() {
        let mut marker = Marker::new("aa");
        assert_eq!(marker.find(b"xaay"), Some(3));
        assert_eq!(marker.find(b"y"), None);
        assert_eq!(marker.find(b"a"), None);
        assert_eq!(marker.find(b"a"), Some(1));
        assert_eq!(marker.find(b"a"), None, "the byte of the last hit does not count twice");
    }

    proptest! {
        #[test]
        fn finds_it_however_the_stream_is_cut(
            before in "[ab>]{0,40}", after in "[ab>]{0,40}", cuts in prop::collection::vec(1..9_usize, 0..60)
        ) {
            let stream = format!("{before}ab>b{after}");
            let expected = stream.find("ab>b").unwrap() + 4;
            let mut marker = Marker::new("ab>b");
            let mut cuts = cuts.into_iter();
            let mut at = 0;
            let mut hit = None;
            while at < stream.len() && hit.is_none() {
                let end = (at + cuts.next().unwrap_or(100)).min(stream.len());
                hit = marker.find(&stream.as_bytes()[at..end]).map(|behind| at + behind);
                at = end;
            }
            prop_assert_eq!(hit, Some(expected));
        }
    }
}
