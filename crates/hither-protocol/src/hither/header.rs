//! Headers of the hot frames, made on the stack.

use hither_core::{InputNumber, Offset, WindowSize};

use super::kind;
use crate::InlineBytes;
use crate::websocket::{Opcode, append_frame, push_header};

/// Type and offset of an `output` frame.
pub type OutputHeader = [u8; 9];
/// Type and number of an `input` frame.
pub type InputHeader = [u8; 9];
/// Type, offset and window size of a `snapshot` frame.
pub type SnapshotHeader = [u8; SNAPSHOT_HEADER_BYTES];
/// WebSocket header and frame header in one: what a server sends in front of a slice of the ring.
pub type Prefix = InlineBytes<23>;

pub(super) const SNAPSHOT_HEADER_BYTES: usize = 13;

/// What comes before the bytes of an `output` frame; `offset` is that of the first one.
#[must_use]
#[inline]
pub fn output_header(offset: Offset) -> OutputHeader {
    numbered(kind::OUTPUT, offset.0)
}

/// What comes before the bytes of an `input` frame.
#[must_use]
#[inline]
pub fn input_header(number: InputNumber) -> InputHeader {
    numbered(kind::INPUT, number.0)
}

/// What comes before the bytes of a `snapshot` frame.
#[must_use]
pub fn snapshot_header(offset: Offset, size: WindowSize) -> SnapshotHeader {
    let mut header = [0; SNAPSHOT_HEADER_BYTES];
    header[..9].copy_from_slice(&numbered(kind::SNAPSHOT, offset.0));
    header[9..11].copy_from_slice(&size.cols().to_be_bytes());
    header[11..].copy_from_slice(&size.rows().to_be_bytes());
    header
}

/// WebSocket header (a server's, unmasked) and [`output_header`] for `len` bytes of output: at most
/// 19 bytes.
#[must_use]
#[inline]
pub fn output_prefix(offset: Offset, len: usize) -> Prefix {
    prefix(&output_header(offset), len)
}

/// WebSocket header (a server's, unmasked) and [`snapshot_header`] for `len` bytes of snapshot.
#[must_use]
pub fn snapshot_prefix(offset: Offset, size: WindowSize, len: usize) -> Prefix {
    prefix(&snapshot_header(offset, size), len)
}

/// Appends a whole masked WebSocket message with one `input` frame, as a client sends it.
pub fn append_input_message(out: &mut Vec<u8>, number: InputNumber, bytes: &[u8], mask: [u8; 4]) {
    append_frame(out, Opcode::Binary, &[&input_header(number), bytes], Some(mask));
}

#[inline]
fn numbered(kind: u8, number: u64) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    [kind, a, b, c, d, e, f, g, h]
}

#[inline]
fn prefix(frame_header: &[u8], len: usize) -> Prefix {
    let mut prefix = Prefix::new();
    push_header(&mut prefix, Opcode::Binary, frame_header.len() + len, None);
    prefix.push(frame_header);
    prefix
}
