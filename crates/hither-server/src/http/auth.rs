//! Credentials at run time: the verifier, with the clock, the random numbers and the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use hither_auth::{
    Account, Denied, Launch, LaunchError, Level, LoginRecord, Mode, People, Presented, Principal,
    Secret, Ticket, TicketRefused, Tickets, TokenId, TokenRecord, UserId, Verdict, Verifier, Way,
    check_password,
};
use hither_core::SessionId;
use hither_store::{Store, StoreError};
use tokio::sync::watch;

use super::hashing::Hashing;
use super::problem::Problem;
use crate::store_thread::{StoreFailed, StoreThread};

/// The verifier and the launch secret, with the clock and the random numbers they need.
#[derive(Debug)]
pub struct Auth {
    verifier: RwLock<Verifier>,
    launch: Mutex<Launch>,
    /// The token for programs of the gateway's own user, which is not in the store.
    local: Option<TokenRecord>,
    store: Option<StoreThread>,
    /// Of the store when its image was taken.
    version: AtomicI64,
    uses: Mutex<BTreeMap<TokenId, SystemTime>>,
    hashing: Hashing,
    tickets: Mutex<Tickets>,
    logins: watch::Sender<u64>,
    authority: watch::Sender<u64>,
}

/// The text that somebody wants to log in with.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) name: &'a str,
    pub(crate) password: &'a str,
}

impl Auth {
    /// Knows these people and the logins that were stored before a restart.
    #[must_use]
    pub fn new(mode: Mode, people: People, logins: impl IntoIterator<Item = LoginRecord>) -> Self {
        let local = people.tokens.find(TokenId(0)).cloned();
        let mut verifier = Verifier::new(mode, people);
        verifier.logins.import(logins, SystemTime::now());
        Self {
            verifier: RwLock::new(verifier),
            launch: Mutex::default(),
            local,
            store: None,
            version: AtomicI64::new(0),
            uses: Mutex::default(),
            hashing: Hashing::new(),
            tickets: Mutex::default(),
            logins: watch::Sender::new(0),
            authority: watch::Sender::new(0),
        }
    }

    /// The same, with a store behind it, of which it has an image that may be old.
    #[must_use]
    pub fn with_store(self, store: StoreThread) -> Self {
        Self { store: Some(store), ..self }
    }

    /// Makes a launch secret, good once and for ten minutes; the one before it is good no more.
    ///
    /// # Errors
    /// When the kernel has no random numbers.
    pub fn issue_launch(&self) -> Result<Secret, getrandom::Error> {
        Ok(self.launch().issue(random()?, SystemTime::now()))
    }

    /// What a successor is left so that the launch secret stays good. Holds a digest, no secret.
    pub(crate) fn launch_line(&self) -> Option<String> {
        self.launch().to_line()
    }

    /// Takes over the launch secret of the program before.
    pub(crate) fn resume_launch(&self, line: &str) {
        *self.launch() = Launch::from_line(line, SystemTime::now());
    }

    /// What to store so that browsers stay logged in over a restart. Holds digests, no secrets.
    #[must_use]
    pub fn logins(&self) -> Vec<LoginRecord> {
        self.read().logins.export()
    }

    /// Changes whenever a login is opened or ended.
    #[must_use]
    pub fn login_changes(&self) -> watch::Receiver<u64> {
        self.logins.subscribe()
    }

    /// Changes whenever somebody may have lost, or been given, the right to something.
    #[must_use]
    pub fn authority_changes(&self) -> watch::Receiver<u64> {
        self.authority.subscribe()
    }

    /// Whether credentials are asked for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.read().mode()
    }

    /// Changes who may do what, in memory only.
    pub fn change_people(&self, change: impl FnOnce(&mut People)) {
        change(&mut self.write().people);
        self.authority_changed();
    }

    pub(crate) fn verify(&self, shown: &Presented<'_>) -> Result<Principal, Denied> {
        let now = SystemTime::now();
        let principal = self.read().verify(shown, now)?;
        if let Way::Token(id) = principal.way() {
            let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
            uses.insert(id, now);
        }
        Ok(principal)
    }

    /// Whether somebody who was let in before may still be here.
    pub(crate) fn verify_again(&self, principal: &Principal) -> Result<Principal, Denied> {
        self.read().verify_again(principal, SystemTime::now())
    }

    /// Waits until somebody who was let in before may be here no more. A credential that merely
    /// expires ends nothing here; whoever waits has a limit of its own.
    pub(crate) async fn withdrawn(&self, principal: &Principal) -> Denied {
        let mut changes = self.authority_changes();
        loop {
            if let Err(denied) = self.verify_again(principal) {
                return denied;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The level that the owner of a session has given to a principal.
    pub(crate) fn granted(&self, principal: &Principal, session: SessionId) -> Option<Level> {
        self.read().people.granted(principal, session)
    }

    /// Makes a ticket and answers its secret.
    pub(crate) fn issue_ticket(&self, ticket: Ticket) -> Result<String, Problem> {
        let random = random().map_err(|_| Problem::internal())?;
        let issued = self.tickets().issue(ticket, random, SystemTime::now());
        issued.map(|secret| secret.to_text()).map_err(|full| Problem::busy(full.to_string()))
    }

    /// Uses a ticket up.
    pub(crate) fn redeem_ticket(
        &self,
        text: &str,
        session: SessionId,
    ) -> Result<Ticket, TicketRefused> {
        self.tickets().redeem(text, session, SystemTime::now())
    }

    /// Hashes or compares something that people chose, when it is its turn.
    pub(crate) async fn hash<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        self.hashing.run(work).await.map_err(|full| Problem::busy(full.to_string()))
    }

    /// Whether anybody can log in with a name and a password.
    pub(crate) fn has_passwords(&self) -> bool {
        self.read().people.users().any(|user| user.password.is_some())
    }

    /// What is known of everybody, for a look.
    pub(crate) fn with_people<T>(&self, look: impl FnOnce(&People) -> T) -> T {
        look(&self.read().people)
    }

    /// Uses the launch secret up for a login.
    pub(crate) fn redeem_launch(&self, text: &str) -> Result<Secret, Problem> {
        let redeemed = self.launch().redeem(text, SystemTime::now());
        redeemed.map_err(|error: LaunchError| {
            Problem::unauthorized("launch_refused", error.to_string())
        })?;
        self.open_machine_login()
    }

    /// Opens a login for a name and a password; or for any name and the gateway's own token, as
    /// clients use it that know only passwords.
    ///
    /// Other tokens open none: it would outlive them and be worth more.
    pub(crate) async fn redeem_password(&self, claim: Claim<'_>) -> Result<Secret, Problem> {
        let now = SystemTime::now();
        let is_local = {
            let verifier = self.read();
            let token = verifier.people.tokens.check(claim.password, now);
            verifier.mode() == Mode::Off || token.is_some_and(|token| token.id == TokenId(0))
        };
        if is_local { self.open_machine_login() } else { self.redeem_user(claim).await }
    }

    async fn redeem_user(&self, claim: Claim<'_>) -> Result<Secret, Problem> {
        let user = self.with_people(|people| people.user_named(claim.name).cloned());
        let stored = user.as_ref().and_then(|user| user.password.clone());
        let (text, compared) = (claim.password.to_owned(), stored.clone());
        let verdict = self.hashing.run(move || check_password(&text, compared.as_deref())).await;
        let verdict = verdict.map_err(|full| Problem::busy(full.to_string()))?;
        let user = match (verdict, user) {
            (Verdict::Right | Verdict::Outdated, Some(user)) => user,
            (Verdict::Right | Verdict::Outdated | Verdict::Wrong, _) => {
                let detail = "name or password is wrong";
                return Err(Problem::unauthorized("login_refused", detail));
            }
        };
        if let (Verdict::Outdated, Some(old)) = (verdict, stored) {
            self.rehash(user.id, claim.password, old).await;
        }
        self.open_login(user.id, user.generation)
    }

    /// Stores a password that was found right with the strength of new ones. If that fails, the
    /// next login tries again.
    async fn rehash(&self, user: UserId, password: &str, old: String) {
        let (Ok(salt), password) = (random::<16>(), password.to_owned()) else { return };
        let Ok(new) = self.hashing.run(move || hither_auth::hash(&password, salt)).await else {
            return;
        };
        if let Err(error) = self.change(move |store| store.rehash(user, &old, &new)).await {
            tracing::warn!(%error, "storing a stronger hash");
        }
    }

    fn open_machine_login(&self) -> Result<Secret, Problem> {
        let account = self.with_people(|people| people.account(UserId::MACHINE));
        let generation = account.map_or(0, |account: Account| account.generation);
        self.open_login(UserId::MACHINE, generation)
    }

    /// Opens a login for a user of this generation, who must have been proven.
    pub(crate) fn open_login(&self, user: UserId, generation: u64) -> Result<Secret, Problem> {
        let random = random().map_err(|_| Problem::internal())?;
        let secret = self.write().logins.open(user, generation, random, SystemTime::now());
        self.logins_changed();
        Ok(secret)
    }

    /// Ends the login with this secret.
    pub(crate) fn close_login(&self, text: &str) {
        self.write().logins.close(text);
        self.logins_changed();
        self.authority_changed();
    }

    /// Ends all logins of a user.
    pub(crate) async fn close_logins(&self, user: UserId) -> Result<(), StoreFailed> {
        if self.store.is_some() {
            self.change(move |store| store.end_logins(user)).await?;
        }
        self.write().logins.retain(|login| login.user != user);
        self.logins_changed();
        self.authority_changed();
        Ok(())
    }

    /// Changes the store, and then the image of it by which requests are judged.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreFailed> {
        let store = self.store.as_ref().ok_or(StoreFailed::Gone)?;
        let machine = self.machine_name();
        let job = move |store: &mut Store| Ok((change(store)?, store.people(&machine)?));
        let (value, people) = store.run(job).await?;
        self.replace_people(people);
        Ok(value)
    }

    /// Takes a new image of the store if somebody else has changed it.
    ///
    /// # Errors
    /// When it cannot be read; the old image stays.
    pub(crate) async fn refresh(&self) -> Result<(), StoreFailed> {
        let Some(store) = &self.store else { return Ok(()) };
        let (machine, before) = (self.machine_name(), self.version.load(Relaxed));
        let job = move |store: &mut Store| {
            let version = store.version()?;
            let people = if version == before { None } else { Some(store.people(&machine)?) };
            Ok((version, people))
        };
        let (version, people) = store.run(job).await?;
        self.version.store(version, Relaxed);
        if let Some(people) = people {
            self.replace_people(people);
        }
        Ok(())
    }

    /// Stores what has changed in memory only: logins, and when tokens were used.
    pub(crate) async fn flush(&self) -> Result<(), StoreFailed> {
        let Some(store) = &self.store else { return Ok(()) };
        let uses = std::mem::take(&mut *self.uses.lock().unwrap_or_else(PoisonError::into_inner));
        let uses: Vec<_> = uses.into_iter().collect();
        let logins = self.logins();
        let job = move |store: &mut Store| {
            store.store_logins(&logins)?;
            store.note_uses(&uses)
        };
        store.run(job).await
    }

    /// Forgets what was stored about sessions that are gone for ever, and share links that have
    /// expired.
    pub(crate) async fn forget(&self, gone: BTreeSet<SessionId>) -> Result<(), StoreFailed> {
        let Some(store) = &self.store else { return Ok(()) };
        let job = move |store: &mut Store| store.forget_sessions(&gone, SystemTime::now());
        let forgotten = store.run(job).await?;
        if forgotten {
            self.change(|_| Ok(())).await?;
        }
        Ok(())
    }

    fn replace_people(&self, mut people: People) {
        if let Some(local) = &self.local {
            people.tokens.add(local.clone());
        }
        self.write().people = people;
        self.authority_changed();
    }

    fn machine_name(&self) -> String {
        let account = self.with_people(|people| people.account(UserId::MACHINE));
        account.map_or_else(String::new, |account| account.name)
    }

    /// Name of the user whose login this is.
    pub(crate) fn login_name(&self, login: &Secret) -> Option<String> {
        let verifier = self.read();
        let login = verifier.logins.check(&login.to_text(), SystemTime::now())?;
        verifier.people.account(login.user).map(|account| account.name)
    }

    /// Name of the token that somebody came in with.
    pub(crate) fn token_name(&self, principal: &Principal) -> Option<String> {
        let Way::Token(id) = principal.way() else { return None };
        self.read().people.tokens.find(id).map(|record| record.name.clone())
    }

    fn logins_changed(&self) {
        self.logins.send_modify(|count| *count += 1);
    }

    fn authority_changed(&self) {
        self.authority.send_modify(|count| *count += 1);
    }

    // No operation under these locks leaves anything half done, so a poisoned one is still good.
    fn read(&self) -> RwLockReadGuard<'_, Verifier> {
        self.verifier.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Verifier> {
        self.verifier.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn tickets(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn launch(&self) -> MutexGuard<'_, Launch> {
        self.launch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Random bytes of the kernel.
pub(crate) fn random<const LEN: usize>() -> Result<[u8; LEN], getrandom::Error> {
    let mut bits = [0; LEN];
    getrandom::fill(&mut bits)?;
    Ok(bits)
}
