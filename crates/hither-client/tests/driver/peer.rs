//! A server that says what it is told to.

use std::io::{Read, Write};

use hither_core::{InputNumber, Offset, Role, ViewerId, WindowSize};
use hither_protocol::hither::{ClientFrame, Features, ServerFrame, SessionState, Welcome};
use hither_protocol::websocket::{
    CloseCode, Control, Decoder, Limits, Opcode, Side, Step, accept_key, append_frame, encode_close,
};

use crate::session;

/// The server's side of one connection.
pub(crate) struct Peer<S> {
    socket: S,
    received: Vec<u8>,
    decoder: Decoder,
}

impl<S: Read + Write> Peer<S> {
    /// Answers the request; what follows the head goes out in the same write.
    pub(crate) fn accept(mut socket: S, behind: &[u8]) -> (Self, String) {
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        let request = String::from_utf8(request).unwrap();
        let key =
            request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: hither.v1\r\n\r\n",
            accept_key(key)
        )
        .into_bytes();
        answer.extend_from_slice(behind);
        socket.write_all(&answer).unwrap();
        let limits = Limits { message_max: 1 << 20, fragments_max: 64 };
        (
            Self { socket, received: Vec::new(), decoder: Decoder::new(Side::Server, limits) },
            request,
        )
    }

    /// The client's next frame, or `None` when it says goodbye.
    pub(crate) fn next(&mut self) -> Option<String> {
        loop {
            match self.decoder.next(&mut self.received).unwrap() {
                Step::Message { payload, consumed, .. } => {
                    let text = match ClientFrame::decode(payload).unwrap() {
                        ClientFrame::Hello(hello) => {
                            format!("hello {:?}", hello.resume.map(|o| o.0))
                        }
                        ClientFrame::Input { number, bytes } => {
                            format!("input {} {}", number.0, String::from_utf8_lossy(bytes))
                        }
                        rare @ (ClientFrame::Resize(_)
                        | ClientFrame::Ack(_)
                        | ClientFrame::Ping(_)
                        | ClientFrame::Unknown(_)) => format!("{rare:?}"),
                    };
                    self.received.drain(..consumed);
                    return Some(text);
                }
                Step::Need(_) => self.read(),
                Step::Control { .. } => return None,
                Step::Progress { .. } => panic!("clients send no fragments"),
            }
        }
    }

    /// The payloads of the client's pongs until its close frame, and the code of that, if it has one.
    pub(crate) fn hear_out(&mut self) -> (Vec<Vec<u8>>, Option<u16>) {
        let mut pongs = Vec::new();
        loop {
            let used = match self.decoder.next(&mut self.received).unwrap() {
                Step::Control { control: Control::Close(close), .. } => {
                    return (pongs, close.code.map(CloseCode::number));
                }
                Step::Control { control, consumed } => {
                    if let Control::Pong(payload) = control {
                        pongs.push(payload.to_vec());
                    }
                    consumed
                }
                Step::Message { consumed, .. } | Step::Progress { consumed } => consumed,
                Step::Need(_) => {
                    self.read();
                    continue;
                }
            };
            self.received.drain(..used);
        }
    }

    fn read(&mut self) {
        let mut chunk = [0; 4096];
        let len = self.socket.read(&mut chunk).unwrap();
        assert!(len > 0, "the client has gone without a close frame");
        self.received.extend_from_slice(&chunk[..len]);
    }

    pub(crate) fn send(&mut self, frames: &[u8]) {
        self.try_send(frames).unwrap();
    }

    pub(crate) fn try_send(&mut self, frames: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(frames)
    }
}

fn frame(frame: &ServerFrame<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    frame.encode(&mut body);
    let mut message = Vec::new();
    append_frame(&mut message, Opcode::Binary, &[&body], None);
    message
}

pub(crate) fn welcome(offset: u64, accepted: u64) -> Vec<u8> {
    frame(&ServerFrame::Welcome(Welcome {
        session: session(),
        viewer: ViewerId(1),
        resumed: true,
        offset: Offset(offset),
        accepted: InputNumber(accepted),
        size: WindowSize::DEFAULT,
        owner: ViewerId(1),
        role: Role::Operator,
        features: Features::none(),
        title: String::new(),
        state: SessionState::Running,
    }))
}

pub(crate) fn output(offset: u64, bytes: &[u8]) -> Vec<u8> {
    frame(&ServerFrame::Output { offset: Offset(offset), bytes })
}

/// The server's goodbye.
pub(crate) fn close() -> Vec<u8> {
    let mut close = Vec::new();
    let body = encode_close(CloseCode::NORMAL, "");
    append_frame(&mut close, Opcode::Close, &[body.as_bytes()], None);
    close
}
