//! Tickets: each opens one WebSocket, once.
//!
//! A cookie goes with every WebSocket that any page opens. A ticket only our own page can have
//! asked for, and nobody can use it a second time.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use hither_core::{Role, SessionId};

use crate::principal::Principal;
use crate::secret::{Digest, SECRET_TEXT_MAX, Secret};

/// How long a ticket is good.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);
/// Most tickets of one principal at a time; one more takes the place of its oldest.
pub const TICKETS_OF_ONE_MAX: usize = 32;
/// Most tickets at a time.
pub const TICKETS_MAX: usize = 4096;

/// What a ticket opens, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// For whom it was made.
    pub principal: Principal,
    /// The session that it opens.
    pub session: SessionId,
    /// The most that the viewer may do.
    pub role: Role,
}

/// Tickets that have not been used.
#[derive(Debug, Default)]
pub struct Tickets {
    /// Oldest first, so in the order in which they expire.
    issued: VecDeque<Issued>,
}

#[derive(Debug)]
struct Issued {
    digest: Digest,
    expires: SystemTime,
    ticket: Ticket,
}

/// There are too many tickets that nobody has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limit of {TICKETS_MAX} unused tickets is reached")]
pub struct TooManyTickets;

/// A text that is no ticket, or one that was used, is too old or was made for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ticket is wrong, was used, has expired, or is for another session")]
pub struct TicketRefused;

impl Tickets {
    /// Makes a ticket.
    ///
    /// # Errors
    /// When there are as many as there may be, and none of this principal's to take the place of.
    pub fn issue(
        &mut self,
        ticket: Ticket,
        random: [u8; 32],
        now: SystemTime,
    ) -> Result<Secret, TooManyTickets> {
        self.issued.retain(|issued| now < issued.expires);
        let who = ticket.principal.who();
        let is_theirs = |issued: &Issued| issued.ticket.principal.who() == who;
        if self.issued.iter().filter(|issued| is_theirs(issued)).count() >= TICKETS_OF_ONE_MAX {
            let oldest = self.issued.iter().position(is_theirs);
            oldest.and_then(|at| self.issued.remove(at));
        }
        if self.issued.len() >= TICKETS_MAX {
            return Err(TooManyTickets);
        }
        let secret = Secret::from_random(random);
        let digest = secret.digest();
        self.issued.push_back(Issued { digest, expires: now + TICKET_LIFE, ticket });
        Ok(secret)
    }

    /// Uses a ticket up, for the session that it was made for. One that is shown for another
    /// session is used up too.
    ///
    /// # Errors
    /// See [`TicketRefused`].
    pub fn redeem(
        &mut self,
        text: &str,
        session: SessionId,
        now: SystemTime,
    ) -> Result<Ticket, TicketRefused> {
        if text.len() > SECRET_TEXT_MAX {
            return Err(TicketRefused);
        }
        let digest = Digest::of(text);
        let mut found = None;
        for (at, issued) in self.issued.iter().enumerate() {
            if issued.digest.matches(&digest).into() {
                found = Some(at);
            }
        }
        let issued = found.and_then(|at| self.issued.remove(at)).ok_or(TicketRefused)?;
        // Nor is one good that a clock which was set back brought to life again.
        let is_young = now < issued.expires && issued.expires <= now + TICKET_LIFE;
        let is_good = is_young && issued.ticket.session == session;
        is_good.then_some(issued.ticket).ok_or(TicketRefused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::{Way, Who};
    use crate::scope::Scopes;
    use crate::user::UserId;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn session(n: u8) -> SessionId {
        SessionId::from_random([n; 10])
    }

    fn ticket(user: u64) -> Ticket {
        let principal = Principal {
            who: Who::User(UserId(user)),
            name: "x".to_owned(),
            way: Way::NoAuth,
            scopes: Scopes::ALL,
            expires: None,
            generation: 0,
            with: None,
        };
        Ticket { principal, session: session(1), role: Role::Operator }
    }

    fn random(n: usize) -> [u8; 32] {
        let mut bits = [0; 32];
        bits[..8].copy_from_slice(&u64::try_from(n).unwrap().to_be_bytes());
        bits
    }

    #[test]
    fn a08_is_good_once() {
        let mut tickets = Tickets::default();
        let text = tickets.issue(ticket(1), random(1), NOW).unwrap().to_text();
        assert_eq!(tickets.redeem("guess", session(1), NOW), Err(TicketRefused));
        assert_eq!(tickets.redeem(&text, session(1), NOW), Ok(ticket(1)));
        assert_eq!(tickets.redeem(&text, session(1), NOW), Err(TicketRefused));
    }

    #[test]
    fn a08_is_good_for_thirty_seconds_and_one_session() {
        let second = Duration::from_secs(1);
        for (of, at, good) in [
            (1, NOW + TICKET_LIFE - second, true),
            (1, NOW + TICKET_LIFE, false),
            (1, NOW + TICKET_LIFE + second, false),
            (2, NOW, false),
        ] {
            let mut tickets = Tickets::default();
            let text = tickets.issue(ticket(1), random(1), NOW).unwrap().to_text();
            assert_eq!(tickets.redeem(&text, session(of), at).is_ok(), good, "{of} {at:?}");
            assert_eq!(tickets.redeem(&text, session(1), NOW), Err(TicketRefused));
        }
        let mut tickets = Tickets::default();
        let later = NOW + second;
        let text = tickets.issue(ticket(1), random(1), later).unwrap().to_text();
        assert_eq!(tickets.redeem(&text, session(1), NOW), Err(TicketRefused));
    }

    #[test]
    fn one_principal_cannot_take_the_place_of_others() {
        let mut tickets = Tickets::default();
        let other = tickets.issue(ticket(2), random(0), NOW).unwrap().to_text();
        let texts: Vec<_> = (1..=TICKETS_OF_ONE_MAX + 1)
            .map(|n| tickets.issue(ticket(1), random(n), NOW).unwrap().to_text())
            .collect();
        assert!(tickets.redeem(&texts[0], session(1), NOW).is_err());
        assert!(tickets.redeem(&texts[1], session(1), NOW).is_ok());
        assert!(tickets.redeem(&other, session(1), NOW).is_ok());
    }

    #[test]
    fn there_is_a_limit_for_all_and_time_heals_it() {
        let mut tickets = Tickets::default();
        for n in 0..TICKETS_MAX {
            let user = u64::try_from(n).unwrap();
            tickets.issue(ticket(user), random(n), NOW).unwrap();
        }
        let one_more = ticket(u64::MAX);
        let refused = tickets.issue(one_more.clone(), random(TICKETS_MAX), NOW);
        assert_eq!(refused.err(), Some(TooManyTickets));
        assert!(tickets.issue(one_more, random(TICKETS_MAX), NOW + TICKET_LIFE).is_ok());
    }
}
