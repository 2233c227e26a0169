//! Users with passwords, and a store that the command line writes too.

use std::time::{Duration, SystemTime};

use hither_auth::{ApiToken, Mode, Password, People, Scope, Scopes, TokenRecord, UserId, UserKind};
use hither_server::http::{Auth, Config};
use hither_server::store_thread::StoreThread;
use hither_store::{NewToken, NewUser, StateDir, Store};

use crate::client::Response;
use crate::harness::{Harness, config};

const PASSWORD: &str = "correct horse battery";

/// A server with a store, and the store as another program has it open.
pub(crate) struct Stored {
    pub(crate) harness: Harness,
    pub(crate) store: Store,
    _dir: tempfile::TempDir,
}

impl Stored {
    pub(crate) async fn start() -> Self {
        Self::with_config(config()).await
    }

    pub(crate) async fn with_config(config: Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&dir.path().join("state")).unwrap();
        let thread = StoreThread::start(Store::open(&state).unwrap()).unwrap();
        let local = ApiToken::from_random([7; 32]);
        let mut people = People::new("somebody");
        people.tokens.add(TokenRecord::local("ci", local.digest()));
        let auth = Auth::new(Mode::Required, people, []).with_store(thread);
        let harness = Harness::with_auth(auth, config, local.to_text()).await;
        Self { harness, store: Store::open(&state).unwrap(), _dir: dir }
    }

    pub(crate) fn add_user(&mut self, name: &str, kind: UserKind) -> UserId {
        let password = Password::new(PASSWORD.to_owned()).unwrap().hash([3; 16]);
        let new = NewUser { name: name.parse().unwrap(), kind, password: Some(password) };
        self.store.add_user(&new, SystemTime::now()).unwrap()
    }

    /// A user who logs in elsewhere.
    pub(crate) fn add_user_without_password(&mut self, name: &str) -> UserId {
        let new = NewUser { name: name.parse().unwrap(), kind: UserKind::Member, password: None };
        self.store.add_user(&new, SystemTime::now()).unwrap()
    }

    /// A token of a user, as `hither token create` makes it.
    pub(crate) fn add_token(&mut self, user: UserId, scopes: Scopes) -> String {
        let mut random = [0; 32];
        getrandom::fill(&mut random).unwrap();
        let token = ApiToken::from_random(random);
        let expires = SystemTime::now() + Duration::from_secs(3600);
        let (name, digest) = ("test".to_owned(), token.digest());
        let new = NewToken { user, name, digest, scopes, expires };
        self.store.add_token(&new, SystemTime::now()).unwrap();
        token.to_text()
    }

    /// Has the server look at the store, as the command line does.
    pub(crate) async fn reload(&self) {
        assert_eq!(self.harness.post("/api/auth/reload", "").await.status, 204);
    }

    pub(crate) async fn login(&self, name: &str, password: &str) -> Response {
        let body = serde_json::json!({ "username": name, "password": password });
        let request = self.harness.request("POST", "/api/auth/login");
        let request = request.header("origin", self.harness.origin());
        request.json(body.to_string()).send(self.harness.address).await
    }

    /// Status of a request with a bearer token.
    pub(crate) async fn get(&self, target: &str, bearer: &str) -> Response {
        let request = self.harness.request("GET", target);
        let request = request.header("authorization", format!("Bearer {bearer}"));
        request.send(self.harness.address).await
    }
}

pub(crate) fn token_of(login: &Response) -> String {
    assert_eq!(login.status, 200, "{login:?}");
    login.json()["token"].as_str().unwrap().to_owned()
}

fn cookie(response: &Response) -> String {
    let cookie = response.header("set-cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_logs_in_with_a_password() {
    let mut stored = Stored::start().await;
    assert_eq!(stored.login("alice", PASSWORD).await.status, 401, "not there yet");
    let methods = stored.harness.get("/api/auth/config").await.json()["authMethods"].clone();
    assert_eq!(methods, serde_json::json!(["launch", "token"]));
    stored.add_user("alice", UserKind::Member);
    stored.reload().await;
    let methods = stored.harness.get("/api/auth/config").await.json()["authMethods"].clone();
    assert_eq!(methods, serde_json::json!(["launch", "token", "password"]));
    let login = stored.login("alice", PASSWORD).await;
    assert_eq!(login.json()["user"]["id"], "alice");
    let user = stored.get("/api/auth/current-user", &token_of(&login)).await.json();
    assert_eq!((&user["userId"], &user["via"]), (&"alice".into(), &"login".into()));
    let scopes = ["session:create", "session:read", "session:write", "session:manage"];
    assert_eq!(user["scopes"], serde_json::json!(scopes));
}

#[tokio::test]
async fn a17_wrong_names_and_wrong_passwords_get_the_same_answer() {
    let mut stored = Stored::start().await;
    stored.add_user("alice", UserKind::Member);
    stored.reload().await;
    let wrong = stored.login("alice", "wrong").await;
    assert_eq!((wrong.status, &*wrong.code()), (401, "login_refused"));
    for (name, password) in [
        ("bob", PASSWORD),
        ("", PASSWORD),
        ("Alice", PASSWORD),
        ("mallory\0", ""),
        ("erin", &*"x".repeat(2000)),
    ] {
        let answer = stored.login(name, password).await;
        assert_eq!((answer.status, &answer.body), (401, &wrong.body), "{name}");
        assert_eq!(answer.header("set-cookie"), None);
    }
}

#[tokio::test]
async fn a11_a_login_rotates_the_secret() {
    let mut stored = Stored::start().await;
    stored.add_user("alice", UserKind::Member);
    stored.reload().await;
    let first = stored.login("alice", PASSWORD).await;
    let body = serde_json::json!({ "username": "alice", "password": PASSWORD });
    let harness = &stored.harness;
    let request = harness.request("POST", "/api/auth/login").header("origin", harness.origin());
    let request = request.header("cookie", cookie(&first)).json(body.to_string());
    let second = request.send(harness.address).await;
    assert_ne!(token_of(&first), token_of(&second));
    assert_eq!(stored.get("/api/sessions", &token_of(&first)).await.status, 401);
    assert_eq!(stored.get("/api/sessions", &token_of(&second)).await.status, 200);
    for flag in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(second.header("set-cookie").unwrap().contains(flag), "{flag}");
    }
    assert!(!second.header("set-cookie").unwrap().contains("Domain"));
}

#[tokio::test]
async fn a14_new_password_and_logout_all_end_every_login() {
    let mut stored = Stored::start().await;
    stored.add_user("alice", UserKind::Member);
    stored.add_user("bob", UserKind::Member);
    stored.reload().await;
    let bob = token_of(&stored.login("bob", PASSWORD).await);
    let old = [
        token_of(&stored.login("alice", PASSWORD).await),
        token_of(&stored.login("alice", PASSWORD).await),
    ];
    stored.store.set_password(&"alice".parse().unwrap(), "none").unwrap();
    stored.reload().await;
    for login in &old {
        assert_eq!(stored.get("/api/sessions", login).await.status, 401);
    }
    assert_eq!(stored.login("alice", PASSWORD).await.status, 401);
    let [one, two] = [token_of(&stored.login("bob", PASSWORD).await), bob];
    let request = stored.harness.request("POST", "/api/auth/logout-all");
    let request = request.header("authorization", format!("Bearer {one}"));
    assert_eq!(request.send(stored.harness.address).await.status, 204);
    for login in [one, two] {
        assert_eq!(stored.get("/api/sessions", &login).await.status, 401);
    }
    assert_eq!(stored.login("bob", PASSWORD).await.status, 200, "the password still is good");
}

#[tokio::test]
async fn tokens_of_users_are_worth_their_scopes_until_they_are_revoked() {
    let mut stored = Stored::start().await;
    let alice = stored.add_user("alice", UserKind::Member);
    let token = stored.add_token(alice, Scopes::NONE.with(Scope::SessionRead));
    assert_eq!(stored.get("/api/sessions", &token).await.status, 401, "nobody has looked yet");
    stored.reload().await;
    assert_eq!(stored.get("/api/sessions", &token).await.status, 200);
    let user = stored.get("/api/auth/current-user", &token).await.json();
    assert_eq!((&user["via"], &user["tokenName"]), (&"token".into(), &"test".into()));
    // It is no password: a login would be worth more than the token, and outlive it.
    assert_eq!(stored.login("alice", &token).await.status, 401);
    let id = stored.store.tokens().unwrap()[0].record.id;
    stored.store.revoke_token(id).unwrap();
    stored.reload().await;
    assert_eq!(stored.get("/api/sessions", &token).await.status, 401);
}

#[tokio::test]
async fn a_removed_user_is_nobody() {
    let mut stored = Stored::start().await;
    let alice = stored.add_user("alice", UserKind::Admin);
    let token = stored.add_token(alice, Scopes::ALL);
    stored.reload().await;
    let login = token_of(&stored.login("alice", PASSWORD).await);
    stored.store.remove_user(&"alice".parse().unwrap()).unwrap();
    stored.reload().await;
    for credential in [&login, &token] {
        assert_eq!(stored.get("/api/sessions", credential).await.status, 401);
    }
    assert_eq!(stored.login("alice", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn a_stream_of_events_ends_with_its_credential() {
    let mut stored = Stored::start().await;
    let alice = stored.add_user("alice", UserKind::Member);
    let token = stored.add_token(alice, Scopes::MEMBER);
    stored.reload().await;
    let mut stream = tokio::net::TcpStream::connect(stored.harness.address).await.unwrap();
    let request = stored.harness.request("GET", "/api/events");
    let request = request.header("authorization", format!("Bearer {token}"));
    tokio::io::AsyncWriteExt::write_all(&mut stream, &request.to_bytes()).await.unwrap();
    let head = crate::client::read_head(&mut stream).await;
    assert_eq!(head.status, 200);
    let id = stored.store.tokens().unwrap()[0].record.id;
    stored.store.revoke_token(id).unwrap();
    stored.reload().await;
    // The last chunk is the empty one.
    let rest = crate::client::read_to_end(&mut stream).await;
    assert!(rest.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&rest));
}
