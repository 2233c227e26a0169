//! The store, what should be in it, and what each step changes in both.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use hither_auth::{
    ApiToken, CookieName, Digest, Level, Mode, Principal, Scheme, Scopes, Share, ShareId, TokenId,
    UserId, UserKind, Verifier,
};
use hither_core::SessionId;
use hither_store::{NewToken, NewUser, StateDir, Store};
use proptest::sample::Index;

use crate::step::Step;

pub(crate) const SESSIONS: u8 = 3;
/// Most of each kind at a time, so that steps meet each other.
const MOST: usize = 5;

/// What the model knows of somebody who was let in once.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    Token { id: TokenId, user: usize, scopes: Scopes, until: u64 },
    Login { user: usize, opened: u64, seen: u64, generation: u64 },
    Link { id: ShareId, session: u8, writes: bool, creator: usize, until: u64 },
}

/// A credential, and the last principal that it was worth.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) held: Held,
    pub(crate) secret: String,
    pub(crate) is_withdrawn: bool,
    pub(crate) principal: Option<Principal>,
}

#[derive(Clone, Debug)]
pub(crate) struct ModelUser {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) is_admin: bool,
    pub(crate) is_here: bool,
    pub(crate) generation: u64,
}

/// The store and its image, and beside them what should be.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) verifier: Verifier,
    pub(crate) cookie: CookieName,
    pub(crate) now: u64,
    pub(crate) drawn: u64,
    pub(crate) users: Vec<ModelUser>,
    pub(crate) credentials: Vec<Credential>,
    /// Levels that were given; true is to write.
    pub(crate) grants: BTreeMap<(u8, usize), bool>,
    pub(crate) forgotten: BTreeSet<u8>,
}

pub(crate) fn time(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + second)
}

pub(crate) fn session(number: u8) -> SessionId {
    SessionId::from_random([number; 10])
}

pub(crate) fn open(dir: &tempfile::TempDir) -> Store {
    Store::open(&StateDir::open(&dir.path().join("state")).unwrap()).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        // In memory where there is such a place: what is asked is not whether the disk keeps it.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let store = open(&dir);
        let verifier = Verifier::new(Mode::Required, store.people("me").unwrap());
        Self {
            dir,
            store,
            verifier,
            cookie: CookieName::new(Scheme::Http, 7681),
            now: 0,
            drawn: 0,
            users: Vec::new(),
            credentials: Vec::new(),
            grants: BTreeMap::new(),
            forgotten: BTreeSet::new(),
        }
    }

    /// Random bits that nobody had before.
    pub(crate) fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        let mut bits = [0; 32];
        bits[..8].copy_from_slice(&self.drawn.to_be_bytes());
        bits
    }

    /// One of those users who are here.
    pub(crate) fn pick(&self, index: &Index) -> Option<usize> {
        let here: Vec<usize> =
            (0..self.users.len()).filter(|&user| self.users[user].is_here).collect();
        (!here.is_empty()).then(|| *index.get(&here))
    }

    /// One of the credentials of a kind that were not withdrawn.
    pub(crate) fn pick_of(&self, index: &Index, is_kind: impl Fn(&Held) -> bool) -> Option<usize> {
        let fits = |at: &usize| {
            let credential = &self.credentials[*at];
            !credential.is_withdrawn && is_kind(&credential.held)
        };
        let found: Vec<usize> = (0..self.credentials.len()).filter(fits).collect();
        (!found.is_empty()).then(|| *index.get(&found))
    }

    pub(crate) fn count(&self, is_kind: impl Fn(&Held) -> bool) -> usize {
        let live = self.credentials.iter().filter(|credential| !credential.is_withdrawn);
        live.filter(|credential| is_kind(&credential.held)).count()
    }

    pub(crate) fn hold(&mut self, held: Held, secret: String) {
        let credential = Credential { held, secret, is_withdrawn: false, principal: None };
        self.credentials.push(credential);
    }

    pub(crate) fn name(&self, user: usize) -> hither_auth::UserName {
        self.users[user].name.parse().unwrap()
    }

    pub(crate) fn apply(&mut self, step: &Step) {
        match step {
            Step::AddUser { is_admin } => self.add_user(*is_admin),
            Step::RemoveUser(index) => self.with_user(index, Self::remove_user),
            Step::SetPassword(index) => self.with_user(index, |world, user| {
                world.store.set_password(&world.name(user), "another").unwrap();
                world.users[user].generation += 1;
            }),
            Step::EndLogins(index) => self.with_user(index, |world, user| {
                world.store.end_logins(world.users[user].id).unwrap();
                world.users[user].generation += 1;
            }),
            Step::AddToken { user, scopes, life } => self.with_user(user, |world, user| {
                world.add_token(user, *scopes, *life);
            }),
            Step::RevokeToken(index) => self.revoke_token(index),
            Step::LogIn(index) => self.with_user(index, Self::log_in),
            Step::LogOut(index) => self.log_out(index),
            Step::Grant { session: number, user, level } => {
                self.with_user(user, |world, user| world.grant(*number, user, *level));
            }
            Step::Share { session, creator, level, life } => {
                self.with_user(creator, |world, creator| {
                    world.share(*session, creator, *level, *life);
                });
            }
            Step::RevokeShare(index) => self.revoke_share(index),
            Step::Forget { session } => self.forget(*session),
            Step::Pass(seconds) => self.now += seconds,
            Step::Restart => self.restart(),
        }
        self.verifier.people = self.store.people("me").unwrap();
    }

    pub(crate) fn with_user(&mut self, index: &Index, act: impl FnOnce(&mut Self, usize)) {
        if let Some(user) = self.pick(index) {
            act(self, user);
        }
    }

    pub(crate) fn add_user(&mut self, is_admin: bool) {
        if self.users.iter().filter(|user| user.is_here).count() >= MOST {
            return;
        }
        // A name comes back after its user has gone, as somebody else.
        let name = ["ann", "bob", "cat", "dan", "eve"];
        let is_free =
            |name: &&str| !self.users.iter().any(|user| user.is_here && user.name == *name);
        let name = name.into_iter().find(is_free).unwrap().to_owned();
        let kind = if is_admin { UserKind::Admin } else { UserKind::Member };
        let new = NewUser { name: name.parse().unwrap(), kind, password: None };
        let id = self.store.add_user(&new, time(self.now)).unwrap();
        assert!(self.users.iter().all(|user| user.id != id), "numbers are never given again");
        self.users.push(ModelUser { id, name, is_admin, is_here: true, generation: 0 });
    }

    pub(crate) fn remove_user(&mut self, user: usize) {
        self.store.remove_user(&self.name(user)).unwrap();
        self.users[user].is_here = false;
        self.grants.retain(|(_, granted), _| *granted != user);
    }

    pub(crate) fn add_token(&mut self, user: usize, scopes: Scopes, life: u64) {
        if self.count(|held| matches!(held, Held::Token { .. })) >= MOST {
            return;
        }
        let token = ApiToken::from_random(self.draw());
        let until = self.now + life;
        let new = NewToken {
            user: self.users[user].id,
            name: "ci".to_owned(),
            digest: token.digest(),
            scopes,
            expires: time(until),
        };
        let id = self.store.add_token(&new, time(self.now)).unwrap();
        self.hold(Held::Token { id, user, scopes, until }, token.to_text());
    }

    pub(crate) fn revoke_token(&mut self, index: &Index) {
        let Some(at) = self.pick_of(index, |held| matches!(held, Held::Token { .. })) else {
            return;
        };
        let Held::Token { id, .. } = self.credentials[at].held else { unreachable!() };
        // One that has expired, or whose user is gone, may not be there any more.
        self.store.revoke_token(id).ok();
        self.credentials[at].is_withdrawn = true;
    }

    pub(crate) fn log_in(&mut self, user: usize) {
        if self.count(|held| matches!(held, Held::Login { .. })) >= MOST {
            return;
        }
        let (bits, now) = (self.draw(), self.now);
        let ModelUser { id, generation, .. } = self.users[user];
        let secret = self.verifier.logins.open(id, generation, bits, time(now)).to_text();
        self.hold(Held::Login { user, opened: now, seen: now, generation }, secret);
    }

    pub(crate) fn log_out(&mut self, index: &Index) {
        if let Some(at) = self.pick_of(index, |held| matches!(held, Held::Login { .. })) {
            self.verifier.logins.close(&self.credentials[at].secret);
            self.credentials[at].is_withdrawn = true;
        }
    }

    pub(crate) fn grant(&mut self, number: u8, user: usize, level: Option<Level>) {
        self.store.set_grant(session(number), self.users[user].id, level).unwrap();
        match level {
            Some(level) => self.grants.insert((number, user), level != Level::Read),
            None => self.grants.remove(&(number, user)),
        };
    }

    pub(crate) fn share(&mut self, number: u8, creator: usize, level: Level, life: u64) {
        if self.count(|held| matches!(held, Held::Link { .. })) >= MOST {
            return;
        }
        let secret = hither_auth::Secret::from_random(self.draw()).to_text();
        let until = self.now + life;
        let share = Share {
            id: ShareId(0),
            session: session(number),
            level,
            digest: Digest::of(&secret),
            passphrase: None,
            creator: self.users[creator].id,
            label: String::new(),
            created: time(self.now),
            expires: time(until),
            viewers_max: 5,
            needs_login: false,
        };
        let id = self.store.add_share(&share).unwrap();
        let writes = level != Level::Read;
        self.hold(Held::Link { id, session: number, writes, creator, until }, secret);
    }

    pub(crate) fn revoke_share(&mut self, index: &Index) {
        let Some(at) = self.pick_of(index, |held| matches!(held, Held::Link { .. })) else {
            return;
        };
        let Held::Link { id, .. } = self.credentials[at].held else { unreachable!() };
        self.store.revoke_share(id).unwrap();
        self.credentials[at].is_withdrawn = true;
    }

    /// The session ends, and another one with its id never comes.
    pub(crate) fn forget(&mut self, number: u8) {
        // One session stays, so that there is always one to speak of.
        if number == 0 {
            return;
        }
        self.forgotten.insert(number);
        let gone = [session(number)].into_iter().collect();
        self.store.forget_sessions(&gone, time(self.now)).unwrap();
        self.grants.retain(|(session, _), _| *session != number);
        for credential in &mut self.credentials {
            let is_its = matches!(credential.held, Held::Link { session, .. } if session == number);
            credential.is_withdrawn |= is_its;
        }
        self.forgotten.remove(&number);
    }

    /// Another gateway: what is in the database is all there is.
    pub(crate) fn restart(&mut self) {
        self.store.store_logins(&self.verifier.logins.export()).unwrap();
        self.store = open(&self.dir);
        let mut verifier = Verifier::new(Mode::Required, self.store.people("me").unwrap());
        verifier.logins.import(self.store.logins().unwrap(), time(self.now));
        self.verifier = verifier;
        // Numbers of logins are good as long as the gateway runs.
        for credential in &mut self.credentials {
            if matches!(credential.held, Held::Login { .. }) {
                credential.principal = None;
            }
        }
    }
}
