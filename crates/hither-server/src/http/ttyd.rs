//! The first message of a ttyd client, which says how large its window is.

use std::time::Duration;

use hither_core::WindowSize;
use hither_protocol::ttyd::ClientFrame;
use hither_protocol::websocket::{
    CloseCode, Control, Decoder, Limits, Opcode, ProtocolError, Side, Step, append_frame,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::handover::{Refusal, Upgraded};

/// Time in which the message must arrive.
const DEADLINE: Duration = Duration::from_secs(10);
/// Most bytes that are read before it is there.
const BYTES_MAX: usize = 16 * 1024;
const LIMITS: Limits = Limits { message_max: 4096, fragments_max: 16 };

/// Reads the message and answers the window size in it, if there is one; `None` when the client
/// left. Whatever comes behind it stays in `read_ahead`.
pub(crate) async fn first_message(
    upgraded: &mut Upgraded,
) -> Result<Option<Option<WindowSize>>, Refusal> {
    let in_time = timeout(DEADLINE, read(upgraded)).await;
    in_time.unwrap_or_else(|_| {
        let message = "the first message did not arrive within 10 s".to_owned();
        Err(Refusal::new(CloseCode::HELLO_TIMEOUT, "hello_timeout", message))
    })
}

async fn read(upgraded: &mut Upgraded) -> Result<Option<Option<WindowSize>>, Refusal> {
    let mut decoder = Decoder::new(Side::Server, LIMITS);
    let mut read = upgraded.read_ahead.len();
    loop {
        let (answer, next) = step(&mut decoder, &mut upgraded.read_ahead)?;
        match next {
            Next::Again if answer.is_empty() => {}
            Next::Again => {
                // A client that is gone will be noticed at the next read.
                upgraded.wire.write_all(&answer).await.unwrap_or_default();
            }
            Next::Hello(size) => return Ok(Some(size)),
            Next::Gone => return Ok(None),
            Next::More => {
                let mut chunk = [0; 4096];
                let len = upgraded.wire.read(&mut chunk).await.unwrap_or(0);
                read += len;
                if len == 0 {
                    return Ok(None);
                }
                if read > BYTES_MAX {
                    return Err(no_hello());
                }
                upgraded.read_ahead.extend_from_slice(&chunk[..len]);
            }
        }
    }
}

/// What to do after one step of the decoder.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Again,
    More,
    Gone,
    Hello(Option<WindowSize>),
}

/// Takes one frame off the front of `bytes`, and answers what must be sent back.
fn step(decoder: &mut Decoder, bytes: &mut Vec<u8>) -> Result<(Vec<u8>, Next), Refusal> {
    let mut answer = Vec::new();
    let (consumed, next) = match decoder.next(bytes).map_err(broken)? {
        Step::Need(_) => (0, Next::More),
        Step::Progress { consumed } => (consumed, Next::Again),
        Step::Message { payload, consumed, .. } => match ClientFrame::decode(payload) {
            // Its token is not looked at: the handshake had a credential.
            Ok(ClientFrame::Init { size, .. }) => (consumed, Next::Hello(size)),
            Ok(_) | Err(_) => return Err(no_hello()),
        },
        Step::Control { control, consumed } => match control {
            Control::Ping(payload) => {
                append_frame(&mut answer, Opcode::Pong, &[payload], None);
                (consumed, Next::Again)
            }
            Control::Pong(_) => (consumed, Next::Again),
            Control::Close(_) => (consumed, Next::Gone),
        },
    };
    bytes.drain(..consumed);
    Ok((answer, next))
}

fn no_hello() -> Refusal {
    let message = "the first message must be JSON with columns and rows".to_owned();
    Refusal::new(CloseCode::POLICY, "bad_frame", message)
}

fn broken(error: ProtocolError) -> Refusal {
    Refusal::new(error.close_code(), "bad_frame", error.to_string())
}
