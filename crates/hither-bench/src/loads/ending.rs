//! Ends programs by their own end of input.

use crate::engine::{ConnectionId, Failure, Load, Wishes};
use crate::stats::Moment;

/// Types Ctrl-D on each connection, and waits until the server has closed them all.
#[derive(Debug)]
pub(crate) struct Ending {
    open: Vec<ConnectionId>,
}

impl Ending {
    pub(crate) fn new(connections: &[ConnectionId]) -> Self {
        Self { open: connections.to_vec() }
    }
}

impl Load for Ending {
    fn handle_start(&mut self, _now: Moment, wishes: &mut Wishes) {
        self.open.iter().for_each(|id| wishes.type_input(*id, b"\x04"));
    }

    fn handle_output(&mut self, _: ConnectionId, _: Moment, _: &[u8], _: &mut Wishes) {}

    fn handle_end(&mut self, id: ConnectionId, _: Moment, _: &Failure, _: &mut Wishes) {
        self.open.retain(|open| *open != id);
    }

    fn is_finished(&self) -> bool {
        self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_over_when_every_connection_is_closed() {
        let mut load = Ending::new(&[ConnectionId(0), ConnectionId(1)]);
        let mut wishes = Wishes::default();
        load.handle_start(Moment::ZERO, &mut wishes);
        assert_eq!(wishes.typed().count(), 2);
        load.handle_end(ConnectionId(1), Moment::ZERO, &Failure::Closed(Some(1000)), &mut wishes);
        assert!(!load.is_finished());
        load.handle_end(ConnectionId(0), Moment::ZERO, &Failure::Cut, &mut wishes);
        assert!(load.is_finished());
    }
}
