//! Tickets, share links, viewers, and what happens to them when a right is withdrawn.

use hither_auth::{Mode, Proxies, Scopes, UserId, UserKind};
use hither_core::{Role, SessionId};
use hither_server::http::Config;
use hither_server::sessions::Connection;
use tokio::net::TcpStream;

use crate::client::{Request, Response, read_response};
use crate::harness::{Harness, config};
use crate::users::{Stored, token_of};

const PROTOCOLS: &str = "hither.v1";

impl Harness {
    /// The handshake of a page, with a ticket if there is one.
    fn page_socket(&self, session: SessionId, ticket: Option<&str>) -> Request {
        self.socket_from(&[&self.origin()], session, ticket)
    }

    /// The same from pages elsewhere.
    fn socket_from(&self, origins: &[&str], session: SessionId, ticket: Option<&str>) -> Request {
        let target = format!("/ws?session={session}");
        let protocols = ticket.map_or_else(
            || PROTOCOLS.to_owned(),
            |ticket| format!("{PROTOCOLS}, hither.ticket.{ticket}"),
        );
        let request = self.request("GET", &target).websocket();
        let request = origins
            .iter()
            .fold(request, |request, origin| request.header("origin", (*origin).to_owned()));
        request.header("sec-websocket-protocol", protocols)
    }

    async fn ticket(&self, cookie: &str, body: String) -> Response {
        let request = self.request("POST", "/api/ws-ticket").header("origin", self.origin());
        request.header("cookie", cookie).json(body).send(self.address).await
    }

    /// Waits until something was said about a viewer, and what.
    pub(crate) async fn told(&self) -> String {
        let mut told = self.double.told.subscribe();
        told.wait_for(|count| *count > 0).await.unwrap();
        self.double.state().told.join("; ")
    }
}

fn secret(response: &Response, name: &str) -> String {
    response.json()[name].as_str().unwrap_or_else(|| panic!("{response:?}")).to_owned()
}

#[tokio::test]
async fn a05_a_cookie_opens_a_socket_with_its_own_ticket_only() {
    let mut harness = Harness::start(Mode::Required).await;
    let (id, cookie, other) = (harness.id, harness.cookie().await, harness.cookie().await);
    let refused = harness.page_socket(id, None).header("cookie", cookie.clone());
    let refused = refused.send(harness.address).await;
    assert_eq!((refused.status, &*refused.code()), (401, "ticket_required"));
    let body = format!(r#"{{"session":"{id}","role":"observer"}}"#);
    for (shown, expect) in [(None, 401), (Some(other), 401), (Some(cookie.clone()), 101)] {
        let ticket = secret(&harness.ticket(&cookie, body.clone()).await, "ticket");
        let mut request = harness.page_socket(id, Some(&ticket));
        if let Some(shown) = &shown {
            request = request.header("cookie", shown.clone());
        }
        let response = request.send(harness.address).await;
        assert_eq!(response.status, expect, "{shown:?} {response:?}");
        if expect == 101 {
            assert_eq!(response.header("sec-websocket-protocol"), Some(PROTOCOLS));
        }
    }
    let connection = harness.attached.recv().await.unwrap();
    assert_eq!(connection.role, Role::Observer, "the ticket says so");
}

/// Cookie and ticket are good; only where the page is differs.
#[tokio::test]
async fn a05_no_origin_but_the_exact_one_opens_a_socket() {
    let harness = Harness::start(Mode::Required).await;
    let (id, cookie, own) = (harness.id, harness.cookie().await, harness.origin());
    let port = harness.address.port();
    let others = [
        vec![],
        vec!["null".to_owned()],
        vec!["https://evil.test".to_owned()],
        vec![format!("http://127.0.0.1:{}", port ^ 1)],
        vec![format!("https://127.0.0.1:{port}")],
        vec![format!("http://x.127.0.0.1:{port}")],
        vec![format!("http://127.0.0.1:{port}.evil.test")],
        vec![format!("http://evil.127.0.0.1:{port}")],
        vec![format!("http://[::1]:{port}")],
        vec![format!("http://localhost:{port}")],
        vec![own.replace("http", "HTTP")],
        vec![format!("{own}/")],
        vec![format!("http://127.0.0.1.:{port}")],
        vec![format!("http://user@127.0.0.1:{port}")],
        vec![own.clone(), own.clone()],
        vec![own.clone(), "https://evil.test".to_owned()],
    ];
    for origins in others {
        let body = format!(r#"{{"session":"{id}"}}"#);
        let ticket = secret(&harness.ticket(&cookie, body).await, "ticket");
        let texts: Vec<&str> = origins.iter().map(String::as_str).collect();
        let request = harness.socket_from(&texts, id, Some(&ticket));
        let response = request.header("cookie", cookie.clone()).send(harness.address).await;
        assert_eq!(response.status, 403, "{origins:?} {response:?}");
    }
    assert!(harness.done().is_empty(), "{:?}", harness.done());
    assert_eq!(harness.attached.len(), 0, "nothing was handed over");
}

#[tokio::test]
async fn a08_of_a_hundred_uses_of_a_ticket_one_succeeds() {
    let harness = Harness::start(Mode::Required).await;
    let cookie = harness.cookie().await;
    let body = format!(r#"{{"session":"{}"}}"#, harness.id);
    let ticket = secret(&harness.ticket(&cookie, body).await, "ticket");
    let mut uses = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let request = harness.page_socket(harness.id, Some(&ticket));
        let (request, address) = (request.header("cookie", cookie.clone()), harness.address);
        uses.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, &request.to_bytes()).await.unwrap();
            read_response(&mut stream, false).await.status
        });
    }
    let statuses = uses.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 101).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 99, "{statuses:?}");
}

#[tokio::test]
async fn a08_a_ticket_is_for_one_session() {
    let harness = Harness::start(Mode::Required).await;
    let other = harness.double.add(hither_server::sessions::Status::Running);
    let cookie = harness.cookie().await;
    let body = format!(r#"{{"session":"{}"}}"#, harness.id);
    let ticket = secret(&harness.ticket(&cookie, body).await, "ticket");
    let request = harness.page_socket(other, Some(&ticket)).header("cookie", cookie.clone());
    assert_eq!(request.send(harness.address).await.code(), "ticket_refused");
    for (body, expect) in [
        ("{}".to_owned(), 404),
        (r#"{"session":"aaaaaaaaaaaaaaaa"}"#.to_owned(), 404),
        (format!(r#"{{"session":"{other}","role":"admin"}}"#), 400),
    ] {
        assert_eq!(harness.ticket(&cookie, body.clone()).await.status, expect, "{body}");
    }
}

/// A server with a user who owns its session, and the user's bearer token.
pub(crate) async fn owned() -> (Stored, UserId, String) {
    owned_with(config()).await
}

async fn owned_with(config: Config) -> (Stored, UserId, String) {
    let mut stored = Stored::with_config(config).await;
    let alice = stored.add_user("alice", UserKind::Member);
    stored.reload().await;
    let token = stored.add_token(alice, Scopes::MEMBER);
    stored.reload().await;
    let harness = &stored.harness;
    harness.double.state().sessions.get_mut(&harness.id).unwrap().owner = alice;
    (stored, alice, token)
}

impl Stored {
    pub(crate) fn as_user(&self, method: &str, path: &str, token: &str) -> Request {
        let target = format!("/api/sessions/{}{path}", self.harness.id);
        let request = self.harness.request(method, &target);
        request.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) async fn share(&self, token: &str, body: &str) -> Response {
        self.as_user("POST", "/shares", token).json(body).send(self.harness.address).await
    }

    async fn redeem(&self, body: serde_json::Value) -> Response {
        let request = self.harness.request("POST", "/api/share");
        let request = request.header("origin", self.harness.origin());
        request.json(body.to_string()).send(self.harness.address).await
    }

    /// Attaches by a share link.
    async fn watch(&mut self, secret_text: &str) -> Connection {
        let redeemed = self.redeem(serde_json::json!({ "secret": secret_text })).await;
        let ticket = secret(&redeemed, "ticket");
        let request = self.harness.page_socket(self.harness.id, Some(&ticket));
        assert_eq!(request.send(self.harness.address).await.status, 101);
        self.harness.attached.recv().await.unwrap()
    }
}

#[tokio::test]
async fn a22_a_share_link_opens_its_session_and_nothing_else() {
    let (mut stored, _, token) = owned().await;
    let made = stored.share(&token, r#"{"label":"class"}"#).await;
    assert_eq!((made.status, &made.json()["level"]), (201, &"read".into()));
    let key = secret(&made, "secret");
    let url = secret(&made, "url");
    assert!(url.ends_with(&format!("/s/{}#share={key}", stored.harness.id)), "{url}");
    let connection = stored.watch(&key).await;
    assert_eq!(connection.role, Role::Observer);
    assert_eq!(connection.pass.principal().name(), "class");
    // The secret is no credential of any other route.
    for target in ["/api/sessions", "/api/auth/current-user", "/api/config", "/api/events"] {
        assert_eq!(stored.get(target, &key).await.status, 401, "{target}");
    }
    // Nor does its ticket open another session.
    let other = stored.harness.double.add(hither_server::sessions::Status::Running);
    let ticket = secret(&stored.redeem(serde_json::json!({ "secret": key })).await, "ticket");
    let request = stored.harness.page_socket(other, Some(&ticket));
    assert_eq!(request.send(stored.harness.address).await.status, 401);
    let list = stored.as_user("GET", "/shares", &token).send(stored.harness.address).await.json();
    assert_eq!((&list[0]["viewers"], &list[0]["label"]), (&1.into(), &"class".into()));
    assert_eq!(list[0].get("secret"), None);
}

#[tokio::test]
async fn a22_a_withdrawn_link_ends_its_viewers() {
    let (mut stored, _, token) = owned().await;
    let made = stored.share(&token, "{}").await;
    let (key, id) = (secret(&made, "secret"), made.json()["id"].clone());
    let _viewer = stored.watch(&key).await;
    let path = format!("/shares/{id}");
    let gone = stored.as_user("DELETE", &path, &token).send(stored.harness.address).await;
    assert_eq!(gone.status, 204);
    let told = stored.harness.told().await;
    assert!(told.contains(" 4401 "), "{told}");
    let again = stored.redeem(serde_json::json!({ "secret": key })).await;
    assert_eq!((again.status, &*again.code()), (401, "share_refused"));
}

#[tokio::test]
async fn a22_passphrase_account_and_number_of_viewers_are_asked_for() {
    let (mut stored, _, token) = owned().await;
    let key = secret(&stored.share(&token, r#"{"passphrase":"open sesame"}"#).await, "secret");
    for (passphrase, expect) in [
        (None, "passphrase_required"),
        (Some(""), "passphrase_required"),
        (Some("wrong"), "passphrase_refused"),
    ] {
        let body = serde_json::json!({ "secret": key, "passphrase": passphrase });
        assert_eq!(stored.redeem(body).await.code(), expect);
    }
    let body = serde_json::json!({ "secret": key, "passphrase": "open sesame" });
    assert_eq!(stored.redeem(body).await.status, 200);
    let writer = secret(&stored.share(&token, r#"{"level":"write"}"#).await, "secret");
    let refused = stored.redeem(serde_json::json!({ "secret": writer })).await;
    assert_eq!((refused.status, &*refused.code()), (401, "login_required"));
    let open = r#"{"level":"write","needsLogin":false,"viewersMax":1}"#;
    let open = secret(&stored.share(&token, open).await, "secret");
    let viewer = stored.watch(&open).await;
    assert_eq!(viewer.role, Role::Operator);
    let second = stored.redeem(serde_json::json!({ "secret": open })).await;
    assert_eq!(second.code(), "too_many_viewers");
    drop(viewer);
    assert_eq!(stored.redeem(serde_json::json!({ "secret": open })).await.status, 200);
}

#[tokio::test]
async fn a16_guesses_at_a_passphrase_are_slowed_down() {
    let (stored, _, token) = owned().await;
    let key = secret(&stored.share(&token, r#"{"passphrase":"open sesame"}"#).await, "secret");
    let guess = serde_json::json!({ "secret": key, "passphrase": "wrong" });
    // One of a source without a record every two seconds: a slow machine may see a few more.
    let mut looked_at = 0;
    while stored.redeem(guess.clone()).await.status != 429 {
        looked_at += 1;
        assert!(looked_at <= 50, "{looked_at}");
    }
    let other = secret(&stored.share(&token, r#"{"passphrase":"open barley"}"#).await, "secret");
    let body = serde_json::json!({ "secret": other, "passphrase": "open barley" });
    assert_eq!(stored.redeem(body).await.status, 200, "other links are not concerned");
}

#[tokio::test]
async fn share_links_have_limits() {
    let (stored, _, token) = owned().await;
    for body in [
        r#"{"level":"own"}"#,
        r#"{"expiresIn":0}"#,
        r#"{"expiresIn":99999999}"#,
        r#"{"viewersMax":0}"#,
        r#"{"viewersMax":65}"#,
        r#"{"label":"\u0007"}"#,
    ] {
        assert_eq!(stored.share(&token, body).await.status, 400, "{body}");
    }
    for _ in 0..32 {
        assert_eq!(stored.share(&token, "{}").await.status, 201);
    }
    let refused = stored.share(&token, "{}").await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "too_many_shares"));
}

#[tokio::test]
async fn a13_a_revoked_token_a_removed_user_and_a_logout_end_open_connections() {
    for way in ["token", "user", "password"] {
        let (mut stored, alice, token) = owned().await;
        let login = token_of(&stored.login("alice", "correct horse battery").await);
        let shown = if way == "password" { login } else { token };
        let target = format!("/ws?session={}", stored.harness.id);
        let request = stored.harness.request("GET", &target).websocket();
        let request = request.header("sec-websocket-protocol", PROTOCOLS);
        let request = request.header("authorization", format!("Bearer {shown}"));
        assert_eq!(request.send(stored.harness.address).await.status, 101);
        let connection = stored.harness.attached.recv().await.unwrap();
        assert_eq!(connection.pass.principal().user(), Some(alice));
        let name = "alice".parse().unwrap();
        match way {
            "token" => {
                let id = stored.store.tokens().unwrap()[0].record.id;
                stored.store.revoke_token(id).unwrap();
            }
            "user" => drop(stored.store.remove_user(&name).unwrap()),
            _ => stored.store.set_password(&name, "none").unwrap(),
        }
        stored.reload().await;
        let told = stored.harness.told().await;
        assert!(told.contains(" 4401 "), "{way}: {told}");
    }
}

#[tokio::test]
async fn the_owner_sees_viewers_sets_their_level_and_sends_them_away() {
    let (mut stored, _, token) = owned().await;
    let open = r#"{"level":"write","needsLogin":false}"#;
    let key = secret(&stored.share(&token, open).await, "secret");
    let viewer = stored.watch(&key).await;
    let address = stored.harness.address;
    // The worker has not given it a number yet: it is not listed.
    let list = stored.as_user("GET", "/viewers", &token).send(address).await.json();
    assert_eq!(list, serde_json::json!([]));
    viewer.pass.attached_as(hither_core::ViewerId(7));
    let list = stored.as_user("GET", "/viewers", &token).send(address).await.json();
    for (member, expect) in [("role", "operator"), ("via", "link"), ("address", "127.0.0.1")] {
        assert_eq!(list[0][member], expect);
    }
    assert_eq!(list[0]["viewer"], 7);
    let set = stored.as_user("PATCH", "/viewers/7", &token).json(r#"{"level":"read"}"#);
    assert_eq!(set.send(address).await.json()["role"], "observer");
    let told = stored.harness.told().await;
    assert!(told.contains("role") && told.contains("observer"), "{told}");
    assert_eq!(stored.as_user("DELETE", "/viewers/8", &token).send(address).await.status, 404);
    assert_eq!(stored.as_user("DELETE", "/viewers/7", &token).send(address).await.status, 204);
    let told = stored.harness.told().await;
    assert!(told.contains(" 4403 you were sent away"), "{told}");
}

#[tokio::test]
async fn a_link_for_people_with_an_account_ends_with_the_login_that_was_shown() {
    let (mut stored, _, token) = owned().await;
    stored.add_user("bob", UserKind::Member);
    stored.reload().await;
    let key = secret(&stored.share(&token, r#"{"level":"write"}"#).await, "secret");
    let login = token_of(&stored.login("bob", "correct horse battery").await);
    let bearer = format!("Bearer {login}");
    let body = serde_json::json!({ "secret": key }).to_string();
    let address = stored.harness.address;
    let request = stored.harness.request("POST", "/api/share").json(body);
    let redeemed = request.header("authorization", &*bearer).send(address).await;
    let ticket = secret(&redeemed, "ticket");
    let request = stored.harness.page_socket(stored.harness.id, Some(&ticket));
    assert_eq!(request.send(address).await.status, 101);
    let viewer = stored.harness.attached.recv().await.unwrap();
    // Whoever types is known.
    assert_eq!((viewer.role, viewer.pass.principal().name()), (Role::Operator, "bob"));
    let logout = stored.harness.request("POST", "/api/auth/logout");
    let logout = logout.header("authorization", &*bearer).send(address).await;
    assert_eq!(logout.status, 204);
    let told = stored.harness.told().await;
    assert!(told.contains(" 4401 "), "{told}");
}

#[tokio::test]
async fn a16_a_good_link_does_not_make_up_for_wrong_guesses() {
    // This machine is never punished, so the guesses come through a proxy.
    let proxies = Proxies::new(vec!["127.0.0.1/32".parse().unwrap()]);
    let (stored, _, token) = owned_with(Config { proxies, ..config() }).await;
    let key = secret(&stored.share(&token, "{}").await, "secret");
    let from = |request: Request| request.header("x-forwarded-for", "192.0.2.7");
    let address = stored.harness.address;
    let redeem = |key: &str| {
        let body = serde_json::json!({ "secret": key }).to_string();
        from(stored.harness.request("POST", "/api/share").json(body))
    };
    let mut wrong = 0;
    loop {
        // One that is good between any two that are wrong.
        let good = redeem(&key).send(address).await.status;
        if good == 429 || redeem("wrong").send(address).await.status == 429 {
            break;
        }
        wrong += 1;
        assert!(wrong <= 10, "guesses are never slowed down");
    }
}
