//! What decides what is typed when.

use super::Failure;
use crate::stats::Moment;

/// Number of a connection in its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId(pub(crate) usize);

/// A load: a state machine of what is opened, typed and expected.
pub(crate) trait Load {
    /// The load begins.
    fn handle_start(&mut self, now: Moment, wishes: &mut Wishes);

    /// A connection is open: what is typed now reaches the program.
    fn handle_open(&mut self, _id: ConnectionId, _now: Moment, _wishes: &mut Wishes) {}

    /// Output of one message has arrived.
    fn handle_output(&mut self, id: ConnectionId, now: Moment, bytes: &[u8], wishes: &mut Wishes);

    /// The server has skipped output and said so.
    fn handle_skip(&mut self, _id: ConnectionId, _bytes: u64) {}

    /// A connection has ended that the load did not close.
    fn handle_end(&mut self, id: ConnectionId, now: Moment, why: &Failure, wishes: &mut Wishes);

    /// The time of [`poll_timer`](Self::poll_timer) has come.
    fn handle_timer(&mut self, _now: Moment, _wishes: &mut Wishes) {}

    /// When the load wants to be called next, whatever happens.
    fn poll_timer(&self) -> Option<Moment> {
        None
    }

    /// Whether the load has all it wanted.
    fn is_finished(&self) -> bool;
}

/// What a load wants done. The engine does it as soon as the load returns, in this order.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(super) opened: usize,
    bytes: Vec<u8>,
    typed: Vec<(ConnectionId, usize)>,
    pub(super) closed: Vec<ConnectionId>,
}

impl Wishes {
    /// Opens one more connection; it gets the next number.
    pub(crate) const fn open(&mut self) {
        self.opened += 1;
    }

    /// Types `input` on a connection.
    pub(crate) fn type_input(&mut self, id: ConnectionId, input: &[u8]) {
        self.bytes.extend_from_slice(input);
        self.typed.push((id, self.bytes.len()));
    }

    /// Closes a connection; the load hears no more of it.
    pub(crate) fn close(&mut self, id: ConnectionId) {
        self.closed.push(id);
    }

    /// What is to be typed where.
    pub(crate) fn typed(&self) -> impl Iterator<Item = (ConnectionId, &[u8])> {
        let mut start = 0;
        self.typed.iter().map(move |(id, end)| {
            let input = &self.bytes[start..*end];
            start = *end;
            (*id, input)
        })
    }

    pub(super) fn clear(&mut self) {
        self.opened = 0;
        self.bytes.clear();
        self.typed.clear();
        self.closed.clear();
    }
}
