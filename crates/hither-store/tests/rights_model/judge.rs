//! What everybody may do, by the model and by the store.

use std::collections::BTreeSet;

use hither_auth::{
    ADMIN_IDLE, FetchSite, Forbidden, FromWhere, Intent, LOGIN_LIFE, Level, Peer, Presented,
    Principal, Scope, UserId, authorize,
};
use proptest::prelude::*;

use crate::world::{Credential, Held, SESSIONS, World, session, time};

impl World {
    /// Who is behind a credential, as the gateway finds out for a request.
    pub(crate) fn verify(&self, credential: &Credential) -> Option<Principal> {
        let now = time(self.now);
        if let Held::Link { .. } = credential.held {
            return self
                .verifier
                .people
                .share_with(&credential.secret, now)
                .map(|share| share.holder(None));
        }
        let header = format!("Bearer {}", credential.secret);
        let shown = Presented {
            peer: Peer::Network,
            intent: Intent::Change,
            from: FromWhere::Absent,
            site: FetchSite::Absent,
            authorization: Some(&header),
            cookies: "",
            cookie_name: &self.cookie,
            vouched: None,
        };
        self.verifier.verify(&shown, now).ok()
    }

    /// Whose it is by the model, and what for; none when it is good for nothing.
    pub(crate) fn worth(
        &self,
        credential: &Credential,
    ) -> Option<(Option<usize>, BTreeSet<Scope>)> {
        let is_here = |user: usize| self.users[user].is_here;
        let all = |user: usize| -> BTreeSet<Scope> {
            let is_admin = self.users[user].is_admin;
            Scope::ALL.into_iter().filter(|scope| is_admin || *scope != Scope::Admin).collect()
        };
        match &credential.held {
            _ if credential.is_withdrawn => None,
            Held::Token { user, scopes, until, .. } => {
                let named: BTreeSet<Scope> = scopes.iter().collect();
                let named = if named.contains(&Scope::Admin) { Scope::ALL.into() } else { named };
                let both = all(*user).intersection(&named).copied().collect();
                (is_here(*user) && self.now < *until).then_some((Some(*user), both))
            }
            Held::Login { user, opened, seen, generation } => {
                let is_idle = self.now >= seen + ADMIN_IDLE.as_secs();
                let is_good = is_here(*user)
                    && self.now < opened + LOGIN_LIFE.as_secs()
                    && *generation == self.users[*user].generation
                    && !(self.users[*user].is_admin && is_idle);
                is_good.then(|| (Some(*user), all(*user)))
            }
            Held::Link { writes, creator, until, .. } => {
                let mut scopes = BTreeSet::from([Scope::SessionRead]);
                scopes.extend(writes.then_some(Scope::SessionWrite));
                (is_here(*creator) && self.now < *until).then_some((None, scopes))
            }
        }
    }

    /// What the model says: the level, or that it is forbidden.
    pub(crate) fn expected(&self, at: usize, number: u8, needed: Level) -> Option<Level> {
        let credential = &self.credentials[at];
        let (user, scopes) = self.worth(credential)?;
        let owner = self.owner(number);
        let is_owner = user.is_some_and(|user| self.users[user].id == owner);
        let given = match (&credential.held, user) {
            (Held::Link { session, writes, .. }, _) if *session == number => Some(*writes),
            (Held::Link { .. }, _) | (_, None) => None,
            (_, Some(user)) => self.grants.get(&(number, user)).copied(),
        };
        let reach = if is_owner {
            3
        } else if scopes.contains(&Scope::Admin) {
            4
        } else {
            given.map_or(0, |writes| 1 + usize::from(writes))
        };
        let may = |level: &Level| scopes.contains(&level.scope());
        let best = Level::ALL[..reach].iter().copied().rfind(may)?;
        (may(&needed) && best >= needed).then_some(best)
    }

    /// The first session is the first user's, for ever; the others are the machine's.
    pub(crate) fn owner(&self, number: u8) -> UserId {
        match self.users.first() {
            Some(first) if number == 0 => first.id,
            _ => UserId::MACHINE,
        }
    }

    /// Compares what everybody may do with every session, by the first look and by a later one.
    pub(crate) fn check(&mut self) -> Result<(), TestCaseError> {
        for at in 0..self.credentials.len() {
            let before = self.credentials[at].principal.take();
            let worth = self.worth(&self.credentials[at]);
            let fresh = self.verify(&self.credentials[at]);
            let again =
                before.map(|before| self.verifier.verify_again(&before, time(self.now)).ok());
            let shown = &self.credentials[at].held;
            prop_assert_eq!(fresh.is_some(), worth.is_some(), "{:?}", shown);
            if let Some(again) = &again {
                prop_assert_eq!(again.is_some(), worth.is_some(), "again {:?}", shown);
            }
            for principal in [fresh.clone(), again.flatten()].into_iter().flatten() {
                self.compare(at, &principal)?;
            }
            if fresh.is_some()
                && let Held::Login { seen, .. } = &mut self.credentials[at].held
            {
                *seen = self.now;
            }
            self.credentials[at].principal = fresh;
        }
        Ok(())
    }

    pub(crate) fn compare(&self, at: usize, principal: &Principal) -> Result<(), TestCaseError> {
        for number in 0..SESSIONS {
            for needed in Level::ALL {
                let granted = self.verifier.people.granted(principal, session(number));
                let found = authorize(principal, self.owner(number), granted, needed);
                let expect = self.expected(at, number, needed);
                let held = &self.credentials[at].held;
                prop_assert_eq!(found.ok(), expect, "{:?} {} {}", held, number, needed);
                // Who may not see a session is not told that there is one.
                let mut levels = Level::ALL.into_iter();
                let sees = levels.any(|level| self.expected(at, number, level).is_some());
                let is_told = matches!(found, Err(Forbidden::Level { .. }));
                prop_assert!(sees || !is_told, "{:?} {}", held, number);
            }
        }
        Ok(())
    }
}
