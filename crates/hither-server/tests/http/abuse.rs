//! What guessing earns.

use hither_auth::Mode;
use hither_server::http::Config;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Duration, pause, sleep};

use crate::client::{Request, Response, read_response, read_to_end};
use crate::harness::{Harness, config};

async fn guess(harness: &Harness, name: &str) -> Response {
    harness
        .request("POST", "/api/auth/login")
        .header("origin", harness.origin())
        .json(format!(r#"{{"username":"{name}","password":"guess"}}"#))
        .send(harness.address)
        .await
}

#[tokio::test]
async fn a16_guesses_at_an_account_are_slowed_down() {
    let harness = Harness::start(Mode::Required).await;
    let mut looked_at = 0;
    for _ in 0..100 {
        let response = guess(&harness, "ada").await;
        if response.status == 401 {
            looked_at += 1;
        } else {
            assert_eq!((response.status, &*response.code()), (429, "too_many_attempts"));
            let wait: u64 = response.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=301).contains(&wait), "{wait}");
        }
    }
    // One of a source without a record every two seconds: a slow machine may see a few more.
    assert!(looked_at <= 20, "{looked_at}");
    assert_eq!(guess(&harness, "bob").await.status, 401, "other accounts are not concerned");
    // Whoever has a credential is not asked, and the launch secret is a way in of its own.
    assert_eq!(harness.get("/api/sessions").await.status, 200);
    harness.cookie().await;
}

#[tokio::test]
async fn guesses_at_the_launch_secret_do_not_lock_this_machine_out() {
    let harness = Harness::start(Mode::Required).await;
    for _ in 0..50 {
        assert_eq!(harness.launch("guess").await.status, 401);
    }
    harness.cookie().await;
}

/// A connection on which one request was answered and another may come.
async fn kept(harness: &Harness, request: Request, expect: u16) -> TcpStream {
    let mut stream = TcpStream::connect(harness.address).await.unwrap();
    ask(&mut stream, request).await;
    assert_eq!(read_response(&mut stream, false).await.status, expect);
    stream
}

async fn ask(stream: &mut TcpStream, request: Request) {
    let request = request.header("connection", "keep-alive");
    stream.write_all(&request.to_bytes()).await.unwrap();
}

/// Row H06 of the security catalogue, in small: of 8 connections 4 may be without a credential.
#[tokio::test]
async fn h06_slow_clients_go_and_the_owner_gets_in() {
    let config = Config { connections_max: 8, ..config() };
    let harness = Harness::with_config(Mode::Required, config).await;
    let sessions = |harness: &Harness| harness.trusted("GET", "/api/sessions");
    let mut owner = kept(&harness, sessions(&harness), 200).await;
    let mut slow = Vec::new();
    for number in 0..40 {
        let mut stream = TcpStream::connect(harness.address).await.unwrap();
        let head = format!("POST /api/auth/login HTTP/1.1\r\nhost: {}\r\n", harness.host());
        let body = "content-type: application/json\r\ncontent-length: 90\r\n\r\n{";
        let start = if number % 2 == 0 { head } else { head + body };
        stream.write_all(start.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    // The oldest are cut at once, not by a deadline; the newest four may go on.
    for stream in &mut slow[..36] {
        assert_eq!(read_to_end(stream).await, b"");
    }
    assert_eq!(harness.app.refusals("unauthenticated_connections"), 36);
    // Whoever has shown a credential stays, and one more gets in.
    ask(&mut owner, sessions(&harness)).await;
    assert_eq!(read_response(&mut owner, false).await.status, 200);
    assert_eq!(harness.get("/api/sessions").await.status, 200);
    harness.cookie().await;
}

/// Time is virtual here: once paused, it moves when nothing else can.
#[tokio::test]
async fn h06_without_a_credential_a_connection_ends() {
    let harness = Harness::start(Mode::Required).await;
    let mut stranger = kept(&harness, harness.request("GET", "/api/sessions"), 401).await;
    let mut owner = kept(&harness, harness.trusted("GET", "/api/sessions"), 200).await;
    pause();
    for _ in 0..2 {
        sleep(Duration::from_secs(4)).await;
        ask(&mut stranger, harness.request("GET", "/api/sessions")).await;
        assert_eq!(read_response(&mut stranger, false).await.status, 401);
        ask(&mut owner, harness.request("GET", "/api/sessions")).await;
        assert_eq!(read_response(&mut owner, false).await.status, 401);
    }
    sleep(Duration::from_secs(4)).await;
    assert_eq!(read_to_end(&mut stranger).await, b"", "it had ten seconds");
    assert_eq!(harness.app.refusals("authentication_time"), 1);
    ask(&mut owner, harness.trusted("GET", "/api/sessions")).await;
    assert_eq!(read_response(&mut owner, false).await.status, 200);
}

/// What is refused before anybody has proven who they are is counted, by its reason.
#[tokio::test]
async fn each_refusal_at_the_door_is_counted() {
    let harness = Harness::start(Mode::Required).await;
    let origin = harness.origin();
    let ws = |ticket: &str| {
        let target = format!("/ws?sessionId={}", harness.id);
        let request = harness.request("GET", &target).websocket().header("origin", origin.as_str());
        match ticket {
            "" => request,
            _ => request.header("sec-websocket-protocol", format!("hither.ticket.{ticket}")),
        }
    };
    let post = |target: &str, body: &str| {
        harness.request("POST", target).header("origin", origin.as_str()).json(body)
    };
    let cookie = harness.cookie().await;
    let sessions = || harness.request("GET", "/api/sessions");
    for (request, code) in [
        (sessions(), "unauthenticated"),
        (sessions().header("authorization", "Bearer wrong"), "credentials_refused"),
        (post("/api/auth/login", r#"{"username":"ada","password":"x"}"#), "login_refused"),
        (post("/api/auth/launch", r#"{"secret":"x"}"#), "launch_refused"),
        (post("/api/share", r#"{"secret":"x"}"#), "share_refused"),
        (ws("").header("cookie", cookie.as_str()), "ticket_required"),
        (ws("wrong").header("cookie", cookie.as_str()), "ticket_refused"),
        (sessions().header("origin", "https://evil.test"), "cross_site"),
        (Request::new("GET", "/").header("host", "evil.test"), "host_not_allowed"),
    ] {
        let before = harness.app.refusals(code);
        let response = request.send(harness.address).await;
        assert_eq!(&*response.code(), code, "{response:?}");
        assert_eq!(harness.app.refusals(code), before + 1, "{code}");
    }
}
