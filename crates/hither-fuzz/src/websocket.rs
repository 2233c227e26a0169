//! RFC 6455 as each side receives it.

use hither_protocol::websocket::{
    Control, Decoder, Limits, MessageKind, Side, Step, accept_key, check_key,
};

use crate::bytes::{choice, pieces, text};

/// Small ones, so that a fuzzer meets them.
const LIMITS: Limits = Limits { message_max: 512, fragments_max: 4 };

/// What a decoder made of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    messages: Vec<(MessageKind, Vec<u8>)>,
    controls: Vec<String>,
    error: Option<String>,
}

/// What a server receives.
pub(crate) fn server(data: &[u8]) {
    check(Side::Server, data);
}

/// What a client receives.
pub(crate) fn client(data: &[u8]) {
    check(Side::Client, data);
}

/// The same bytes in other pieces are the same conversation, and nothing exceeds its limit.
fn check(side: Side, mut data: &[u8]) {
    let size = choice(&mut data);
    let whole = read(side, std::iter::once(data));
    for (_, message) in &whole.messages {
        assert!(message.len() <= LIMITS.message_max);
    }
    assert_eq!(read(side, pieces(data, size)), whole);
}

fn read<'a>(side: Side, pieces: impl Iterator<Item = &'a [u8]>) -> Read {
    let mut decoder = Decoder::new(side, LIMITS);
    let mut result = Read::default();
    let mut buffer = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            let before = buffer.clone();
            let consumed = match decoder.next(&mut buffer) {
                Ok(Step::Need(more)) => {
                    assert!(more > 0, "it wants something");
                    assert_eq!(buffer, before, "it left what it cannot read yet");
                    break;
                }
                Ok(Step::Progress { consumed }) => consumed,
                Ok(Step::Message { kind, payload, consumed }) => {
                    result.messages.push((kind, payload.to_vec()));
                    consumed
                }
                Ok(Step::Control { control, consumed }) => {
                    result.controls.push(format!("{control:?}"));
                    if matches!(control, Control::Close(_)) {
                        return result;
                    }
                    consumed
                }
                Err(error) => {
                    result.error = Some(error.to_string());
                    return result;
                }
            };
            assert!(consumed > 0, "it moves on");
            buffer.drain(..consumed);
        }
    }
    result
}

/// A key is 16 bytes in base64, or refused; what answers it has the length of a SHA-1.
pub(crate) fn key(data: &[u8]) {
    let key = text(data);
    if check_key(&key).is_ok() {
        assert_eq!(key.len(), 24);
        assert_eq!(accept_key(&key).len(), 28);
    }
}
