//! One connection of the floor: a socket, a PTY and what could not be written yet.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use hither_pty::{Master, PidFd};
use rustix::event::epoll::EventFlags;

use super::FloorMode;
use super::wire::{HEADROOM, Received, Wire};

/// Most that one read from a PTY or a socket takes.
const READ_MAX: usize = 64 * 1024;

/// Buffers that all connections share: they are empty between two events.
#[derive(Debug)]
pub(super) struct Scratch {
    bytes: Vec<u8>,
    received: Received,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; HEADROOM + 2 * READ_MAX], received: Received::default() }
    }
}

/// The terminal of a connection.
#[derive(Debug)]
pub(super) struct Terminal {
    pub(super) master: Master,
    pub(super) child: PidFd,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) socket: TcpStream,
    pub(super) terminal: Option<Terminal>,
    wire: Wire,
    /// The start of a frame whose rest has not come.
    partial: Vec<u8>,
    to_socket: Vec<u8>,
    to_terminal: Vec<u8>,
}

/// What an event led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing changes.
    Same,
    /// What the connection waits for may have changed.
    Waits,
    /// The client wants its session.
    Starts,
    /// The connection is over.
    Over,
}

impl Relay {
    pub(super) const fn new(socket: TcpStream, mode: FloorMode) -> Self {
        Self {
            socket,
            terminal: None,
            wire: Wire::new(mode),
            partial: Vec::new(),
            to_socket: Vec::new(),
            to_terminal: Vec::new(),
        }
    }

    /// What to wait for on the socket and on the terminal: no reading from one side while there is
    /// something left to write to the other.
    pub(super) fn waits_for(&self) -> (EventFlags, EventFlags) {
        let flags = |input_blocked: bool, output_left: bool| {
            let input = if input_blocked { EventFlags::empty() } else { EventFlags::IN };
            let output = if output_left { EventFlags::OUT } else { EventFlags::empty() };
            input | output
        };
        let socket_left = !self.to_socket.is_empty();
        let terminal_left = !self.to_terminal.is_empty();
        (flags(terminal_left, socket_left), flags(socket_left, terminal_left))
    }

    /// The terminal has output: one read, one write.
    pub(super) fn handle_output(&mut self, scratch: &mut Scratch) -> Progress {
        let Some(terminal) = &self.terminal else { return Progress::Same };
        let space = &mut scratch.bytes[HEADROOM..HEADROOM + READ_MAX];
        let len = match rustix::io::read(&terminal.master, space) {
            Ok(0) => return self.end(),
            Ok(len) => len,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Progress::Same,
            Err(_) => return self.end(),
        };
        let start = self.wire.frame(&mut scratch.bytes, len);
        self.send(&scratch.bytes[start..HEADROOM + len])
    }

    /// The client has sent something.
    pub(super) fn handle_input(&mut self, scratch: &mut Scratch) -> Progress {
        let carried = self.partial.len();
        scratch.bytes[..carried].copy_from_slice(&self.partial);
        let len = match (&self.socket).read(&mut scratch.bytes[carried..carried + READ_MAX]) {
            Ok(0) => return Progress::Over,
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Progress::Same,
            Err(_) => return Progress::Over,
        };
        let bytes = &mut scratch.bytes[..carried + len];
        let used = self.wire.receive(bytes, &mut scratch.received);
        self.partial.clear();
        self.partial.extend_from_slice(&bytes[used..]);
        if self.partial.len() > READ_MAX {
            return Progress::Over;
        }
        self.handle_received(&scratch.received)
    }

    fn handle_received(&mut self, received: &Received) -> Progress {
        let mut progress = Progress::Same;
        if !received.input.is_empty() {
            progress = self.write_terminal(&received.input);
        }
        if !received.reply.is_empty() {
            progress = self.send(&received.reply);
        }
        if received.ends {
            return Progress::Over;
        }
        if received.starts && self.terminal.is_none() { Progress::Starts } else { progress }
    }

    /// The socket takes more.
    pub(super) fn flush_socket(&mut self) -> Progress {
        match (&self.socket).write(&self.to_socket) {
            Ok(len) => drop(self.to_socket.drain(..len)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Progress::Over,
        }
        if self.to_socket.is_empty() { Progress::Waits } else { Progress::Same }
    }

    /// The terminal takes more.
    pub(super) fn flush_terminal(&mut self) -> Progress {
        let input = std::mem::take(&mut self.to_terminal);
        self.write_terminal(&input)
    }

    fn write_terminal(&mut self, input: &[u8]) -> Progress {
        let Some(terminal) = &self.terminal else { return Progress::Same };
        let written = match terminal.master.write(input) {
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => return Progress::Over,
        };
        self.to_terminal = input[written..].to_vec();
        if self.to_terminal.is_empty() && written == input.len() {
            Progress::Same
        } else {
            Progress::Waits
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Progress {
        let written = match (&self.socket).write(bytes) {
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => return Progress::Over,
        };
        if written == bytes.len() {
            return Progress::Same;
        }
        self.to_socket.extend_from_slice(&bytes[written..]);
        Progress::Waits
    }

    /// The program has ended and all its output has been read.
    fn end(&mut self) -> Progress {
        let farewell = self.wire.farewell();
        self.send(farewell);
        Progress::Over
    }
}
