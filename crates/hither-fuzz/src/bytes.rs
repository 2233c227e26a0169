//! Bytes of a fuzzer as choices.

/// Takes one byte as a choice; 0 when there is none left.
pub(crate) fn choice(data: &mut &[u8]) -> u8 {
    match data.split_first() {
        Some((&first, rest)) => {
            *data = rest;
            first
        }
        None => 0,
    }
}

/// Cuts `data` into pieces of up to `size` bytes, at least one each.
pub(crate) fn pieces(data: &[u8], size: u8) -> impl Iterator<Item = &[u8]> {
    data.chunks(usize::from(size).max(1))
}

/// The same bytes as text, what is not UTF-8 replaced.
pub(crate) fn text(data: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(data)
}
