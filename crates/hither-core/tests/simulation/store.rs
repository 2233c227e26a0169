//! What survives a killed gateway: history, journal, pipe and input numbers.

use hither_core::journal::{Intent, recover};
use hither_core::{Admission, History, InputNumber, Offset, SessionId};

use crate::random::{Random, byte_at};

/// The session's memory and its journal.
#[derive(Debug)]
pub(crate) struct Store {
    /// As the gateway knows it; lost with it.
    pub(crate) history: History,
    memory: Vec<u8>,
    /// Head as published in the memory.
    published: Offset,
    intent: Intent,
    pipe: Vec<u8>,
    /// Bytes that have left the PTY: the next one is that of this offset.
    read: u64,
    /// Highest number accepted of each client.
    accepted: Vec<InputNumber>,
    /// What the program was given to read: client and number.
    pub(crate) typed: Vec<(usize, u64)>,
}

/// Where a read is interrupted by the death of the gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Death {
    step: u64,
    copied: u64,
}

impl Death {
    pub(crate) const fn somewhere(random: &mut Random, len: u64) -> Self {
        Self { step: random.below(6), copied: random.below(len + 1) }
    }
}

impl Store {
    pub(crate) fn new(capacity: u64, clients: usize) -> Self {
        let session = SessionId::from_random([7; 10]);
        Self {
            history: History::new(capacity, Offset::ZERO).unwrap(),
            memory: vec![0; capacity as usize],
            published: Offset::ZERO,
            intent: Intent { session, head: Offset::ZERO, pending: 0 },
            pipe: Vec::new(),
            read: 0,
            accepted: vec![InputNumber(0); clients],
            typed: Vec::new(),
        }
    }

    /// Moves `len` bytes of output into the history by the steps of `hither_core::journal`.
    /// False: the gateway died on the way.
    pub(crate) fn transfer(&mut self, len: u64, death: Option<Death>) -> bool {
        let dies_at = |step| death.is_some_and(|death| death.step == step);
        self.intent.head = self.history.head();
        if dies_at(0) {
            return false;
        }
        self.pipe.extend((self.read..self.read + len).map(byte_at));
        self.read += len;
        if dies_at(1) {
            return false;
        }
        self.intent.pending = len;
        if dies_at(2) {
            return false;
        }
        let copied = death.filter(|death| death.step == 3).map_or(len, |death| death.copied);
        self.drain(copied);
        if dies_at(3) {
            return false;
        }
        self.published = self.history.head();
        if dies_at(4) {
            return false;
        }
        self.intent.pending = 0;
        !dies_at(5)
    }

    /// Moves bytes from the pipe behind the head.
    fn drain(&mut self, len: u64) {
        let mut left = len.min(self.pipe.len() as u64);
        while left > 0 {
            let run = self.history.free_run(left);
            let taken = run.len();
            self.memory[run].copy_from_slice(&self.pipe[..taken]);
            self.pipe.drain(..taken);
            self.history.advance(taken as u64);
            left -= taken as u64;
        }
    }

    /// The next gateway takes over.
    pub(crate) fn recover(&mut self) {
        let unread = self.pipe.len() as u64;
        let recovery = recover(self.intent, self.published, unread).expect("consistent");
        self.intent = recovery.intent.unwrap_or(self.intent);
        self.history = History::new(self.history.capacity(), recovery.head).unwrap();
        self.drain(recovery.unread);
        self.published = self.history.head();
        self.intent.pending = 0;
        assert_eq!(self.history.head().0, self.read, "everything read is in the history");
    }

    pub(crate) fn output(&self, from: Offset, len: u64) -> Vec<u8> {
        let spans = self.history.spans(from, len);
        [&self.memory[spans.first], &self.memory[spans.second]].concat()
    }

    /// Input of a client reaches the program if it is the next one. True: it was accepted now.
    pub(crate) fn handle_input(&mut self, client: usize, number: u64) -> bool {
        match InputNumber(number).admit(self.accepted[client]) {
            Admission::Next => {
                self.accepted[client] = InputNumber(number);
                self.typed.push((client, number));
                true
            }
            Admission::Duplicate => false,
            Admission::SkipsAhead => panic!("client {client} left a number out before {number}"),
        }
    }

    pub(crate) fn accepted(&self, client: usize) -> u64 {
        self.accepted[client].0
    }
}
