//! Row A23: users, tokens, logins, levels and share links come and go in any order, on a real
//! store, and after each step everybody may do with every session exactly what a naive model says.

#![allow(clippy::unwrap_used, reason = "clippy.toml lets only test functions unwrap, not helpers")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use hither_auth::{
    ADMIN_IDLE, ApiToken, CookieName, Digest, FetchSite, Forbidden, FromWhere, Intent, LOGIN_LIFE,
    Level, Mode, Peer, Presented, Principal, Scheme, Scope, Scopes, Share, ShareId, TokenId,
    UserId, UserKind, Verifier, authorize,
};
use hither_core::SessionId;
use hither_store::{NewToken, NewUser, StateDir, Store};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Together a few more than 10,000 steps.
const CASES: u32 = 51;
const STEPS: usize = 200;
const SESSIONS: u8 = 3;
/// Most of each kind at a time, so that steps meet each other.
const MOST: usize = 5;

/// Something that happens. An index that points to nothing makes it nothing.
#[derive(Clone, Debug)]
enum Step {
    AddUser { is_admin: bool },
    RemoveUser(Index),
    SetPassword(Index),
    EndLogins(Index),
    AddToken { user: Index, scopes: Scopes, life: u64 },
    RevokeToken(Index),
    LogIn(Index),
    LogOut(Index),
    Grant { session: u8, user: Index, level: Option<Level> },
    Share { session: u8, creator: Index, level: Level, life: u64 },
    RevokeShare(Index),
    Forget { session: u8 },
    Pass(u64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    let session = || 0..SESSIONS;
    let scope = prop::sample::select(Scope::ALL.to_vec());
    let scopes = vec(scope, 1..4).prop_map(|scopes| scopes.into_iter().collect::<Scopes>());
    let level = || prop::sample::select(Level::ALL.to_vec());
    let life = || 1_u64..4000;
    prop_oneof![
        3 => any::<bool>().prop_map(|is_admin| Step::AddUser { is_admin }),
        1 => index().prop_map(Step::RemoveUser),
        1 => index().prop_map(Step::SetPassword),
        1 => index().prop_map(Step::EndLogins),
        3 => (index(), scopes, life())
            .prop_map(|(user, scopes, life)| Step::AddToken { user, scopes, life }),
        1 => index().prop_map(Step::RevokeToken),
        3 => index().prop_map(Step::LogIn),
        1 => index().prop_map(Step::LogOut),
        3 => (session(), index(), prop::option::weighted(0.8, level()))
            .prop_map(|(session, user, level)| Step::Grant { session, user, level }),
        3 => (session(), index(), level(), life()).prop_map(|(session, creator, level, life)| {
            Step::Share { session, creator, level, life }
        }),
        1 => index().prop_map(Step::RevokeShare),
        1 => session().prop_map(|session| Step::Forget { session }),
        2 => (1_u64..2000).prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ]
}

/// What the model knows of somebody who was let in once.
#[derive(Clone, Debug)]
enum Held {
    Token { id: TokenId, user: usize, scopes: Scopes, until: u64 },
    Login { user: usize, opened: u64, seen: u64, generation: u64 },
    Link { id: ShareId, session: u8, writes: bool, creator: usize, until: u64 },
}

/// A credential, and the last principal that it was worth.
#[derive(Clone, Debug)]
struct Credential {
    held: Held,
    secret: String,
    is_withdrawn: bool,
    principal: Option<Principal>,
}

#[derive(Clone, Debug)]
struct ModelUser {
    id: UserId,
    name: String,
    is_admin: bool,
    is_here: bool,
    generation: u64,
}

/// The store and its image, and beside them what should be.
struct World {
    dir: tempfile::TempDir,
    store: Store,
    verifier: Verifier,
    cookie: CookieName,
    now: u64,
    drawn: u64,
    users: Vec<ModelUser>,
    credentials: Vec<Credential>,
    /// Levels that were given; true is to write.
    grants: BTreeMap<(u8, usize), bool>,
    forgotten: BTreeSet<u8>,
}

fn time(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + second)
}

fn session(number: u8) -> SessionId {
    SessionId::from_random([number; 10])
}

fn open(dir: &tempfile::TempDir) -> Store {
    Store::open(&StateDir::open(&dir.path().join("state")).unwrap()).unwrap()
}

impl World {
    fn new() -> Self {
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
    fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        let mut bits = [0; 32];
        bits[..8].copy_from_slice(&self.drawn.to_be_bytes());
        bits
    }

    /// One of those users who are here.
    fn pick(&self, index: &Index) -> Option<usize> {
        let here: Vec<usize> =
            (0..self.users.len()).filter(|&user| self.users[user].is_here).collect();
        (!here.is_empty()).then(|| *index.get(&here))
    }

    /// One of the credentials of a kind that were not withdrawn.
    fn pick_of(&self, index: &Index, is_kind: impl Fn(&Held) -> bool) -> Option<usize> {
        let fits = |at: &usize| {
            let credential = &self.credentials[*at];
            !credential.is_withdrawn && is_kind(&credential.held)
        };
        let found: Vec<usize> = (0..self.credentials.len()).filter(fits).collect();
        (!found.is_empty()).then(|| *index.get(&found))
    }

    fn count(&self, is_kind: impl Fn(&Held) -> bool) -> usize {
        let live = self.credentials.iter().filter(|credential| !credential.is_withdrawn);
        live.filter(|credential| is_kind(&credential.held)).count()
    }

    fn hold(&mut self, held: Held, secret: String) {
        let credential = Credential { held, secret, is_withdrawn: false, principal: None };
        self.credentials.push(credential);
    }

    fn name(&self, user: usize) -> hither_auth::UserName {
        self.users[user].name.parse().unwrap()
    }

    fn apply(&mut self, step: &Step) {
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

    fn with_user(&mut self, index: &Index, act: impl FnOnce(&mut Self, usize)) {
        if let Some(user) = self.pick(index) {
            act(self, user);
        }
    }

    fn add_user(&mut self, is_admin: bool) {
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

    fn remove_user(&mut self, user: usize) {
        self.store.remove_user(&self.name(user)).unwrap();
        self.users[user].is_here = false;
        self.grants.retain(|(_, granted), _| *granted != user);
    }

    fn add_token(&mut self, user: usize, scopes: Scopes, life: u64) {
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

    fn revoke_token(&mut self, index: &Index) {
        let Some(at) = self.pick_of(index, |held| matches!(held, Held::Token { .. })) else {
            return;
        };
        let Held::Token { id, .. } = self.credentials[at].held else { unreachable!() };
        // One that has expired, or whose user is gone, may not be there any more.
        self.store.revoke_token(id).ok();
        self.credentials[at].is_withdrawn = true;
    }

    fn log_in(&mut self, user: usize) {
        if self.count(|held| matches!(held, Held::Login { .. })) >= MOST {
            return;
        }
        let (bits, now) = (self.draw(), self.now);
        let ModelUser { id, generation, .. } = self.users[user];
        let secret = self.verifier.logins.open(id, generation, bits, time(now)).to_text();
        self.hold(Held::Login { user, opened: now, seen: now, generation }, secret);
    }

    fn log_out(&mut self, index: &Index) {
        if let Some(at) = self.pick_of(index, |held| matches!(held, Held::Login { .. })) {
            self.verifier.logins.close(&self.credentials[at].secret);
            self.credentials[at].is_withdrawn = true;
        }
    }

    fn grant(&mut self, number: u8, user: usize, level: Option<Level>) {
        self.store.set_grant(session(number), self.users[user].id, level).unwrap();
        match level {
            Some(level) => self.grants.insert((number, user), level != Level::Read),
            None => self.grants.remove(&(number, user)),
        };
    }

    fn share(&mut self, number: u8, creator: usize, level: Level, life: u64) {
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

    fn revoke_share(&mut self, index: &Index) {
        let Some(at) = self.pick_of(index, |held| matches!(held, Held::Link { .. })) else {
            return;
        };
        let Held::Link { id, .. } = self.credentials[at].held else { unreachable!() };
        self.store.revoke_share(id).unwrap();
        self.credentials[at].is_withdrawn = true;
    }

    /// The session ends, and another one with its id never comes.
    fn forget(&mut self, number: u8) {
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
    fn restart(&mut self) {
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

    /// Who is behind a credential, as the gateway finds out for a request.
    fn verify(&self, credential: &Credential) -> Option<Principal> {
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
    fn worth(&self, credential: &Credential) -> Option<(Option<usize>, BTreeSet<Scope>)> {
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
    fn expected(&self, at: usize, number: u8, needed: Level) -> Option<Level> {
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
    fn owner(&self, number: u8) -> UserId {
        match self.users.first() {
            Some(first) if number == 0 => first.id,
            _ => UserId::MACHINE,
        }
    }

    /// Compares what everybody may do with every session, by the first look and by a later one.
    fn check(&mut self) -> Result<(), TestCaseError> {
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

    fn compare(&self, at: usize, principal: &Principal) -> Result<(), TestCaseError> {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn a23_rights_follow_the_model_whatever_happens(steps in vec(step(), STEPS)) {
        let mut world = World::new();
        for step in &steps {
            world.apply(step);
            world.check()?;
        }
    }
}
