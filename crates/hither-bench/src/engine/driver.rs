//! The event loop.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use super::channel::Channel;
use super::connection::{Connection, Sink};
use super::{ConnectionId, Dial, Failure, Load, Wishes};
use crate::stats::Moment;

/// Room for the largest message and what is read behind it.
const BUFFER: usize = 5 << 20;
/// Most that is read at once: judging it takes about 50 µs, which is what a key that arrives
/// meanwhile has to wait for each flood.
const READ_MAX: usize = 32 * 1024;

/// Why a run of the engine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The load had all it wanted.
    Finished,
    /// The time was over.
    TimedOut,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// The generator: connections to one server and the loads that run over them, one after the other.
#[derive(Debug)]
pub(crate) struct Engine {
    dial: Dial,
    epoll: OwnedFd,
    start: Instant,
    interrupted: Arc<AtomicBool>,
    wires: Wires,
    buffer: Vec<u8>,
}

/// The connections, by number.
#[derive(Debug, Default)]
struct Wires {
    connections: Vec<Option<Connection>>,
    /// Connections that wait for their bucket to fill.
    resting: Vec<ConnectionId>,
}

impl Engine {
    /// A generator without connections.
    pub(crate) fn new(dial: Dial, interrupted: Arc<AtomicBool>) -> io::Result<Self> {
        // The kernel may be late by the timer slack; the schedule of an open loop should not be.
        rustix::thread::set_current_timer_slack(NonZeroU64::new(1000))?;
        Ok(Self {
            dial,
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            start: Instant::now(),
            interrupted,
            wires: Wires::default(),
            buffer: vec![0; BUFFER],
        })
    }

    /// Changes how further connections are made.
    pub(crate) const fn dial_mut(&mut self) -> &mut Dial {
        &mut self.dial
    }

    /// How many connections it has had.
    pub(crate) const fn connections(&self) -> usize {
        self.wires.connections.len()
    }

    /// Those of `ids` whose connection has not ended.
    pub(crate) fn still_open(&self, ids: &[ConnectionId]) -> Vec<ConnectionId> {
        let is_open =
            |id: &ConnectionId| self.wires.connections.get(id.0).is_some_and(Option::is_some);
        ids.iter().copied().filter(is_open).collect()
    }

    /// The session that was made for a connection, where sessions are made.
    pub(crate) fn session(&self, id: ConnectionId) -> Option<String> {
        self.wires.connections.get(id.0)?.as_ref()?.session().map(str::to_owned)
    }

    /// The time on the engine's clock.
    pub(crate) fn now(&self) -> Moment {
        self.start.elapsed()
    }

    /// Runs `load` until it is finished, for `limit` at most.
    pub(crate) fn run(&mut self, load: &mut impl Load, limit: Duration) -> io::Result<Stop> {
        let deadline = self.now() + limit;
        let mut wishes = Wishes::default();
        let mut events = Vec::with_capacity(1024);
        load.handle_start(self.now(), &mut wishes);
        self.fulfil(load, &mut wishes)?;
        while !load.is_finished() {
            if self.interrupted.load(Ordering::Relaxed) {
                return Ok(Stop::Interrupted);
            }
            let now = self.now();
            if now >= deadline {
                return Ok(Stop::TimedOut);
            }
            let next = [load.poll_timer(), self.wake_resting(now)?, Some(deadline)];
            self.wait(&mut events, next.into_iter().flatten().min().unwrap_or(deadline))?;
            // People first: what the client itself makes an echo wait would count as the server's.
            for flooding in [false, true] {
                for event in &events {
                    if self.is_flooding(event) == flooding {
                        self.handle(event, load, &mut wishes)?;
                    }
                }
            }
            let now = self.now();
            if load.poll_timer().is_some_and(|timer| timer <= now) {
                load.handle_timer(now, &mut wishes);
                self.fulfil(load, &mut wishes)?;
            }
        }
        Ok(Stop::Finished)
    }

    fn wait(&self, events: &mut Vec<epoll::Event>, until: Moment) -> io::Result<()> {
        events.clear();
        let timeout = Timespec::try_from(until.saturating_sub(self.now())).ok();
        let space = rustix::buffer::spare_capacity(events);
        match epoll::wait(&self.epoll, space, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the event is about a connection that brought much the last time.
    fn is_flooding(&self, event: &epoll::Event) -> bool {
        let id = usize::try_from(event.data.u64()).expect("made from a usize");
        let connection = self.wires.connections.get(id);
        connection.is_some_and(|it| it.as_ref().is_some_and(Connection::is_flooding))
    }

    fn handle(
        &mut self,
        event: &epoll::Event,
        load: &mut impl Load,
        wishes: &mut Wishes,
    ) -> io::Result<()> {
        let id = ConnectionId(usize::try_from(event.data.u64()).expect("made from a usize"));
        let ready = self.handle_ready(id, event.flags, load, wishes);
        if let Err(failure) = ready {
            self.wires.connections[id.0] = None;
            load.handle_end(id, self.now(), &failure, wishes);
        }
        self.fulfil(load, wishes)
    }

    fn handle_ready(
        &mut self,
        id: ConnectionId,
        flags: EventFlags,
        load: &mut impl Load,
        wishes: &mut Wishes,
    ) -> Result<(), Failure> {
        let Some(Some(connection)) = self.wires.connections.get_mut(id.0) else { return Ok(()) };
        let now = self.start.elapsed();
        let mut sink = LoadSink { load, wishes, id, start: self.start };
        if flags.contains(EventFlags::OUT) {
            connection.flush()?;
            connection.handle_connected(&mut sink);
            if !connection.has_unsent() {
                watch(&self.epoll, connection, id, EventFlags::IN)?;
            }
        }
        if !flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            return Ok(());
        }
        let read_max =
            connection.limiter.as_mut().map_or(READ_MAX, |limiter| limiter.allowance(now));
        let mut read = 0;
        if read_max > 0 {
            read = connection.read(&self.dial, &mut self.buffer, read_max, &mut sink)?;
            send(&self.epoll, connection, id)?;
        }
        if let Some(limiter) = &mut connection.limiter {
            limiter.take(read);
            watch(&self.epoll, connection, id, EventFlags::empty())?;
            self.wires.resting.push(id);
        }
        Ok(())
    }

    /// Lets throttled connections read again whose bucket has filled; gives the next time to look.
    fn wake_resting(&mut self, now: Moment) -> io::Result<Option<Moment>> {
        let mut next: Option<Moment> = None;
        let mut at = 0;
        while let Some(id) = self.wires.resting.get(at).copied() {
            let Some(connection) = &mut self.wires.connections[id.0] else {
                self.wires.resting.swap_remove(at);
                continue;
            };
            let due = connection.limiter.as_ref().map_or(now, |limiter| limiter.next_event(now));
            let allowance = connection.limiter.as_mut().map_or(READ_MAX, |l| l.allowance(now));
            if allowance >= 512 {
                watch(&self.epoll, connection, id, EventFlags::IN)?;
                self.wires.resting.swap_remove(at);
            } else {
                next = Some(next.map_or(due, |next| next.min(due)));
                at += 1;
            }
        }
        Ok(next)
    }

    fn fulfil(&mut self, load: &mut impl Load, wishes: &mut Wishes) -> io::Result<()> {
        let mut failed = Vec::new();
        for _ in 0..wishes.opened {
            let id = ConnectionId(self.wires.connections.len());
            match self.open(id) {
                Ok(connection) => self.wires.connections.push(Some(connection)),
                Err(error) => {
                    self.wires.connections.push(None);
                    failed.push((id, error));
                }
            }
        }
        for (id, input) in wishes.typed() {
            if let Some(connection) = &mut self.wires.connections[id.0] {
                connection.type_input(input);
                if let Err(error) = send(&self.epoll, connection, id) {
                    failed.push((id, error));
                }
            }
        }
        for id in &wishes.closed {
            self.wires.connections[id.0] = None;
        }
        wishes.clear();
        if failed.is_empty() {
            return Ok(());
        }
        for (id, error) in failed {
            self.wires.connections[id.0] = None;
            load.handle_end(id, self.now(), &error.into(), wishes);
        }
        self.fulfil(load, wishes)
    }

    fn open(&self, id: ConnectionId) -> io::Result<Connection> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family(self.dial.address), SocketType::STREAM, flags, None)?;
        match connect(&socket, &self.dial.address) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        sockopt::set_tcp_nodelay(&socket, true)?;
        let tls = self.dial.tls.as_ref();
        let channel = Channel::new(TcpStream::from(socket), self.dial.address, tls)?;
        let connection = Connection::new(channel, &self.dial, id.0 as u64, self.now());
        let data = EventData::new_u64(id.0 as u64);
        epoll::add(&self.epoll, &connection.channel, data, EventFlags::IN | EventFlags::OUT)?;
        Ok(connection)
    }
}

fn family(address: SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 }
}

/// Sends what a connection has to send, and waits for room when the kernel does not take it all.
fn send(epoll: &OwnedFd, connection: &mut Connection, id: ConnectionId) -> io::Result<()> {
    // With TLS, answers to what was read wait too, and nobody has asked for room for them.
    let waited = connection.has_unsent() && !connection.channel.is_tls();
    connection.flush()?;
    if connection.has_unsent() && !waited {
        watch(epoll, connection, id, EventFlags::IN | EventFlags::OUT)?;
    }
    Ok(())
}

fn watch(
    epoll: &OwnedFd,
    connection: &Connection,
    id: ConnectionId,
    flags: EventFlags,
) -> io::Result<()> {
    Ok(epoll::modify(epoll, &connection.channel, EventData::new_u64(id.0 as u64), flags)?)
}

/// Hands what a connection has read to the load.
struct LoadSink<'a, L> {
    load: &'a mut L,
    wishes: &'a mut Wishes,
    id: ConnectionId,
    start: Instant,
}

impl<L: Load> Sink for LoadSink<'_, L> {
    fn open(&mut self) {
        self.load.handle_open(self.id, self.start.elapsed(), self.wishes);
    }

    fn output(&mut self, bytes: &[u8]) {
        self.load.handle_output(self.id, self.start.elapsed(), bytes, self.wishes);
    }

    fn skip(&mut self, bytes: u64) {
        self.load.handle_skip(self.id, bytes);
    }
}
