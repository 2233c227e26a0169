//! A connection as its owner drives it.

use hither_protocol::websocket::{
    Control, Decoder, Limits, MessageKind, ProtocolError, Side, Step, mask_in_place,
};

pub(crate) const LIMITS: Limits = Limits { message_max: 1 << 20, fragments_max: 64 };
pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Message(MessageKind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Progress,
}

/// A masked frame with any first byte, its length in the shortest form.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let len = payload.len().to_be_bytes();
    match payload.len() {
        0..=125 => bytes.push(0x80 | len[7]),
        126..=65_535 => bytes.extend([0x80 | 126, len[6], len[7]]),
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(len);
        }
    }
    bytes.extend(KEY);
    let start = bytes.len();
    bytes.extend(payload);
    mask_in_place(&mut bytes[start..], KEY, 0);
    bytes
}

/// Everything that a side reads in these bytes.
pub(crate) fn read(side: Side, bytes: &[u8]) -> (Vec<Seen>, Result<(), ProtocolError>) {
    read_with(side, [bytes].into_iter())
}

/// Everything that a side reads in these pieces, each appended when the last one is used up.
pub(crate) fn read_with<'a>(
    side: Side,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Seen>, Result<(), ProtocolError>) {
    let mut decoder = Decoder::new(side, LIMITS);
    let mut buf = Vec::new();
    let mut start = 0;
    let mut seen = Vec::new();
    for piece in pieces {
        buf.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buf[start..]) {
                Ok(Step::Need(more)) => {
                    assert!(more > 0);
                    break;
                }
                Ok(step) => {
                    let (item, consumed) = see(step);
                    seen.push(item);
                    start += consumed;
                }
                Err(error) => return (seen, Err(error)),
            }
            if matches!(seen.last(), Some(Seen::Close(..))) {
                return (seen, Ok(()));
            }
        }
    }
    (seen, Ok(()))
}

fn see(step: Step<'_>) -> (Seen, usize) {
    match step {
        Step::Need(_) => unreachable!("handled by the caller"),
        Step::Message { kind, payload, consumed } => {
            (Seen::Message(kind, payload.to_vec()), consumed)
        }
        Step::Progress { consumed } => (Seen::Progress, consumed),
        Step::Control { control, consumed } => (see_control(control), consumed),
    }
}

fn see_control(control: Control<'_>) -> Seen {
    match control {
        Control::Ping(payload) => Seen::Ping(payload.to_vec()),
        Control::Pong(payload) => Seen::Pong(payload.to_vec()),
        Control::Close(close) => {
            Seen::Close(close.code.map(|code| code.number()), close.reason.to_owned())
        }
    }
}
