//! Behind a proxy: whose headers count (row A19 of the security catalogue), and the base path.

use hither_auth::{Mode, Proxies, parse_network};
use hither_server::http::Config;

use crate::client::Request;
use crate::harness::{Harness, config};

/// The settings of a server whose proxy is this machine, or one of a network far away.
fn behind(proxy: &str) -> Config {
    Config {
        proxies: Proxies::new(vec![parse_network(proxy).unwrap()]),
        identity_header: Some("x-remote-user".parse().unwrap()),
        ..config()
    }
}

const NEAR: &str = "127.0.0.1";
const FAR: &str = "203.0.113.0/24";

#[tokio::test]
async fn the_hosts_name_is_the_proxys_word_or_nothing() {
    for (proxy, host, forwarded, expect) in [
        (NEAR, "localhost", &[("x-forwarded-host", "term.example.com")][..], 200),
        (NEAR, "localhost", &[("x-forwarded-host", "evil.test")], 421),
        (FAR, "term.example.com", &[("x-forwarded-host", "evil.test")], 200),
        // A rebound page writes any header but this one.
        (NEAR, "evil.test", &[("x-forwarded-host", "term.example.com")], 421),
        (FAR, "evil.test", &[("x-forwarded-host", "term.example.com")], 421),
        // The last word is the proxy's; what is in front of it came from the client.
        (NEAR, "localhost", &[("x-forwarded-host", "term.example.com, evil.test")], 421),
        (NEAR, "localhost", &[("x-forwarded-host", "evil.test, term.example.com")], 200),
        // This name is known by https only.
        (NEAR, "term.example.com", &[("x-forwarded-proto", "http")], 421),
        (NEAR, "term.example.com", &[("x-forwarded-proto", "https")], 200),
        (FAR, "term.example.com", &[("x-forwarded-proto", "http")], 200),
    ] {
        let harness = Harness::with_config(Mode::Off, behind(proxy)).await;
        let own = harness.host();
        let host = if host == "localhost" { own.as_str() } else { host };
        let mut request = Request::new("GET", "/health").header("host", host);
        for (name, value) in forwarded {
            request = request.header(name, *value);
        }
        let response = request.send(harness.address).await;
        assert_eq!(response.status, expect, "{proxy} {host} {forwarded:?}");
        let hsts = response.header("strict-transport-security");
        assert_eq!(hsts.is_some(), expect == 200, "{hsts:?} for {host}");
    }
}

#[tokio::test]
async fn names_that_others_share_are_not_pinned_to_tls() {
    let harness = Harness::start(Mode::Off).await;
    let response = harness.request("GET", "/health").send(harness.address).await;
    assert_eq!((response.status, response.header("strict-transport-security")), (200, None));
}

#[tokio::test]
async fn the_identity_header_is_the_proxys_or_nobodys() {
    for (proxy, users, expect) in [
        (NEAR, &["stranger"][..], (401, "credentials_refused")),
        (FAR, &["stranger"], (401, "unauthenticated")),
        (NEAR, &["ann", "stranger"], (400, "duplicate_header")),
        (NEAR, &[], (401, "unauthenticated")),
    ] {
        let harness = Harness::with_config(Mode::Required, behind(proxy)).await;
        let mut request = harness.request("GET", "/api/sessions");
        for user in users {
            request = request.header("x-remote-user", *user);
        }
        let response = request.send(harness.address).await;
        assert_eq!((response.status, &*response.code()), expect, "{proxy} {users:?}");
    }
}

/// Tries a wrong secret; the status of the answer.
async fn guess(harness: &Harness, forwarded: &str) -> u16 {
    harness
        .request("POST", "/api/auth/launch")
        .header("origin", harness.origin())
        .header("x-forwarded-for", forwarded)
        .json(r#"{"secret":"wrong"}"#)
        .send(harness.address)
        .await
        .status
}

#[tokio::test]
async fn guesses_are_counted_where_they_come_from() {
    let harness = Harness::with_config(Mode::Required, behind(NEAR)).await;
    let mut tries = 0;
    while guess(&harness, "192.0.2.1").await != 429 {
        tries += 1;
        assert!(tries < 1000, "nobody may guess without end");
    }
    // Whatever the guesser writes in front of its own address changes nothing.
    assert_eq!(guess(&harness, "198.51.100.9, 192.0.2.1").await, 429);
    assert_eq!(guess(&harness, "192.0.2.1, 198.51.100.9").await, 401);
}

/// Tickets that are none cost their network as wrong tokens do, and no other network.
#[tokio::test]
async fn tickets_that_are_wrong_earn_a_wait() {
    let harness = Harness::with_config(Mode::Required, behind(NEAR)).await;
    let cookie = harness.cookie().await;
    let target = format!("/ws?sessionId={}", harness.id);
    let open = async |from: &str| {
        let request = harness.request("GET", &target).websocket();
        let request = request.header("origin", harness.origin()).header("cookie", cookie.as_str());
        let request = request.header("sec-websocket-protocol", "hither.ticket.wrong");
        request.header("x-forwarded-for", from).send(harness.address).await
    };
    let mut tries = 0;
    while guess(&harness, "192.0.2.1").await != 429 {
        // As many as it takes until the next guess has to wait.
        for _ in 0..5 {
            assert_eq!(&*open("192.0.2.1").await.code(), "ticket_refused");
        }
        tries += 1;
        assert!(tries < 3, "a guess costs 5 s and five tickets cost 5 s, of 15 s that are free");
    }
    assert_eq!(guess(&harness, "198.51.100.9").await, 401);
}

#[tokio::test]
async fn everything_is_below_the_base_path() {
    let settings = Config { base_path: "/term".parse().unwrap(), ..config() };
    let mut harness = Harness::with_config(Mode::Required, settings).await;
    for (target, expect) in [
        ("/term/health", 200),
        ("/term/", 200),
        ("/term/api/sessions", 200),
        ("/term/nothing", 404),
        ("/health", 404),
        ("/", 404),
        ("/api/sessions", 404),
        ("/terminal/health", 404),
        ("/term/../health", 404),
        ("/term//health", 404),
    ] {
        assert_eq!(harness.get(target).await.status, expect, "{target}");
    }
    let itself = harness.get("/term").await;
    assert_eq!((itself.status, itself.header("location")), (308, Some("/term/")));
    let created = harness.post("/term/api/sessions", "{}").await;
    let location = created.header("location").unwrap().to_owned();
    assert!(location.starts_with("/term/api/sessions/"), "{location}");
    let id = created.json()["id"].as_str().unwrap().to_owned();
    assert!(location.ends_with(&id), "{location}");
    assert_eq!(harness.get(&location).await.status, 200);
    let document = harness.get("/term/api/openapi.json").await;
    assert_eq!(document.json()["servers"], serde_json::json!([{ "url": "/term" }]));
    let tag = document.header("etag").unwrap();
    let again = harness.request("GET", "/term/api/openapi.json").header("if-none-match", tag);
    assert_eq!(again.send(harness.address).await.status, 304);
    let target = format!("/term/ws?sessionId={}", harness.id);
    let response = harness.trusted("GET", &target).websocket().send(harness.address).await;
    assert_eq!(response.status, 101);
    assert!(harness.attached.recv().await.is_some());
}
