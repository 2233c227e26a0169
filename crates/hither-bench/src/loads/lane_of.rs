//! Which lane of a load a connection has.

use crate::engine::ConnectionId;

/// The lanes of some connections, by the numbers of the connections.
#[derive(Debug)]
pub(super) struct LaneOf(Vec<Option<usize>>);

impl LaneOf {
    /// One lane for each of `connections`, in this order.
    pub(super) fn new(connections: &[ConnectionId]) -> Self {
        let mut lanes = vec![None; connections.iter().map(|id| id.0 + 1).max().unwrap_or(0)];
        for (lane, id) in connections.iter().enumerate() {
            lanes[id.0] = Some(lane);
        }
        Self(lanes)
    }

    /// The lane of a connection, if it has one.
    pub(super) fn find(&self, id: ConnectionId) -> Option<usize> {
        self.0.get(id.0).copied().flatten()
    }
}
