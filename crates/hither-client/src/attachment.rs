//! The client's side of a session, across connections.

use hither_core::{ClientId, InputNumber, Offset, Role, SessionId, ViewerId, WindowSize};
use hither_protocol::hither::{
    self, ClientFrame, Exit, Features, FrameError, Hello, INPUT_BYTES_MAX, ServerFrame,
    SessionState, TermiosFlags, Welcome, WireError, append_input_message,
};
use hither_protocol::websocket::{Opcode, append_frame};
use thiserror::Error;

use crate::backlog::{Backlog, BacklogFull};

/// Output that may be processed before an acknowledgement is due (`docs/protocol.md` section 4).
const ACK_BYTES: u64 = 8 * 1024;

/// How a client wants to be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Wanted role.
    pub role: Role,
    /// Wanted features.
    pub features: Features,
    /// Size of the client's window; `None` takes no part in sizing.
    pub size: Option<WindowSize>,
    /// Where to begin; `None` begins with a snapshot.
    pub from: Option<Offset>,
}

/// What a message of the server means for the one who shows the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The server has answered. Input that was not accepted is under way again.
    Attached(Attached),
    /// Output of the program, contiguous with the last.
    Output(&'a [u8]),
    /// Reset the terminal, give it this size and these bytes.
    Snapshot(WindowSize, &'a [u8]),
    /// So many bytes of output are not sent; a snapshot follows, unless `raw` was granted.
    Gap(u64),
    /// The program has had all input up to here for a while.
    Settled(InputNumber),
    /// The window size of the session, and who owns it.
    Size(WindowSize, ViewerId),
    /// What the line discipline does with input.
    Termios(TermiosFlags),
    /// Something happened.
    Happened(hither::Event),
    /// Answers a ping.
    Pong(u64),
    /// The session ended; nothing follows.
    Exit(Exit),
    /// The server gives up on this connection, and closes it.
    Refused(WireError),
    /// Nothing that this client understands.
    Ignored,
}

/// What the server has granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The session.
    pub session: SessionId,
    /// This viewer.
    pub viewer: ViewerId,
    /// Whether the output goes on exactly where it was left.
    pub resumed: bool,
    /// Window size and its owner.
    pub size: WindowSize,
    /// Who owns the window size.
    pub owner: ViewerId,
    /// Granted role.
    pub role: Role,
    /// Granted features.
    pub features: Features,
    /// Title of the session, may be empty.
    pub title: String,
    /// Whether the child still runs.
    pub state: SessionState,
}

/// A message that breaks the protocol. The connection is useless then.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AttachError {
    /// Not a frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Output that does not continue where the last ended.
    #[error("output must continue at {expected}, not at {found}")]
    Hole {
        /// Where it should go on.
        expected: Offset,
        /// Where it does.
        found: Offset,
    },
    /// Something else came before the welcome.
    #[error("a welcome must come first")]
    NotWelcome,
}

/// A client's attachment to one session. It outlives the connections that carry it.
///
/// Everything that it wants sent is appended to `out` as whole, masked WebSocket messages.
#[derive(Clone, Debug)]
pub struct Attachment {
    client: ClientId,
    wish: Wish,
    attached: bool,
    received: Option<Offset>,
    acknowledged: Offset,
    /// A snapshot is not acknowledged yet; the server waits for that.
    snapshot_due: bool,
    backlog: Backlog,
    masks: u32,
}

impl Attachment {
    /// An attachment of the client `client`, 64 random bits.
    #[must_use]
    pub const fn new(client: ClientId, wish: Wish) -> Self {
        let received = wish.from;
        let backlog = Backlog::EMPTY;
        let [.., a, b, c, d] = client.0.to_be_bytes();
        let masks = u32::from_be_bytes([a, b, c, d]) | 1;
        Self {
            client,
            wish,
            attached: false,
            received,
            acknowledged: Offset::ZERO,
            snapshot_due: false,
            backlog,
            masks,
        }
    }

    /// Where the output goes on; `None` before the first.
    #[must_use]
    pub const fn received(&self) -> Option<Offset> {
        self.received
    }

    /// Whether all input has been accepted by the server.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.backlog.is_empty()
    }

    /// A fresh connection is open: says hello, and where to resume.
    pub fn handle_open(&mut self, out: &mut Vec<u8>) {
        self.attached = false;
        let Wish { role, features, size, .. } = self.wish;
        let hello = Hello { client: self.client, resume: self.received, size, role, features };
        self.send(&ClientFrame::Hello(hello), out);
    }

    /// The server has sent `message`.
    ///
    /// # Errors
    /// When the message breaks the protocol; the connection is to be closed then.
    pub fn handle_message<'a>(
        &mut self,
        message: &'a [u8],
        out: &mut Vec<u8>,
    ) -> Result<Event<'a>, AttachError> {
        let frame = ServerFrame::decode(message)?;
        let early = matches!(frame, ServerFrame::Output { .. } | ServerFrame::Snapshot { .. });
        if early && !self.attached {
            return Err(AttachError::NotWelcome);
        }
        Ok(match frame {
            ServerFrame::Welcome(welcome) => self.handle_welcome(welcome, out),
            ServerFrame::Output { offset, bytes } => return self.handle_output(offset, bytes),
            ServerFrame::Snapshot { offset, size, bytes } => {
                self.jump(offset);
                self.snapshot_due = true;
                Event::Snapshot(size, bytes)
            }
            ServerFrame::Gap { from, to } => {
                self.jump(to);
                Event::Gap(to.since(from))
            }
            ServerFrame::InputAck { accepted, settled } => {
                self.backlog.accept(accepted);
                Event::Settled(settled)
            }
            ServerFrame::Size { size, owner } => Event::Size(size, owner),
            ServerFrame::Termios(flags) => Event::Termios(flags),
            ServerFrame::Event(event) => Event::Happened(event),
            ServerFrame::Pong(token) => Event::Pong(token),
            ServerFrame::Exit(exit) => Event::Exit(exit),
            ServerFrame::Error(error) => Event::Refused(error),
            ServerFrame::Unknown(_) => Event::Ignored,
        })
    }

    /// Types `input`. It is sent at once when the server has said welcome, and kept until then.
    ///
    /// # Errors
    /// When too much input waits to be accepted; nothing of `input` is taken then.
    pub fn type_input(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), BacklogFull> {
        self.backlog.check_space(input.len())?;
        for piece in input.chunks(INPUT_BYTES_MAX) {
            let number = self.backlog.add(piece)?;
            if self.attached {
                append_input_message(out, number, piece, self.next_mask());
            }
        }
        Ok(())
    }

    /// The client's window has another size.
    pub fn resize(&mut self, size: WindowSize, out: &mut Vec<u8>) {
        self.wish.size = Some(size);
        if self.attached {
            self.send(&ClientFrame::Resize(size), out);
        }
    }

    /// Asks for a pong with the same token.
    pub fn ping(&mut self, token: u64, out: &mut Vec<u8>) {
        self.send(&ClientFrame::Ping(token), out);
    }

    /// Everything that was handed out has been *processed*: acknowledges it if that is due.
    pub fn acknowledge(&mut self, out: &mut Vec<u8>) {
        let Some(received) = self.received.filter(|_| self.attached) else { return };
        if self.snapshot_due || received.since(self.acknowledged) >= ACK_BYTES {
            self.acknowledged = received;
            self.snapshot_due = false;
            self.send(&ClientFrame::Ack(received), out);
        }
    }

    fn handle_welcome(&mut self, welcome: Welcome, out: &mut Vec<u8>) -> Event<'static> {
        self.attached = true;
        self.snapshot_due = false;
        self.jump(welcome.offset);
        self.backlog.accept(welcome.accepted);
        let rest: Vec<_> = self.backlog.rest().map(|(n, input)| (n, input.to_vec())).collect();
        for (number, input) in rest {
            append_input_message(out, number, &input, self.next_mask());
        }
        Event::Attached(Attached {
            session: welcome.session,
            viewer: welcome.viewer,
            resumed: welcome.resumed,
            size: welcome.size,
            owner: welcome.owner,
            role: welcome.role,
            features: welcome.features,
            title: welcome.title,
            state: welcome.state,
        })
    }

    fn handle_output<'a>(
        &mut self,
        offset: Offset,
        bytes: &'a [u8],
    ) -> Result<Event<'a>, AttachError> {
        let expected = self.received.unwrap_or(offset);
        if offset != expected {
            return Err(AttachError::Hole { expected, found: offset });
        }
        self.received = Some(offset.plus(bytes.len() as u64));
        Ok(Event::Output(bytes))
    }

    /// The stream goes on at `offset`, as the server has announced.
    const fn jump(&mut self, offset: Offset) {
        self.received = Some(offset);
        self.acknowledged = offset;
    }

    fn send(&mut self, frame: &ClientFrame<'_>, out: &mut Vec<u8>) {
        let mut body = Vec::with_capacity(32);
        frame.encode(&mut body);
        append_frame(out, Opcode::Binary, &[&body], Some(self.next_mask()));
    }

    /// Masks keep old proxies from mistaking frames for requests (RFC 6455 section 10.3), which is
    /// a danger only where a stranger chooses the payload: here it is the user. So a xorshift will do.
    const fn next_mask(&mut self) -> [u8; 4] {
        self.masks ^= self.masks << 13;
        self.masks ^= self.masks >> 17;
        self.masks ^= self.masks << 5;
        self.masks.to_be_bytes()
    }
}

#[cfg(test)]
#[path = "attachment_tests.rs"]
mod tests;
