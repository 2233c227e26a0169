//! Messages of each protocol ↔ input and output.

use hither_core::{ClientId, InputNumber, Offset, Role, WindowSize};
use hither_protocol::hither::{ClientFrame, Features, Hello, ServerFrame, append_input_message};
use hither_protocol::websocket::{Opcode, append_frame};

use super::Protocol;
use super::text::{from_base64, from_terminado, to_plan, to_terminado};

/// Output that may be processed before `hither.v1` wants it acknowledged.
const ACK_BYTES: u64 = 8 * 1024;
/// A mask of zeros: the server has to do the same work, the client none.
const MASK: [u8; 4] = [0; 4];

/// The state of one connection's protocol.
#[derive(Clone, Debug)]
pub(crate) enum Dialect {
    Raw,
    Ttyd,
    Gotty,
    Terminado,
    Plan,
    Hither(HitherState),
}

/// What `hither.v1` has to remember.
#[derive(Clone, Debug)]
pub(crate) struct HitherState {
    client: ClientId,
    attach: Attach,
    input: InputNumber,
    received: Offset,
    acknowledged: Offset,
}

/// How a viewer of `hither.v1` attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attach {
    /// From the first byte, and the program waits for this viewer: every byte can be verified.
    Whole,
    /// With a snapshot of the screen, as a browser does.
    Screen,
}

/// What a message from the server is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming<'a> {
    /// Nothing that matters here.
    Nothing,
    /// Output of the program.
    Output(&'a [u8]),
    /// The screen as it is.
    Screen(&'a [u8]),
    /// The server has skipped so many bytes of output, and says so.
    Skipped(u64),
    /// The server gives up on this connection.
    Refused(String),
}

impl Dialect {
    pub(crate) fn new(protocol: Protocol, attach: Attach, client: u64) -> Self {
        match protocol {
            Protocol::Raw | Protocol::Http => Self::Raw,
            Protocol::Ttyd => Self::Ttyd,
            Protocol::Gotty => Self::Gotty,
            Protocol::Terminado => Self::Terminado,
            Protocol::Plan => Self::Plan,
            Protocol::Hither => Self::Hither(HitherState {
                client: ClientId(client),
                attach,
                input: InputNumber(0),
                received: Offset::ZERO,
                acknowledged: Offset::ZERO,
            }),
        }
    }

    /// Appends what the client says first.
    pub(crate) fn greet(&self, out: &mut Vec<u8>) {
        let text = match self {
            Self::Raw | Self::Plan => return,
            Self::Ttyd => r#"{"AuthToken":"","columns":80,"rows":24}"#,
            Self::Gotty => r#"{"Arguments":"","AuthToken":""}"#,
            Self::Terminado => r#"["set_size",24,80]"#,
            Self::Hither(state) => return state.greet(out),
        };
        let opcode = if matches!(self, Self::Ttyd) { Opcode::Binary } else { Opcode::Text };
        append_frame(out, opcode, &[text.as_bytes()], Some(MASK));
    }

    /// Appends `input` as typed.
    pub(crate) fn type_input(&mut self, input: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Raw => out.extend_from_slice(input),
            Self::Ttyd => append_frame(out, Opcode::Binary, &[b"0", input], Some(MASK)),
            Self::Gotty => append_frame(out, Opcode::Text, &[b"1", input], Some(MASK)),
            Self::Plan => {
                append_frame(out, Opcode::Text, &[to_plan(input).as_bytes()], Some(MASK));
            }
            Self::Terminado => {
                append_frame(out, Opcode::Text, &[to_terminado(input).as_bytes()], Some(MASK));
            }
            Self::Hither(state) => {
                state.input = InputNumber(state.input.0 + 1);
                append_input_message(out, state.input, input, MASK);
            }
        }
    }

    /// Reads a message. Text forms are decoded into `scratch`.
    pub(crate) fn read<'a>(&mut self, message: &'a [u8], scratch: &'a mut Vec<u8>) -> Incoming<'a> {
        match (self, message) {
            (Self::Raw | Self::Plan, bytes) => Incoming::Output(bytes),
            (Self::Ttyd, [b'0', bytes @ ..]) => Incoming::Output(bytes),
            (Self::Gotty, [b'1', text @ ..]) => Incoming::Output(from_base64(text, scratch)),
            (Self::Ttyd | Self::Gotty, _) => Incoming::Nothing,
            (Self::Terminado, text) => {
                from_terminado(text, scratch).map_or(Incoming::Nothing, Incoming::Output)
            }
            (Self::Hither(state), message) => state.read(message),
        }
    }

    /// Appends the acknowledgement that is due once the last messages have been processed, if any.
    pub(crate) fn acknowledge(&mut self, out: &mut Vec<u8>) {
        let Self::Hither(state) = self else { return };
        if state.received.since(state.acknowledged) >= ACK_BYTES {
            state.acknowledged = state.received;
            frame(&ClientFrame::Ack(state.received), out);
        }
    }
}

impl HitherState {
    fn greet(&self, out: &mut Vec<u8>) {
        let (resume, features) = match self.attach {
            Attach::Whole => (Some(Offset::ZERO), Features::RAW.with(Features::WAIT)),
            Attach::Screen => (None, Features::none()),
        };
        let size = WindowSize::new(80, 24).ok();
        let client = self.client;
        let hello = Hello { client, resume, size, role: Role::Operator, features };
        frame(&ClientFrame::Hello(hello), out);
    }

    fn read<'a>(&mut self, message: &'a [u8]) -> Incoming<'a> {
        match ServerFrame::decode(message) {
            Ok(ServerFrame::Output { offset, bytes }) => {
                self.received = offset.plus(bytes.len() as u64);
                Incoming::Output(bytes)
            }
            Ok(ServerFrame::Snapshot { offset, bytes, .. }) => {
                (self.received, self.acknowledged) = (offset, offset);
                Incoming::Screen(bytes)
            }
            Ok(ServerFrame::Gap { from, to }) => Incoming::Skipped(to.since(from)),
            Ok(ServerFrame::Welcome(welcome)) => {
                (self.received, self.acknowledged) = (welcome.offset, welcome.offset);
                self.input = welcome.accepted;
                Incoming::Nothing
            }
            Ok(ServerFrame::Error(error)) => Incoming::Refused(error.message),
            Ok(_) => Incoming::Nothing,
            Err(error) => Incoming::Refused(error.to_string()),
        }
    }
}

fn frame(frame: &ClientFrame<'_>, out: &mut Vec<u8>) {
    let mut body = Vec::with_capacity(128);
    frame.encode(&mut body);
    append_frame(out, Opcode::Binary, &[&body], Some(MASK));
}

#[cfg(test)]
#[path = "dialect_tests.rs"]
mod tests;
