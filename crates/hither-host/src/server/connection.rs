//! One connection: what waits to be sent on it, and whether it is read.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;

use super::Shared;
use super::poll::{Poll, Token};
use super::sessions::Sessions;
use crate::limits::QUEUE_MESSAGES_MAX;
use crate::message::{FromHost, JournalFds};
use crate::peer::Peer;
use crate::socket;
use crate::wire::encode_from_host;

/// A connection that must be given up: the other side is gone, broke a rule or does not read.
pub(super) struct Dropped;

pub(super) struct Connection {
    socket: OwnedFd,
    peer: Peer,
    greeting: Greeting,
    hearing: Hearing,
    /// What the event queue watches for.
    watched: EventFlags,
    /// What waits to be sent; lists and adoptions are not in it but made when they can be sent.
    queue: VecDeque<FromHost<Shared>>,
    adoption: Option<Adoption>,
    listing: Option<Listing>,
}

/// How far the greeting has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Awaited,
    Done,
    /// The versions differ: the answer is sent, then the connection is dropped.
    Failed,
}

/// How much the other side hears.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hearing {
    /// Answers only.
    Answers,
    /// Also of the end of every session: it has claimed them, or had a hand in an end.
    Everything,
    /// Nothing: nobody is there any more.
    Nothing,
}

/// The sessions, by serial number, and the journals that a new claimant has still to be told of.
#[derive(Clone, Copy)]
struct Adoption {
    next: u64,
    end: u64,
    next_journal: u16,
}

/// The sessions that a list has still to name.
#[derive(Clone, Copy)]
struct Listing {
    next: u64,
    end: u64,
}

impl Connection {
    /// While more than this waits to be sent, nothing is read.
    const READ_BELOW: usize = 64;
    /// What is to be watched for at first.
    pub(super) const FIRST_WATCHED: EventFlags = EventFlags::IN;

    pub(super) fn new(socket: OwnedFd, peer: Peer) -> Self {
        Self {
            socket,
            peer,
            greeting: Greeting::Awaited,
            hearing: Hearing::Answers,
            watched: Self::FIRST_WATCHED,
            queue: VecDeque::new(),
            adoption: None,
            listing: None,
        }
    }

    pub(super) fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// Whether it has said hello.
    pub(super) fn is_known(&self) -> bool {
        self.greeting == Greeting::Done
    }

    /// Makes the event queue watch for what matters now.
    pub(super) fn watch(&mut self, poll: &Poll, token: Token) -> Result<(), Dropped> {
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, self.queue.len() < Self::READ_BELOW);
        flags.set(EventFlags::OUT, !self.queue.is_empty());
        if flags != self.watched {
            poll.modify(&self.socket, token, flags).map_err(|_| Dropped)?;
            self.watched = flags;
        }
        Ok(())
    }

    /// Whether the end of the session is for this connection: it listens, and is not about to hear
    /// of the session by adopting it.
    pub(super) fn hears_of(&self, serial: u64) -> bool {
        let to_come = |adoption: Adoption| adoption.next <= serial && serial < adoption.end;
        self.hearing == Hearing::Everything && !self.adoption.is_some_and(to_come)
    }

    /// From now on it is to hear of the end of every session.
    pub(super) fn listen(&mut self) {
        if self.hearing == Hearing::Answers {
            self.hearing = Hearing::Everything;
        }
    }

    /// Answers the greeting.
    pub(super) fn greet(&mut self, answer: Result<FromHost<Shared>, FromHost<Shared>>) {
        self.greeting = match answer {
            Ok(_) => Greeting::Done,
            Err(_) => Greeting::Failed,
        };
        self.tell(answer.unwrap_or_else(|refusal| refusal));
    }

    pub(super) fn tell(&mut self, message: FromHost<Shared>) {
        if self.hearing != Hearing::Nothing {
            self.queue.push_back(message);
        }
    }

    fn mute(&mut self) {
        self.hearing = Hearing::Nothing;
        self.queue.clear();
        self.adoption = None;
        self.listing = None;
    }

    /// Starts to tell of every session with a serial number below `end`, and every journal.
    pub(super) fn start_adoption(&mut self, end: u64) {
        self.listen();
        self.tell(FromHost::Claimed);
        self.adoption = Some(Adoption { next: 0, end, next_journal: 0 });
    }

    /// Starts to name every session with a serial number below `end`.
    pub(super) fn start_list(&mut self, end: u64) -> Result<(), Dropped> {
        if self.listing.is_some() {
            return Err(Dropped);
        }
        self.listing = Some(Listing { next: 0, end });
        Ok(())
    }

    /// Sends as much as the other side takes.
    pub(super) fn pump(
        &mut self,
        sessions: &Sessions,
        journals: &BTreeMap<u16, JournalFds<Shared>>,
    ) -> Result<(), Dropped> {
        if self.queue.len() > QUEUE_MESSAGES_MAX {
            return Err(Dropped);
        }
        loop {
            let Some(message) = self.queue.front() else {
                match self.next_to_tell(sessions, journals) {
                    Some(message) => self.queue.push_back(message),
                    None => break,
                }
                continue;
            };
            match send(&self.socket, message) {
                Ok(()) => drop(self.queue.pop_front()),
                Err(Errno::AGAIN) => return Ok(()),
                // Nobody is there to hear it, but what was said before leaving counts: it is
                // read to its end.
                Err(Errno::PIPE | Errno::CONNRESET) => self.mute(),
                Err(_) => return Err(Dropped),
            }
        }
        match self.greeting {
            Greeting::Awaited | Greeting::Done => Ok(()),
            Greeting::Failed => Err(Dropped),
        }
    }

    /// The next message of an adoption or else of a list.
    fn next_to_tell(
        &mut self,
        sessions: &Sessions,
        journals: &BTreeMap<u16, JournalFds<Shared>>,
    ) -> Option<FromHost<Shared>> {
        if let Some(adoption) = &mut self.adoption {
            let message = adoption.next(sessions, journals);
            if message.is_none() {
                self.adoption = None;
            }
            return Some(message.unwrap_or(FromHost::AdoptEnd));
        }
        let listing = self.listing.as_mut()?;
        let message = listing.next(sessions);
        if message.is_none() {
            self.listing = None;
        }
        Some(message.unwrap_or(FromHost::ListEnd))
    }
}

impl Adoption {
    fn next(
        &mut self,
        sessions: &Sessions,
        journals: &BTreeMap<u16, JournalFds<Shared>>,
    ) -> Option<FromHost<Shared>> {
        if let Some((serial, session, fds)) = sessions.next_to_adopt(self.next..self.end) {
            self.next = serial + 1;
            return Some(FromHost::Adopt { session, fds });
        }
        self.next = self.end;
        let (&index, fds) = journals.range(self.next_journal..).next()?;
        self.next_journal = index + 1;
        let fds = fds.clone();
        Some(FromHost::Journal { index, fds })
    }
}

impl Listing {
    fn next(&mut self, sessions: &Sessions) -> Option<FromHost<Shared>> {
        let (serial, session) = sessions.next_to_list(self.next..self.end)?;
        self.next = serial + 1;
        Some(FromHost::Listed(session))
    }
}

fn send(socket: &OwnedFd, message: &FromHost<Shared>) -> Result<(), Errno> {
    // Only what was within the limits when it came in is ever sent out.
    let (bytes, fds) = encode_from_host(message).map_err(|_| Errno::MSGSIZE)?;
    let fds = fds.map(|fds| fds.map(AsFd::as_fd));
    socket::send(socket.as_fd(), &bytes, fds)
}
