//! The floor's event loop.

use std::convert::Infallible;
use std::ffi::CString;
use std::io::{self, Write};
use std::net::TcpListener;

use clap::ValueEnum;
use hither_pty::{PidFd, Signal};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::process::set_parent_process_death_signal;

use super::api::Api;
use super::listen::listen_on_loopback;
use super::relay::{Progress, Relay, Scratch, Terminal};
use super::starter::Starter;

/// How the floor speaks to its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FloorMode {
    /// Bytes on a TCP connection.
    Raw,
    /// Minimal WebSocket frames in ttyd's protocol.
    #[value(name = "ws")]
    WebSocket,
    /// The requests of the bench's HTTP scenario, and no connection to a terminal.
    Http,
}

/// Which of a connection's descriptors an event is about; the low two bits of its data.
const SOCKET: u64 = 0;
const TERMINAL: u64 = 1;
const CHILD: u64 = 2;
/// The event data of the listener.
const LISTENER: u64 = u64::MAX;

/// Serves `argv`, a fresh one to each connection, on a free loopback port that is written to
/// standard output as one line.
///
/// # Errors
/// When it cannot listen, or the kernel refuses to wait.
pub fn serve(mode: FloorMode, argv: Vec<CString>) -> io::Result<Infallible> {
    // A floor makes no sense without its bench, however that ends.
    set_parent_process_death_signal(Some(Signal::TERM))?;
    if mode == FloorMode::Http {
        let api = Api::bind(argv)?;
        announce(&api.listener)?;
        return api.run();
    }
    let floor = Floor::bind(mode, argv)?;
    announce(&floor.listener)?;
    floor.run()
}

fn announce(listener: &TcpListener) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", listener.local_addr()?)?;
    stdout.flush()
}

#[derive(Debug)]
struct Floor {
    mode: FloorMode,
    starter: Starter,
    listener: TcpListener,
    epoll: OwnedFd,
    slots: Vec<Slot>,
    scratch: Scratch,
}

/// A place for a connection; its number is in the event data.
#[derive(Debug)]
enum Slot {
    Free,
    Open(Box<Relay>),
    /// The connection is gone, its child not yet.
    Dying(PidFd),
}

impl Floor {
    fn bind(mode: FloorMode, argv: Vec<CString>) -> io::Result<Self> {
        let listener = listen_on_loopback()?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let starter = Starter::new(argv)?;
        let scratch = Scratch::new();
        Ok(Self { mode, starter, listener, epoll, slots: Vec::new(), scratch })
    }

    fn run(mut self) -> io::Result<Infallible> {
        let mut events = Vec::with_capacity(256);
        loop {
            events.clear();
            let wait = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None);
            if let Err(error) = wait
                && error != rustix::io::Errno::INTR
            {
                return Err(error.into());
            }
            for event in &events {
                self.handle(event)?;
            }
        }
    }

    fn handle(&mut self, event: &Event) -> io::Result<()> {
        let data = event.data.u64();
        if data == LISTENER {
            return self.accept();
        }
        let place = usize::try_from(data >> 2).expect("made from a usize");
        let flags = event.flags;
        match data & 3 {
            SOCKET => self.handle_relay(place, flags, Relay::flush_socket, Relay::handle_input),
            TERMINAL => {
                self.handle_relay(place, flags, Relay::flush_terminal, Relay::handle_output)
            }
            _ => self.reap(place),
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Ok((socket, _)) = self.listener.accept() {
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            let place = self.free_place();
            let data = event_data(place, SOCKET);
            epoll::add(&self.epoll, &socket, data, EventFlags::IN)?;
            self.slots[place] = Slot::Open(Box::new(Relay::new(socket, self.mode)));
            if self.mode == FloorMode::Raw {
                self.start(place)?;
            }
        }
        Ok(())
    }

    fn free_place(&mut self) -> usize {
        let free = self.slots.iter().position(|slot| matches!(slot, Slot::Free));
        free.unwrap_or_else(|| {
            self.slots.push(Slot::Free);
            self.slots.len() - 1
        })
    }

    fn handle_relay(
        &mut self,
        place: usize,
        flags: EventFlags,
        flush: impl FnOnce(&mut Relay) -> Progress,
        read: impl FnOnce(&mut Relay, &mut Scratch) -> Progress,
    ) -> io::Result<()> {
        let Some(Slot::Open(relay)) = self.slots.get_mut(place) else { return Ok(()) };
        let mut progress = Progress::Same;
        if flags.contains(EventFlags::OUT) {
            progress = flush(relay);
        }
        if progress != Progress::Over
            && flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR)
        {
            let read = read(relay, &mut self.scratch);
            progress = if read == Progress::Same { progress } else { read };
        }
        match progress {
            Progress::Same => Ok(()),
            Progress::Waits => self.wait_again(place),
            Progress::Starts => self.start(place),
            Progress::Over => self.close(place),
        }
    }

    fn wait_again(&self, place: usize) -> io::Result<()> {
        let Slot::Open(relay) = &self.slots[place] else { return Ok(()) };
        let (socket, terminal) = relay.waits_for();
        epoll::modify(&self.epoll, &relay.socket, event_data(place, SOCKET), socket)?;
        if let Some(own) = &relay.terminal {
            epoll::modify(&self.epoll, &own.master, event_data(place, TERMINAL), terminal)?;
        }
        Ok(())
    }

    fn start(&mut self, place: usize) -> io::Result<()> {
        let Ok(own) = self.starter.start() else { return self.close(place) };
        let terminal = event_data(place, TERMINAL);
        epoll::add(&self.epoll, &own.master, terminal, EventFlags::IN)?;
        let once = EventFlags::IN | EventFlags::ET;
        epoll::add(&self.epoll, &own.child, event_data(place, CHILD), once)?;
        if let Slot::Open(relay) = &mut self.slots[place] {
            relay.terminal = Some(own);
        }
        Ok(())
    }

    /// The connection is over; its program is hung up by the kernel when the PTY closes.
    fn close(&mut self, place: usize) -> io::Result<()> {
        let Slot::Open(relay) = std::mem::replace(&mut self.slots[place], Slot::Free) else {
            return Ok(());
        };
        let Some(Terminal { child, .. }) = relay.terminal else { return Ok(()) };
        self.slots[place] = Slot::Dying(child);
        self.reap(place)
    }

    /// Nothing is done while the connection lives: its output comes first, and ends with an error.
    fn reap(&mut self, place: usize) -> io::Result<()> {
        let ended = match &self.slots[place] {
            Slot::Dying(child) => child.reap()?.is_some(),
            Slot::Open(_) | Slot::Free => false,
        };
        if ended {
            self.slots[place] = Slot::Free;
        }
        Ok(())
    }
}

fn event_data(place: usize, descriptor: u64) -> EventData {
    EventData::new_u64((place as u64) << 2 | descriptor)
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
