//! Messages between gateway and PTY host.

use hither_host::wire::{decode_from_host, decode_to_host, encode_from_host, encode_to_host};

use crate::bytes::choice;

/// Descriptors that came with a message: none or three, as far as the kernel is concerned any number.
fn descriptors(data: &mut &[u8]) -> Vec<u8> {
    (0..choice(data) % 5).collect()
}

/// Each message has one form.
pub(crate) fn to_host(mut data: &[u8]) {
    let fds = descriptors(&mut data);
    if let Ok(message) = decode_to_host(data, fds.clone()) {
        let (bytes, carried) = encode_to_host(&message).expect("what was read can be written");
        assert_eq!((bytes.as_slice(), carried.map_or(0, |fds| fds.len())), (data, fds.len()));
    }
}

/// Each message has one form.
pub(crate) fn from_host(mut data: &[u8]) {
    let fds = descriptors(&mut data);
    if let Ok(message) = decode_from_host(data, fds.clone()) {
        let (bytes, carried) = encode_from_host(&message).expect("what was read can be written");
        assert_eq!((bytes.as_slice(), carried.map_or(0, |fds| fds.len())), (data, fds.len()));
    }
}
