//! Bytes on the socket ↔ bytes of the terminal.

use hither_protocol::websocket::{Control, Decoder, Limits, Opcode, Side, Step, encode_header};

use super::FloorMode;
use super::http::{Upgrade, answer};

/// Room in front of the PTY's bytes, for a WebSocket header and ttyd's type byte.
pub(super) const HEADROOM: usize = 16;
const LIMITS: Limits = Limits { message_max: 1 << 20, fragments_max: 64 };

/// How a socket is spoken to.
#[derive(Debug)]
pub(super) enum Wire {
    /// The bytes as they are.
    Raw,
    /// The request is not whole yet.
    Handshake,
    /// ttyd's protocol.
    WebSocket(Decoder),
}

/// What bytes from the socket meant.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// For the terminal.
    pub(super) input: Vec<u8>,
    /// For the socket.
    pub(super) reply: Vec<u8>,
    /// The client wants its session now.
    pub(super) starts: bool,
    /// The connection is over.
    pub(super) ends: bool,
}

impl Wire {
    pub(super) const fn new(mode: FloorMode) -> Self {
        match mode {
            FloorMode::Raw => Self::Raw,
            FloorMode::WebSocket | FloorMode::Http => Self::Handshake,
        }
    }

    /// Reads `bytes`; gives how many of them were used up. `into` is emptied first.
    pub(super) fn receive(&mut self, bytes: &mut [u8], into: &mut Received) -> usize {
        into.input.clear();
        into.reply.clear();
        (into.starts, into.ends) = (false, false);
        match self {
            Self::Raw => {
                into.input.extend_from_slice(bytes);
                bytes.len()
            }
            Self::Handshake => self.upgrade(bytes, into),
            Self::WebSocket(decoder) => receive_frames(decoder, bytes, into),
        }
    }

    /// Puts the header in front of `len` bytes that start at [`HEADROOM`]; gives where it starts.
    pub(super) fn frame(&self, buffer: &mut [u8], len: usize) -> usize {
        if matches!(self, Self::Raw) {
            return HEADROOM;
        }
        let header = encode_header(Opcode::Binary, len + 1, None);
        let header = header.as_bytes();
        let start = HEADROOM - 1 - header.len();
        buffer[start..HEADROOM - 1].copy_from_slice(header);
        buffer[HEADROOM - 1] = b'0';
        start
    }

    /// What is sent when the session has ended.
    pub(super) const fn farewell(&self) -> &'static [u8] {
        match self {
            Self::WebSocket(_) => &[0x88, 2, 0x03, 0xe8],
            Self::Raw | Self::Handshake => &[],
        }
    }

    fn upgrade(&mut self, bytes: &mut [u8], into: &mut Received) -> usize {
        match answer(bytes) {
            Upgrade::Unfinished => 0,
            Upgrade::Refuse(head) => {
                into.reply.extend_from_slice(head.as_bytes());
                into.ends = true;
                bytes.len()
            }
            Upgrade::Accept(head, length) => {
                into.reply.extend_from_slice(head.as_bytes());
                let mut decoder = Decoder::new(Side::Server, LIMITS);
                let used = receive_frames(&mut decoder, &mut bytes[length..], into);
                *self = Self::WebSocket(decoder);
                length + used
            }
        }
    }
}

fn receive_frames(decoder: &mut Decoder, bytes: &mut [u8], into: &mut Received) -> usize {
    let mut used = 0;
    loop {
        let step = decoder.next(&mut bytes[used..]);
        match step {
            Ok(Step::Need(_)) => return used,
            Ok(Step::Message { payload, consumed, .. }) => {
                match payload {
                    [b'0', input @ ..] => into.input.extend_from_slice(input),
                    [b'{', ..] => into.starts = true,
                    _ => {}
                }
                used += consumed;
            }
            Ok(Step::Control { control, consumed }) => {
                receive_control(control, into);
                used += consumed;
            }
            Ok(Step::Progress { consumed }) => used += consumed,
            Err(_) => into.ends = true,
        }
        if into.ends {
            return bytes.len();
        }
    }
}

fn receive_control(control: Control<'_>, into: &mut Received) {
    match control {
        Control::Ping(payload) => {
            into.reply
                .extend_from_slice(encode_header(Opcode::Pong, payload.len(), None).as_bytes());
            into.reply.extend_from_slice(payload);
        }
        Control::Pong(_) => {}
        Control::Close(_) => into.ends = true,
    }
}
