//! A connection: what is under way, how fast, how far.

use std::collections::VecDeque;

use hither_core::{Offset, WindowSize};

use crate::random::Random;

/// From the gateway.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    Welcome { offset: Offset, resumed: bool, accepted: u64 },
    Output(Offset, Vec<u8>),
    Snapshot(Offset),
    Gap(Offset, Offset),
    InputAck(u64),
}

/// From the viewer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Message {
    Ack(Offset),
    Input(u64),
    Resize(WindowSize),
}

/// Both directions of one connection. Times are in milliseconds.
#[derive(Debug)]
pub(crate) struct Link {
    latency: u64,
    /// Bytes that pass in a millisecond.
    rate: u64,
    credit: u64,
    stalled_until: u64,
    queue: VecDeque<Frame>,
    queued: u64,
    flying: VecDeque<(u64, Frame)>,
    back: VecDeque<(u64, Message)>,
}

/// What the socket's buffer takes before it refuses more.
const SOCKET_BYTES: u64 = 48 << 10;
/// What a snapshot weighs.
const SNAPSHOT_BYTES: u64 = 6000;

impl Frame {
    const fn len(&self) -> u64 {
        match self {
            Self::Output(_, bytes) => 16 + bytes.len() as u64,
            Self::Snapshot(_) => SNAPSHOT_BYTES,
            Self::Welcome { .. } | Self::Gap(..) | Self::InputAck(_) => 32,
        }
    }
}

impl Link {
    pub(crate) fn new(random: &mut Random) -> Self {
        Self {
            latency: [0, 1, 20, 150][random.below(4) as usize],
            rate: [10, 100, 1000, 100_000][random.below(4) as usize],
            credit: 0,
            stalled_until: 0,
            queue: VecDeque::new(),
            queued: 0,
            flying: VecDeque::new(),
            back: VecDeque::new(),
        }
    }

    pub(crate) const fn is_writable(&self) -> bool {
        self.queued < SOCKET_BYTES
    }

    pub(crate) fn send(&mut self, frame: Frame) {
        self.queued += frame.len();
        self.queue.push_back(frame);
    }

    pub(crate) fn send_back(&mut self, now: u64, message: Message) {
        self.back.push_back((now + self.latency, message));
    }

    pub(crate) const fn stall(&mut self, until: u64) {
        self.stalled_until = until;
    }

    /// From now on it is as fast as a link can be.
    pub(crate) const fn heal(&mut self) {
        (self.rate, self.latency, self.stalled_until) = (1 << 20, 0, 0);
    }

    /// One millisecond passes.
    pub(crate) fn step(&mut self, now: u64) {
        if now < self.stalled_until {
            return;
        }
        self.credit = (self.credit + self.rate).min(self.rate.max(SNAPSHOT_BYTES) * 20);
        while let Some(frame) = self.queue.front()
            && frame.len() <= self.credit.max(1)
        {
            let frame = self.queue.pop_front().unwrap();
            self.credit = self.credit.saturating_sub(frame.len());
            self.queued -= frame.len();
            self.flying.push_back((now + self.latency, frame));
        }
    }

    pub(crate) fn arrived(&mut self, now: u64) -> Option<Frame> {
        let due = self.flying.front().is_some_and(|&(due, _)| due <= now);
        if due { self.flying.pop_front().map(|(_, frame)| frame) } else { None }
    }

    pub(crate) fn arrived_back(&mut self, now: u64) -> Option<Message> {
        let due = self.back.front().is_some_and(|&(due, _)| due <= now);
        if due { self.back.pop_front().map(|(_, message)| message) } else { None }
    }
}
