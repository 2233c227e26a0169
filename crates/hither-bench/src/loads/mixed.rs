//! Typists among flooders.

use super::{Flooding, Typing};
use crate::engine::{ConnectionId, Failure, Load, Wishes};
use crate::stats::Moment;

/// Some connections type while others flood; it is over when the typists are.
#[derive(Debug)]
pub(crate) struct Mixed {
    pub(crate) typing: Typing,
    pub(crate) flooding: Flooding,
}

impl Load for Mixed {
    fn handle_start(&mut self, now: Moment, wishes: &mut Wishes) {
        self.flooding.handle_start(now, wishes);
        self.typing.handle_start(now, wishes);
    }

    fn handle_output(&mut self, id: ConnectionId, now: Moment, bytes: &[u8], wishes: &mut Wishes) {
        if self.typing.has(id) {
            self.typing.handle_output(id, now, bytes, wishes);
        } else {
            self.flooding.handle_output(id, now, bytes, wishes);
        }
    }

    fn handle_skip(&mut self, id: ConnectionId, bytes: u64) {
        self.flooding.handle_skip(id, bytes);
    }

    fn handle_end(&mut self, id: ConnectionId, now: Moment, why: &Failure, wishes: &mut Wishes) {
        if self.flooding.has(id) {
            self.flooding.handle_end(id, now, why, wishes);
        } else {
            self.typing.handle_end(id, now, why, wishes);
        }
    }

    fn handle_timer(&mut self, now: Moment, wishes: &mut Wishes) {
        self.typing.handle_timer(now, wishes);
    }

    fn poll_timer(&self) -> Option<Moment> {
        self.typing.poll_timer()
    }

    fn is_finished(&self) -> bool {
        self.typing.is_finished()
    }
}
