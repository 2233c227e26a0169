//! What the server waits for.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use crate::HostError;

/// Whom an event is for. The numbers are never used twice, so an event that is out of date finds
/// nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Listener,
    Connection(u64),
    /// Children of this process have ended.
    Children,
}

/// An epoll instance; level-triggered.
pub(super) struct Poll {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Poll {
    const EVENTS_PER_TURN: usize = 64;

    pub(super) fn new() -> Result<Self, Errno> {
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(Self::EVENTS_PER_TURN),
        })
    }

    pub(super) fn add(&self, fd: impl AsFd, token: Token, flags: EventFlags) -> Result<(), Errno> {
        epoll::add(&self.epoll, fd, token.into(), flags)
    }

    pub(super) fn modify(
        &self,
        fd: impl AsFd,
        token: Token,
        flags: EventFlags,
    ) -> Result<(), Errno> {
        epoll::modify(&self.epoll, fd, token.into(), flags)
    }

    /// To be called before a descriptor is closed: others may hold the same file open, and then
    /// its events would go on. That it was not watched is no matter.
    pub(super) fn remove(&self, fd: impl AsFd) {
        epoll::delete(&self.epoll, fd).ok();
    }

    /// Waits for events, for at most `timeout`.
    pub(super) fn wait(
        &mut self,
        timeout: Option<Duration>,
    ) -> Result<Vec<(Token, EventFlags)>, HostError> {
        self.events.clear();
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(HostError::when("waiting for events")(errno)),
        }
        let events = self.events.iter();
        Ok(events.map(|event| (event.data.into(), event.flags)).collect())
    }
}

// The low two bits say what kind of token it is.
impl From<Token> for EventData {
    fn from(token: Token) -> Self {
        Self::new_u64(match token {
            Token::Listener => 0,
            Token::Connection(id) => id << 2 | 1,
            Token::Children => 2,
        })
    }
}

impl From<EventData> for Token {
    fn from(data: EventData) -> Self {
        let number = data.u64() >> 2;
        match data.u64() & 3 {
            1 => Self::Connection(number),
            2 => Self::Children,
            _ => Self::Listener,
        }
    }
}
