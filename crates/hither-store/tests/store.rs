//! The store through its public face, on a real file.

#![allow(clippy::unwrap_used, reason = "clippy.toml lets only test functions unwrap, not helpers")]

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

use hither_auth::{
    Admitted, ApiToken, Digest, Level, LoginRecord, Scope, Scopes, Share, ShareId, TokenId, UserId,
    UserKind,
};
use hither_core::SessionId;
use hither_store::{NewToken, NewUser, StateDir, Store, StoreError, TOKENS_MAX};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn open(dir: &tempfile::TempDir) -> Store {
    Store::open(&StateDir::open(&dir.path().join("state")).unwrap()).unwrap()
}

fn fresh() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    (dir, store)
}

fn add(store: &mut Store, name: &str) -> UserId {
    let name = name.parse().unwrap();
    let password = Some("hash".to_owned());
    store.add_user(&NewUser { name, kind: UserKind::Member, password }, now()).unwrap()
}

fn token(user: UserId, n: u8) -> NewToken {
    NewToken {
        user,
        name: "ci".to_owned(),
        digest: ApiToken::from_random([n; 32]).digest(),
        scopes: Scopes::NONE.with(Scope::SessionRead),
        expires: now() + Duration::from_secs(3600),
    }
}

fn session(n: u8) -> SessionId {
    SessionId::from_random([n; 10])
}

fn share(creator: UserId, n: u8) -> Share {
    Share {
        id: ShareId(0),
        session: session(n),
        level: Level::Read,
        digest: Digest::of(&n.to_string()),
        passphrase: Some("phc".to_owned()),
        creator,
        label: "class".to_owned(),
        created: now(),
        expires: now() + Duration::from_secs(60),
        viewers_max: 5,
        needs_login: false,
    }
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let (dir, mut store) = fresh();
    let alice = add(&mut store, "alice");
    let id = store.add_token(&token(alice, 1), now()).unwrap();
    store.note_uses(&[(id, now())]).unwrap();
    store.set_grant(session(1), alice, Some(Level::Write)).unwrap();
    let link = store.add_share(&share(alice, 1)).unwrap();
    drop(store);

    let store = open(&dir);
    let people = store.people("me").unwrap();
    let user = people.user_named("alice").unwrap();
    assert_eq!((user.id, user.kind, user.password.as_deref()), {
        (alice, UserKind::Member, Some("hash"))
    });
    let text = ApiToken::from_random([1; 32]).to_text();
    let found = people.tokens.check(&text, now()).unwrap();
    assert_eq!((found.id, found.user, found.scopes.to_string()), {
        (id, alice, "session:read".to_owned())
    });
    assert_eq!(store.tokens().unwrap()[0].used, Some(now()));
    let found = people.share_with("1", now()).unwrap();
    assert_eq!((found.id, found.session, found.viewers_max), (link, session(1), 5));
    assert_eq!(people.account(UserId::MACHINE).unwrap().name, "me");
}

#[test]
fn a_removed_user_takes_everything_along_and_the_number_is_never_given_again() {
    let (_dir, mut store) = fresh();
    let alice = add(&mut store, "alice");
    store.add_token(&token(alice, 1), now()).unwrap();
    store.set_grant(session(1), alice, Some(Level::Read)).unwrap();
    store.add_share(&share(alice, 1)).unwrap();
    assert_eq!(store.remove_user(&"alice".parse().unwrap()).unwrap(), alice);
    let people = store.people("me").unwrap();
    assert_eq!(people.users().count(), 0);
    assert_eq!(people.tokens.iter().count(), 0);
    assert!(people.share_with("1", now()).is_none());
    assert_ne!(add(&mut store, "alice"), alice);
    let again = store.remove_user(&"bob".parse().unwrap());
    assert_eq!(again.unwrap_err().to_string(), "there is no user bob");
}

#[test]
fn a_name_is_given_once() {
    let (_dir, mut store) = fresh();
    add(&mut store, "alice");
    let name = "alice".parse().unwrap();
    let again = NewUser { name, kind: UserKind::Admin, password: None };
    assert!(matches!(store.add_user(&again, now()), Err(StoreError::UserExists(_))));
    assert_eq!(store.users().unwrap().len(), 1);
}

#[test]
fn a14_a_new_password_ends_the_logins_of_its_user_only() {
    let (_dir, mut store) = fresh();
    let (alice, bob) = (add(&mut store, "alice"), add(&mut store, "bob"));
    let expires = now() + Duration::from_secs(60);
    let login = |user, n: u8| LoginRecord::new(Digest::of(&n.to_string()), user, 0, expires, now());
    let logins = [login(alice, 1), login(bob, 2), login(UserId::MACHINE, 3), login(UserId(99), 4)];
    store.store_logins(&logins).unwrap();
    assert_eq!(store.logins().unwrap().len(), 3, "nobody's login is not stored");
    store.set_password(&"alice".parse().unwrap(), "new").unwrap();
    let users: Vec<_> = store.logins().unwrap().iter().map(|login| login.user).collect();
    assert_eq!(users, [bob, UserId::MACHINE]);
    // Nor does a gateway that did not know of it bring the old one back.
    store.store_logins(&logins).unwrap();
    assert_eq!(store.logins().unwrap().len(), 2);
    store.end_logins(UserId::MACHINE).unwrap();
    assert_eq!(store.logins().unwrap().len(), 1);
    assert_eq!(store.people("me").unwrap().account(UserId::MACHINE).unwrap().generation, 1);
}

#[test]
fn a_better_hash_does_not_undo_a_new_password() {
    let (_dir, mut store) = fresh();
    let alice = add(&mut store, "alice");
    store.rehash(alice, "hash", "better").unwrap();
    store.set_password(&"alice".parse().unwrap(), "changed").unwrap();
    store.rehash(alice, "better", "worse").unwrap();
    assert_eq!(store.users().unwrap()[0].password.as_deref(), Some("changed"));
}

#[test]
fn one_sees_that_another_has_written() {
    let (dir, mut store) = fresh();
    let mut other = open(&dir);
    let before = store.version().unwrap();
    assert_eq!(store.version().unwrap(), before);
    add(&mut other, "alice");
    assert_ne!(store.version().unwrap(), before);
    assert_eq!(store.users().unwrap().len(), 1);
    let before = store.version().unwrap();
    add(&mut store, "bob");
    assert_eq!(store.version().unwrap(), before, "one's own writing is no news");
}

#[test]
fn tokens_are_limited_and_withdrawn() {
    let (_dir, mut store) = fresh();
    let alice = add(&mut store, "alice");
    for n in 0..TOKENS_MAX {
        store.add_token(&token(alice, u8::try_from(n).unwrap()), now()).unwrap();
    }
    let mut more = token(alice, 0);
    more.digest = Digest::of("more");
    assert!(matches!(store.add_token(&more, now()), Err(StoreError::TooManyTokens)));
    assert!(store.add_token(&more, now() + Duration::from_secs(3600)).is_ok(), "expired ones go");
    store.revoke_token(TokenId(1000)).unwrap_err();
    let last = store.tokens().unwrap()[0].record.id;
    store.revoke_token(last).unwrap();
    assert!(store.tokens().unwrap().is_empty());
    assert!(matches!(store.add_token(&token(UserId(9), 1), now()), Err(StoreError::NoUser(_))));
}

#[test]
fn what_is_about_sessions_goes_with_them() {
    let (_dir, mut store) = fresh();
    let alice = add(&mut store, "alice");
    for n in [1, 2] {
        store.set_grant(session(n), alice, Some(Level::Read)).unwrap();
        store.add_share(&share(alice, n)).unwrap();
    }
    let gone = BTreeSet::from([session(1), session(9)]);
    assert!(store.forget_sessions(&gone, now()).unwrap());
    let people = store.people("me").unwrap();
    assert!(people.share_with("1", now()).is_none());
    assert!(people.share_with("2", now()).is_some());
    assert!(!store.forget_sessions(&gone, now()).unwrap());
    let nothing = BTreeSet::new();
    assert!(!store.forget_sessions(&nothing, now()).unwrap());
    assert!(store.forget_sessions(&nothing, now() + Duration::from_secs(60)).unwrap());
    assert_eq!(store.people("me").unwrap().grants_of(session(2)).count(), 1);
    let link = store.add_share(&share(alice, 3)).unwrap();
    assert!(store.revoke_share(link).unwrap());
    assert!(!store.revoke_share(link).unwrap());
}

#[test]
fn a_later_version_is_left_alone() {
    let (dir, store) = fresh();
    drop(store);
    let path = dir.path().join("state/hither.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 999).unwrap();
    drop(db);
    let state = StateDir::open(&dir.path().join("state")).unwrap();
    let refused = Store::open(&state).unwrap_err();
    assert!(refused.to_string().contains("version 999"), "{refused}");
}

#[test]
fn what_is_no_database_is_said_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(&dir.path().join("state")).unwrap();
    let path = state.path().join("hither.db");
    std::fs::write(&path, "x".repeat(4096)).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(matches!(Store::open(&state), Err(StoreError::Database(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "x".repeat(4096));
}

#[test]
fn p15_all_files_are_their_users_alone() {
    let (dir, mut store) = fresh();
    add(&mut store, "alice");
    let files = std::fs::read_dir(dir.path().join("state")).unwrap();
    let modes: Vec<_> =
        files.map(|entry| entry.unwrap().metadata().unwrap().mode() & 0o777).collect();
    assert_eq!(modes, [0o600; 3], "the database, its log and its index");
}

#[test]
fn two_writers_lose_nothing() {
    let (dir, _store) = fresh();
    std::thread::scope(|scope| {
        for who in ["a", "b"] {
            let mut store = open(&dir);
            scope.spawn(move || {
                for n in 0..20 {
                    add(&mut store, &format!("{who}{n}"));
                }
            });
        }
    });
    assert_eq!(open(&dir).users().unwrap().len(), 40);
}

fn admitted(subject: &str, name: &str, kind: UserKind) -> Admitted {
    Admitted { subject: subject.to_owned(), name: name.parse().unwrap(), kind }
}

#[test]
fn a20_a_person_is_known_by_subject_and_issuer_and_never_by_name() {
    const ISSUER: &str = "https://id.example.org";
    let (dir, mut store) = fresh();
    let ada = admitted("1", "ada", UserKind::Member);
    let first = store.welcome(ISSUER, &ada, now()).unwrap();
    assert!(first.is_new);
    drop(store);
    let mut store = open(&dir);
    // The same person, whatever she is called now, and with what has become of her.
    let renamed = admitted("1", "countess", UserKind::Admin);
    let again = store.welcome(ISSUER, &renamed, now()).unwrap();
    assert_eq!((again.user, again.is_new), (first.user, false));
    let users = store.users().unwrap();
    assert_eq!(
        users.iter().map(|user| (user.name.as_str(), user.kind)).collect::<Vec<_>>(),
        [("ada", UserKind::Admin)]
    );
    assert!(users[0].password.is_none());
    // Somebody else with her name, here or at another provider, and one with the name of a user
    // who has a password.
    let other = admitted("2", "ada", UserKind::Member);
    assert!(matches!(store.welcome(ISSUER, &other, now()), Err(StoreError::NameTaken(_))));
    let elsewhere = store.welcome("https://other.example.org", &ada, now());
    assert!(matches!(elsewhere, Err(StoreError::NameTaken(_))));
    add(&mut store, "root");
    let root = admitted("3", "root", UserKind::Admin);
    assert!(matches!(store.welcome(ISSUER, &root, now()), Err(StoreError::NameTaken(_))));
    // Who was removed and comes again is somebody new: what the old user had is not hers.
    store.end_logins(first.user).unwrap();
    assert_eq!(store.welcome(ISSUER, &ada, now()).unwrap().generation, 1);
    store.remove_user(&"ada".parse().unwrap()).unwrap();
    let anew = store.welcome(ISSUER, &ada, now()).unwrap();
    assert!(anew.is_new && anew.user > first.user);
}
