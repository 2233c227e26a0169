//! Frames of the subprotocol `hither.v1`; `docs/protocol.md` is normative.
//!
//! One WebSocket message is one frame: a type byte and a body. Hot frames (output, input) have a
//! fixed header in front of raw bytes, so they are written as header and slice without a copy; rare
//! frames are encoded into a `Vec`. Payloads are borrowed when decoding.

mod client_frame;
mod error_code;
mod event;
mod exit;
mod fields;
mod frame_error;
mod header;
mod hello;
mod json;
mod server_frame;
mod termios;
mod welcome;

pub use client_frame::ClientFrame;
pub use error_code::{ErrorCode, WireError};
pub use event::Event;
pub use exit::Exit;
pub use frame_error::FrameError;
pub use header::{
    InputHeader, OutputHeader, Prefix, SnapshotHeader, append_input_message, input_header,
    output_header, output_prefix, snapshot_header, snapshot_prefix,
};
pub use hello::{Features, Hello};
pub use server_frame::ServerFrame;
pub use termios::TermiosFlags;
pub use welcome::{SessionState, Welcome};

/// Name of the WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "hither.v1";
/// Highest offset, number, viewer id or count: what a double holds exactly.
pub const NUMBER_MAX: u64 = (1 << 53) - 1;
/// Most bytes of input in one frame.
pub const INPUT_BYTES_MAX: usize = 65_536;
/// Most bytes of output in one frame.
pub const OUTPUT_BYTES_MAX: usize = 65_536;
/// Most bytes of a snapshot, not counting the frame's header.
pub const SNAPSHOT_BYTES_MAX: usize = 1 << 20;
/// Longest `hello`, type byte included.
pub const HELLO_BYTES_MAX: usize = 4096;
/// Longest message from a client.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Longest message from a server: a snapshot with its header.
pub const SERVER_MESSAGE_BYTES_MAX: usize = SNAPSHOT_BYTES_MAX + header::SNAPSHOT_HEADER_BYTES;
/// Most fragments in one message.
pub const FRAGMENTS_MAX: u32 = 64;

/// The type byte of every frame.
mod kind {
    pub(super) const HELLO: u8 = 0x01;
    pub(super) const INPUT: u8 = 0x02;
    pub(super) const RESIZE: u8 = 0x03;
    pub(super) const ACK: u8 = 0x04;
    pub(super) const PING: u8 = 0x05;

    pub(super) const WELCOME: u8 = 0x81;
    pub(super) const OUTPUT: u8 = 0x82;
    pub(super) const SNAPSHOT: u8 = 0x83;
    pub(super) const GAP: u8 = 0x84;
    pub(super) const INPUT_ACK: u8 = 0x85;
    pub(super) const SIZE: u8 = 0x86;
    pub(super) const TERMIOS: u8 = 0x87;
    pub(super) const EVENT: u8 = 0x88;
    pub(super) const PONG: u8 = 0x89;
    pub(super) const EXIT: u8 = 0x8A;
    pub(super) const ERROR: u8 = 0x8B;
}
