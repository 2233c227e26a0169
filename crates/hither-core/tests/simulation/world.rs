//! One session, its viewers and the gateway that serves them, as the worker does.

use std::time::Duration;

use hither_core::flow::WINDOW_MAX;
use hither_core::viewer::{Next, Slow, ViewerCursor, ViewerState};
use hither_core::{History, Offset, SIZE_INTERVAL, SizePolicy, ViewerId, WindowSize};

use crate::client::Client;
use crate::link::{Frame, Link, Message};
use crate::random::Random;
use crate::store::{Death, Store};

const CLIENTS: usize = 4;
/// Every snapshot has so many bytes: more than the least window, so that output waits behind it.
const SNAPSHOT_BYTES: u64 = 20_000;

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    random: Random,
    now: u64,
    store: Store,
    size: SizePolicy,
    /// The size that was claimed last, and when this gateway applied its last change.
    claimed: Option<WindowSize>,
    resized: Option<u64>,
    clients: Vec<Client>,
    connections: Vec<Option<Connection>>,
    next_viewer: u64,
    seen: Seen,
}

/// A viewer's connection, on the gateway's side.
#[derive(Debug)]
struct Connection {
    id: ViewerId,
    cursor: ViewerCursor,
    link: Link,
    unseen_snapshot: bool,
    /// The viewer has read its welcome, and sends what is typed at once.
    welcomed: bool,
}

/// What happened, to see that the simulation shows something.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    bytes: u64,
    gaps: u64,
    snapshots: u64,
    crashes: u64,
    drops: u64,
    resumes: u64,
    typed: u64,
    resent: u64,
    resizes: u64,
    waited: u64,
}

impl Seen {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.gaps += other.gaps;
        self.snapshots += other.snapshots;
        self.crashes += other.crashes;
        self.drops += other.drops;
        self.resumes += other.resumes;
        self.typed += other.typed;
        self.resent += other.resent;
        self.resizes += other.resizes;
        self.waited += other.waited;
    }

    pub(crate) fn is_thorough(&self) -> bool {
        let counts = [
            self.gaps,
            self.snapshots,
            self.crashes,
            self.drops,
            self.resumes,
            self.typed,
            self.resent,
            self.resizes,
            self.waited,
        ];
        self.bytes > 100_000_000 && counts.iter().all(|&count| count > 100)
    }
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let client = |random: &mut Random| Client::new(random.once_in(3), random.once_in(3));
        let capacity = History::CAPACITY_MIN << random.below(4);
        Self {
            clients: (0..CLIENTS).map(|_| client(&mut random)).collect(),
            connections: (0..CLIENTS).map(|_| None).collect(),
            random,
            now: 0,
            store: Store::new(capacity.max(2 * History::CAPACITY_MIN), CLIENTS),
            size: SizePolicy::new(WindowSize::DEFAULT),
            claimed: None,
            resized: None,
            next_viewer: 1,
            seen: Seen::default(),
        }
    }

    /// Lets `steps` milliseconds of anything pass, then lets everything come to rest.
    pub(crate) fn run(mut self, steps: u64) -> Seen {
        let flood = [200, 3_000, 20_000][self.random.below(3) as usize];
        for _ in 0..steps {
            self.now += 1;
            self.something_happens();
            let len = self.random.below(flood);
            self.read(len);
            self.turn();
        }
        self.come_to_rest();
        self.check_end();
        self.seen
    }

    fn something_happens(&mut self) {
        let client = self.random.below(CLIENTS as u64) as usize;
        match self.random.below(100) {
            0..=5 => self.connect(client),
            6 => self.drop_connection(client),
            7..=20 => self.type_something(client),
            21..=23 => self.resize(client),
            24 => {
                let until = self.now + self.random.below(300);
                if let Some(connection) = &mut self.connections[client] {
                    connection.link.stall(until);
                }
            }
            25 if self.random.once_in(4) => self.crash(),
            _ => {}
        }
    }

    /// The program writes, and the gateway reads what patient viewers let it.
    fn read(&mut self, len: u64) {
        let history = self.store.history;
        let open = self.connections.iter().flatten();
        let room = open.filter_map(|connection| connection.cursor.patience(&history)).min();
        let len = len.min(room.unwrap_or(u64::MAX)).min(1 << 16);
        self.seen.waited += u64::from(room == Some(0));
        if len > 0 {
            assert!(self.store.transfer(len, None));
            self.seen.bytes += len;
            self.handle_overrun();
        }
    }

    fn handle_overrun(&mut self) {
        let tail = self.store.history.tail();
        for connection in self.connections.iter_mut().flatten() {
            connection.cursor.handle_overrun(tail);
        }
    }

    /// Everything that is under way moves on by a millisecond.
    fn turn(&mut self) {
        for client in 0..CLIENTS {
            self.receive(client);
            while self.serve(client) {}
            let Some(connection) = &mut self.connections[client] else { continue };
            connection.link.step(self.now);
            while let Some(frame) = connection.link.arrived(self.now) {
                connection.welcomed |= matches!(frame, Frame::Welcome { .. });
                for message in self.clients[client].handle(frame) {
                    self.seen.resent += u64::from(matches!(message, Message::Input(_)));
                    connection.link.send_back(self.now, message);
                }
            }
        }
        self.apply_size();
    }

    /// Sends a viewer one thing that it may be sent; false when there is none.
    fn serve(&mut self, client: usize) -> bool {
        let Some(connection) = &mut self.connections[client] else { return false };
        if !connection.link.is_writable() {
            return false;
        }
        let history = self.store.history;
        match connection.cursor.poll(&history) {
            Next::Output(len) => {
                let from = connection.cursor.cursor();
                let bytes = self.store.output(from, len);
                connection.link.send(Frame::Output(from, bytes));
                connection.cursor.handle_sent(from.plus(len), ms(self.now));
                assert!(connection.cursor.flow().in_flight() <= WINDOW_MAX);
                true
            }
            Next::Snapshot if self.clients[client].raw => {
                if let Some((from, to)) = connection.cursor.handle_gap(history.head()) {
                    connection.link.send(Frame::Gap(from, to));
                }
                self.seen.gaps += 1;
                true
            }
            Next::Snapshot => {
                assert!(!connection.unseen_snapshot, "one snapshot at a time");
                let gap = connection.cursor.handle_snapshot(history.head(), SNAPSHOT_BYTES);
                if let Some((from, to)) = gap {
                    connection.link.send(Frame::Gap(from, to));
                    self.seen.gaps += 1;
                }
                connection.link.send(Frame::Snapshot(history.head()));
                connection.unseen_snapshot = true;
                self.seen.snapshots += 1;
                true
            }
            Next::Idle | Next::Blocked => false,
        }
    }

    /// Takes what a viewer has said.
    fn receive(&mut self, client: usize) {
        let now = self.now;
        while let Some(connection) = &mut self.connections[client]
            && let Some(message) = connection.link.arrived_back(now)
        {
            match message {
                Message::Ack(offset) => {
                    connection.cursor.handle_ack(offset, ms(now)).expect("only what was sent");
                    connection.unseen_snapshot &= offset < connection.cursor.flow().acked();
                }
                Message::Input(number) => {
                    connection.cursor.handle_typing(&self.store.history);
                    if self.store.handle_input(client, number) {
                        connection.link.send(Frame::InputAck(number));
                        self.seen.typed += 1;
                    }
                }
                Message::Resize(size) => {
                    self.size.handle_claim(connection.id, size);
                    self.claimed = Some(size);
                }
            }
        }
    }

    fn apply_size(&mut self) {
        let before = self.size.size();
        if let Some((size, _)) = self.size.poll(ms(self.now))
            && size != before
        {
            let interval = SIZE_INTERVAL.as_millis() as u64;
            assert!(self.resized.is_none_or(|at| self.now - at >= interval), "too often");
            self.resized = Some(self.now);
            self.seen.resizes += 1;
        }
    }

    /// A viewer comes, or comes back.
    fn connect(&mut self, client: usize) {
        if self.connections[client].is_some() {
            return;
        }
        let (history, model) = (self.store.history, &self.clients[client]);
        let wanted = model.next.map(Offset);
        let resume = match wanted {
            Some(offset) => Some(offset),
            None if model.raw => Some(history.tail()),
            None => None,
        };
        let slow = if model.patient { Slow::Wait } else { Slow::Skip };
        let cursor = ViewerCursor::new(&history, resume, slow);
        let resumed = cursor.state() == ViewerState::Live && wanted == Some(cursor.cursor());
        self.seen.resumes += u64::from(resumed);
        let id = ViewerId(self.next_viewer);
        self.next_viewer += 1;
        let mut link = Link::new(&mut self.random);
        let (offset, accepted) = (cursor.cursor(), self.store.accepted(client));
        link.send(Frame::Welcome { offset, resumed, accepted });
        self.connections[client] =
            Some(Connection { id, cursor, link, unseen_snapshot: false, welcomed: false });
    }

    fn drop_connection(&mut self, client: usize) {
        if let Some(connection) = self.connections[client].take() {
            self.size.handle_detach(connection.id);
            self.seen.drops += 1;
        }
    }

    fn type_something(&mut self, client: usize) {
        let model = &mut self.clients[client];
        model.given += 1;
        // Without a connection it is kept, and sent after the next welcome.
        if let Some(connection) = &mut self.connections[client]
            && connection.welcomed
        {
            connection.link.send_back(self.now, Message::Input(model.given));
        }
    }

    fn resize(&mut self, client: usize) {
        let (cols, rows) = (self.random.below(300) as u32, self.random.below(100) as u32);
        let size = WindowSize::clamped(cols, rows);
        if let Some(connection) = &mut self.connections[client] {
            connection.link.send_back(self.now, Message::Resize(size));
        }
    }

    /// The gateway is killed in the middle of a read; the next one finds what it left.
    fn crash(&mut self) {
        let len = self.random.below(8000) + 1;
        let death = Death::somewhere(&mut self.random, len);
        self.store.transfer(len, Some(death));
        self.store.recover();
        for connection in &mut self.connections {
            *connection = None;
        }
        self.size = SizePolicy::new(self.size.size());
        self.claimed = None;
        // How long ago the last change was is not known to the next gateway.
        self.resized = None;
        self.seen.crashes += 1;
    }

    /// The program is silent, links are good, everybody is connected.
    fn come_to_rest(&mut self) {
        for client in 0..CLIENTS {
            self.connect(client);
        }
        for _ in 0..2000 {
            self.now += 1;
            for connection in self.connections.iter_mut().flatten() {
                connection.link.heal();
            }
            self.turn();
        }
    }

    fn check_end(&self) {
        let head = self.store.history.head().0;
        for (client, model) in self.clients.iter().enumerate() {
            assert_eq!(model.next, Some(head), "viewer {client} has everything");
            assert_eq!(model.accepted, model.given, "input of {client} was accepted");
            let typed = self.store.typed.iter().filter(|(from, _)| *from == client);
            let numbers: Vec<u64> = typed.map(|&(_, number)| number).collect();
            assert!(numbers.into_iter().eq(1..=model.given), "input of {client}, once, in order");
        }
        if let Some(claimed) = self.claimed {
            assert_eq!(self.size.size(), claimed, "the last size wins");
        }
    }
}

const fn ms(now: u64) -> Duration {
    Duration::from_millis(now)
}
