//! Messages of each protocol ↔ input and output.

use hither_core::{ClientId, InputNumber, Offset, Role, WindowSize};
use hither_protocol::hither::{ClientFrame, Features, Hello, ServerFrame, append_input_message};
use hither_protocol::websocket::{Opcode, append_frame};
use hither_protocol::{gotty, plan, terminado, ttyd};

use super::Protocol;

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
    /// A snapshot is not acknowledged yet; the server waits for that.
    snapshot_due: bool,
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
                snapshot_due: false,
            }),
        }
    }

    /// Appends what the client says first.
    pub(crate) fn greet(&self, out: &mut Vec<u8>) {
        match self {
            Self::Raw | Self::Plan => {}
            Self::Ttyd => {
                let size = Some(WindowSize::DEFAULT);
                let mut body = Vec::new();
                ttyd::ClientFrame::Init { token: "".into(), size }.encode(&mut body);
                append_frame(out, Opcode::Binary, &[&body], Some(MASK));
            }
            Self::Gotty => text(out, &gotty::init_message("", "")),
            Self::Terminado => text(out, &terminado::set_size_message(WindowSize::DEFAULT)),
            Self::Hither(state) => state.greet(out),
        }
    }

    /// Appends `input` as typed.
    pub(crate) fn type_input(&mut self, input: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Raw => out.extend_from_slice(input),
            Self::Ttyd => ttyd::append_input_message(out, input, MASK),
            Self::Gotty => text(out, &gotty::input_message(&String::from_utf8_lossy(input))),
            Self::Plan => text(out, &plan::input_message(&String::from_utf8_lossy(input))),
            Self::Terminado => {
                text(out, &terminado::stdin_message(&String::from_utf8_lossy(input)));
            }
            Self::Hither(state) => {
                state.input = InputNumber(state.input.0 + 1);
                append_input_message(out, state.input, input, MASK);
            }
        }
    }

    /// Reads a message. Text forms are decoded into `scratch`.
    pub(crate) fn read<'a>(&mut self, message: &'a [u8], scratch: &'a mut Vec<u8>) -> Incoming<'a> {
        let text = match self {
            Self::Raw | Self::Plan => return Incoming::Output(message),
            Self::Hither(state) => return state.read(message),
            Self::Ttyd => return read_ttyd(message),
            Self::Gotty => gotty::ServerFrame::decode(message).map(gotty_output),
            Self::Terminado => terminado::ServerFrame::decode(message).map(terminado_output),
        };
        match text {
            Ok(None) => Incoming::Nothing,
            Ok(Some(output)) => {
                *scratch = output;
                Incoming::Output(scratch)
            }
            Err(error) => Incoming::Refused(error.to_string()),
        }
    }

    /// Appends the acknowledgement that is due once the last messages have been processed, if any.
    pub(crate) fn acknowledge(&mut self, out: &mut Vec<u8>) {
        let Self::Hither(state) = self else { return };
        if state.snapshot_due || state.received.since(state.acknowledged) >= ACK_BYTES {
            state.acknowledged = state.received;
            state.snapshot_due = false;
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
        let size = Some(WindowSize::DEFAULT);
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
                (self.received, self.snapshot_due) = (offset, true);
                Incoming::Screen(bytes)
            }
            Ok(ServerFrame::Gap { from, to }) => Incoming::Skipped(to.since(from)),
            Ok(ServerFrame::Welcome(welcome)) => {
                (self.received, self.acknowledged) = (welcome.offset, welcome.offset);
                // What was typed ahead of the welcome keeps its number.
                self.input = self.input.max(welcome.accepted);
                Incoming::Nothing
            }
            Ok(ServerFrame::Error(error)) => Incoming::Refused(error.message),
            Ok(_) => Incoming::Nothing,
            Err(error) => Incoming::Refused(error.to_string()),
        }
    }
}

fn read_ttyd(message: &[u8]) -> Incoming<'_> {
    match ttyd::ServerFrame::decode(message) {
        Ok(ttyd::ServerFrame::Output(bytes)) => Incoming::Output(bytes),
        Ok(_) => Incoming::Nothing,
        Err(error) => Incoming::Refused(error.to_string()),
    }
}

fn gotty_output(frame: gotty::ServerFrame<'_>) -> Option<Vec<u8>> {
    if let gotty::ServerFrame::Output(bytes) = frame { Some(bytes) } else { None }
}

fn terminado_output(frame: terminado::ServerFrame) -> Option<Vec<u8>> {
    if let terminado::ServerFrame::Stdout(text) = frame { Some(text.into_bytes()) } else { None }
}

fn text(out: &mut Vec<u8>, message: &str) {
    append_frame(out, Opcode::Text, &[message.as_bytes()], Some(MASK));
}

fn frame(frame: &ClientFrame<'_>, out: &mut Vec<u8>) {
    let mut body = Vec::with_capacity(128);
    frame.encode(&mut body);
    append_frame(out, Opcode::Binary, &[&body], Some(MASK));
}

#[cfg(test)]
#[path = "dialect_tests.rs"]
mod tests;
