//! Connections that have not proven anything yet: a bounded number of them, and who has to go when
//! there are too many.
//!
//! sshd drops newcomers at random (`MaxStartups`); a slow flood then keeps the honest out. Here the
//! one who has waited longest goes, of the source that has the most: a connection that is honest
//! needs a moment, and one that stalls is always the oldest.

use std::collections::BTreeMap;

use crate::source::Source;

/// Most connections in the lobby.
pub const LOBBY_MAX: usize = 512;
/// Most connections of one source in the lobby.
pub const LOBBY_SOURCE_MAX: usize = 64;

/// Number of a connection; later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guest(u64);

/// The connections that wait.
#[derive(Debug)]
pub struct Lobby {
    guests: BTreeMap<Guest, Option<Source>>,
    counts: BTreeMap<Option<Source>, usize>,
    next: u64,
    max: usize,
    source_max: usize,
}

/// What became of a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entered {
    /// Its number.
    pub guest: Guest,
    /// The one that has to go for it.
    pub cut: Option<Guest>,
}

impl Lobby {
    /// An empty lobby with these limits, at least 1 each.
    #[must_use]
    pub const fn new(max: usize, source_max: usize) -> Self {
        Self { guests: BTreeMap::new(), counts: BTreeMap::new(), next: 0, max, source_max }
    }

    /// Connections that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.guests.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.guests.is_empty()
    }

    /// A connection comes. This machine's own share one limit, that of the lobby.
    pub fn handle_arrival(&mut self, source: Option<Source>) -> Entered {
        let guest = Guest(self.next);
        self.next += 1;
        let count = self.counts.get(&source).copied().unwrap_or(0);
        let cut = if source.is_some() && count >= self.source_max {
            self.oldest_of(source)
        } else if self.guests.len() >= self.max {
            self.oldest_of(self.crowd())
        } else {
            None
        };
        if let Some(cut) = cut {
            self.handle_departure(cut);
        }
        self.guests.insert(guest, source);
        *self.counts.entry(source).or_insert(0) += 1;
        Entered { guest, cut }
    }

    /// A connection has proven who it is, or is gone.
    pub fn handle_departure(&mut self, guest: Guest) {
        let Some(source) = self.guests.remove(&guest) else { return };
        if let Some(count) = self.counts.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&source);
            }
        }
    }

    /// The source with the most connections.
    fn crowd(&self) -> Option<Source> {
        self.counts.iter().max_by_key(|(_, count)| **count).and_then(|(source, _)| *source)
    }

    fn oldest_of(&self, source: Option<Source>) -> Option<Guest> {
        self.guests.iter().find(|(_, from)| **from == source).map(|(guest, _)| *guest)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn source(number: u8) -> Option<Source> {
        Source::of(IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)))
    }

    #[test]
    fn there_is_room_up_to_the_limit() {
        let mut lobby = Lobby::new(3, 2);
        let guests: Vec<_> = (1..=3).map(|n| lobby.handle_arrival(source(n))).collect();
        assert!(guests.iter().all(|entered| entered.cut.is_none()));
        lobby.handle_departure(guests[0].guest);
        assert_eq!(lobby.handle_arrival(source(4)).cut, None);
        assert_eq!(lobby.len(), 3);
    }

    #[test]
    fn the_oldest_of_the_largest_crowd_goes() {
        let mut lobby = Lobby::new(6, 4);
        let honest = lobby.handle_arrival(source(1)).guest;
        let crowd: Vec<_> = (0..4).map(|_| lobby.handle_arrival(source(9)).guest).collect();
        assert_eq!(lobby.handle_arrival(source(9)).cut, Some(crowd[0]), "more than its share");
        assert_eq!(lobby.handle_arrival(source(2)).cut, None);
        assert_eq!(lobby.handle_arrival(source(3)).cut, Some(crowd[1]), "the lobby is full");
        assert_eq!(lobby.len(), 6);
        lobby.handle_departure(honest);
        lobby.handle_departure(honest);
        assert_eq!(lobby.len(), 5);
    }

    #[test]
    fn this_machine_has_no_share_but_the_lobby() {
        let mut lobby = Lobby::new(10, 2);
        let first = lobby.handle_arrival(None);
        for _ in 0..9 {
            assert_eq!(lobby.handle_arrival(None).cut, None);
        }
        assert_eq!(lobby.handle_arrival(None).cut, Some(first.guest));
    }

    #[test]
    fn a_flood_of_stalled_connections_never_keeps_a_newcomer_out() {
        let mut lobby = Lobby::new(LOBBY_MAX, LOBBY_SOURCE_MAX);
        for number in 0..100_000_u32 {
            let of = u8::try_from(number % 200).unwrap();
            let entered = lobby.handle_arrival(source(of));
            assert_ne!(entered.cut, Some(entered.guest));
            assert!(lobby.len() <= LOBBY_MAX);
        }
        assert_eq!(lobby.counts.values().sum::<usize>(), lobby.len());
    }
}
