//! A WebSocket peer that can do everything wrong.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use crate::gateway::{Gateway, READY};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
pub(crate) const FIN: u8 = 0x80;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// What the gateway sent, in order. Pieces of output that follow each other are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Payload of binary messages.
    Output(Vec<u8>),
    /// Answer to a ping.
    Pong(Vec<u8>),
    /// The close frame, and after it the end of the stream.
    Closed(Option<u16>),
    /// The end of the stream without a close frame.
    Cut,
}

/// One connection after the handshake.
pub(crate) struct Peer {
    stream: TcpStream,
    inbox: Vec<u8>,
    /// Whether pings are answered; the gateway counts on it.
    answers: bool,
}

impl Peer {
    /// Attaches to a session by the plan's protocol: messages are input, output is messages.
    pub(crate) fn attach(gateway: &Gateway, session: &str) -> Self {
        Self::open(gateway, &format!("/ws?sessionId={session}"), "")
    }

    /// Attaches to a session that echoes, and waits until it does.
    pub(crate) fn attach_echo(gateway: &Gateway, session: &str) -> Self {
        let mut peer = Self::attach(gateway, session);
        let mut output = Vec::new();
        while !output.ends_with(READY) {
            let event = peer.event();
            let Event::Output(bytes) = event else {
                panic!("{event:?} before the program was ready");
            };
            output.extend(bytes);
        }
        peer
    }

    /// The handshake, with more header lines, each ended by CR LF.
    pub(crate) fn open(gateway: &Gateway, target: &str, lines: &str) -> Self {
        let mut stream = gateway.connect();
        stream.write_all(handshake(gateway, target, lines).as_bytes()).unwrap();
        let mut peer = Self { stream, inbox: Vec::new(), answers: true };
        let head = peer.read_head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        peer
    }

    /// A peer on a stream on which the head of the answer is still to be read.
    pub(crate) fn on(stream: TcpStream) -> Self {
        Self { stream, inbox: Vec::new(), answers: true }
    }

    /// The port at this end.
    pub(crate) fn port(&self) -> u16 {
        self.stream.local_addr().unwrap().port()
    }

    pub(crate) fn read_head(&mut self) -> String {
        loop {
            if let Some(end) = self.inbox.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.inbox.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.fill(), "the head of the answer was cut");
        }
    }

    /// Sends bytes; they may come too late, when the gateway has closed already.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).ok();
    }

    /// Stops answering pings.
    pub(crate) fn fall_silent(&mut self) {
        self.answers = false;
    }

    /// The next thing that the gateway sends.
    pub(crate) fn event(&mut self) -> Event {
        loop {
            let Some((first, payload)) = self.frame() else { return Event::Cut };
            match first {
                0x82 => return Event::Output(payload),
                0x89 if self.answers => self.send(&frame(FIN | PONG, &payload)),
                0x89 => {}
                0x8a => return Event::Pong(payload),
                0x88 => {
                    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    return Event::Closed(code);
                }
                other => panic!("the gateway sent a frame that starts with {other:#04x}"),
            }
        }
    }

    /// Everything up to the end of the connection, which must come without more frames after a
    /// close frame.
    pub(crate) fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let event = self.event();
            let last = matches!(event, Event::Closed(_) | Event::Cut);
            push(&mut events, event);
            if last {
                assert_eq!(self.frame(), None, "nothing follows a close frame");
                return events;
            }
        }
    }

    /// Events until `done` says that they are all there, or until the end of the connection.
    pub(crate) fn until(&mut self, done: impl Fn(&[Event]) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        while !done(&events) {
            let event = self.event();
            let last = matches!(event, Event::Closed(_) | Event::Cut);
            push(&mut events, event);
            if last {
                break;
            }
        }
        events
    }

    /// The next frame of the gateway: first byte and payload. `None` at the end of the stream.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((first, start, len)) = parse(&self.inbox)
                && self.inbox.len() >= start + len
            {
                let frame: Vec<u8> = self.inbox.drain(..start + len).collect();
                return Some((first, frame[start..].to_vec()));
            }
            if !self.fill() {
                assert!(self.inbox.is_empty(), "half a frame: {:02x?}", self.inbox);
                return None;
            }
        }
    }

    /// Reads more. False at the end of the stream; a reset is one too.
    fn fill(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(len) => {
                self.inbox.extend_from_slice(&buffer[..len]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("the gateway neither answers nor closes: {error}"),
        }
    }
}

/// The request that asks for a WebSocket.
pub(crate) fn handshake(gateway: &Gateway, target: &str, lines: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nhost: {}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n",
        gateway.host()
    )
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
    bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// The body of a close frame.
pub(crate) fn close_body(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason].concat()
}

fn push(events: &mut Vec<Event>, event: Event) {
    match (events.last_mut(), event) {
        (Some(Event::Output(before)), Event::Output(bytes)) => before.extend(bytes),
        (_, event) => events.push(event),
    }
}

/// First byte, start and length of the payload of an unmasked frame, when its header is there.
fn parse(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (&first, &short) = (bytes.first()?, bytes.get(1)?);
    assert!(short < 0x80, "a server must not mask");
    let (start, len) = match short {
        126 => (4, u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        127 => (10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)),
        len => (2, u64::from(len)),
    };
    Some((first, start, usize::try_from(len).unwrap()))
}
