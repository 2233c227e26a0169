//! Every route × every credential × every origin, against a table that people wrote.

use hither_auth::Mode;
use hither_server::http::{Guard, Listener, ROUTES};
use hither_server::sessions::Socket;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};

use crate::client::{Request, Response, read_response};
use crate::harness::Harness;

/// Method, path, guard and the status of a request that is let through. A page that was not built
/// has no icons, hence the second status.
pub(crate) const TABLE: &[(&str, &str, Guard, &[u16])] = &[
    ("GET", "/", Guard::Public, &[200]),
    ("GET", "/s/{id}", Guard::Public, &[200]),
    ("GET", "/assets/{*path}", Guard::Public, &[404]),
    ("GET", "/favicon.ico", Guard::Public, &[200, 404]),
    ("GET", "/favicon.svg", Guard::Public, &[200, 404]),
    ("GET", "/manifest.webmanifest", Guard::Public, &[200, 404]),
    ("GET", "/health", Guard::Public, &[200]),
    ("GET", "/api/health", Guard::Public, &[200]),
    ("GET", "/api/ready", Guard::Public, &[200]),
    ("GET", "/api/auth/config", Guard::Public, &[200]),
    ("POST", "/api/auth/launch", Guard::Secret, &[204]),
    ("POST", "/api/auth/login", Guard::Secret, &[200]),
    // Nobody has named a provider.
    ("GET", "/api/auth/oidc/login", Guard::Public, &[404]),
    ("GET", "/api/auth/oidc/callback", Guard::Secret, &[404]),
    ("POST", "/api/auth/launch-url", Guard::ADMIN, &[200]),
    ("POST", "/api/auth/logout", Guard::Credential, &[204]),
    ("POST", "/api/auth/logout-all", Guard::Credential, &[204]),
    ("POST", "/api/auth/reload", Guard::ADMIN, &[204]),
    ("GET", "/api/auth/current-user", Guard::Credential, &[200]),
    ("GET", "/api/openapi.json", Guard::Public, &[200]),
    ("GET", "/api/docs", Guard::Public, &[200]),
    ("GET", "/api/docs.css", Guard::Public, &[200]),
    ("GET", "/api/config", Guard::Credential, &[200]),
    ("GET", "/api/server/status", Guard::Credential, &[200]),
    ("POST", "/api/server/upgrade", Guard::ADMIN, &[403]),
    ("GET", "/api/events", Guard::LIST, &[200]),
    ("GET", "/api/sessions", Guard::LIST, &[200]),
    ("POST", "/api/sessions", Guard::CREATE, &[201]),
    ("GET", "/api/sessions/{id}", Guard::READ, &[200]),
    ("PATCH", "/api/sessions/{id}", Guard::OWN, &[200]),
    ("DELETE", "/api/sessions/{id}", Guard::OWN, &[200]),
    ("POST", "/api/sessions/{id}/resize", Guard::WRITE, &[200]),
    ("POST", "/api/sessions/{id}/reset-size", Guard::WRITE, &[200]),
    ("POST", "/api/sessions/{id}/input", Guard::WRITE, &[200]),
    ("POST", "/api/sessions/{id}/run", Guard::WRITE, &[409]),
    ("POST", "/api/sessions/{id}/signal", Guard::WRITE, &[200]),
    ("POST", "/api/sessions/{id}/wait", Guard::READ, &[200]),
    ("GET", "/api/sessions/{id}/screen", Guard::READ, &[200]),
    ("GET", "/api/sessions/{id}/scrollback", Guard::READ, &[200]),
    ("GET", "/api/sessions/{id}/output", Guard::READ, &[200]),
    ("GET", "/api/sessions/{id}/stream", Guard::READ, &[200]),
    ("GET", "/api/sessions/{id}/viewers", Guard::READ, &[200]),
    // There is no such viewer, user, or share link, as far as anybody may know.
    ("PATCH", "/api/sessions/{id}/viewers/{number}", Guard::OWN, &[404]),
    ("DELETE", "/api/sessions/{id}/viewers/{number}", Guard::OWN, &[404]),
    ("GET", "/api/sessions/{id}/grants", Guard::OWN, &[200]),
    ("PUT", "/api/sessions/{id}/grants/{user}", Guard::OWN, &[404]),
    ("DELETE", "/api/sessions/{id}/grants/{user}", Guard::OWN, &[404]),
    ("GET", "/api/sessions/{id}/shares", Guard::OWN, &[200]),
    // No store is behind this server.
    ("POST", "/api/sessions/{id}/shares", Guard::OWN, &[503]),
    ("DELETE", "/api/sessions/{id}/shares/{number}", Guard::OWN, &[404]),
    ("POST", "/api/share", Guard::Secret, &[401]),
    ("POST", "/api/ws-ticket", Guard::READ, &[200]),
    ("POST", "/api/cleanup-exited", Guard::MANAGE, &[200]),
    ("GET", "/token", Guard::Credential, &[200]),
    ("GET", "/ws", Guard::READ, &[101]),
];

pub(crate) type Row = (&'static str, &'static str, Guard, &'static [u16]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    WrongCookie,
    WrongBearer,
    Garbage,
    Cookie,
    Bearer,
    Basic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Nowhere,
    OwnPage,
    OtherPort,
    OtherSite,
    Null,
    OwnTwice,
}

const SHOWN: [Shown; 7] = [
    Shown::Nothing,
    Shown::WrongCookie,
    Shown::WrongBearer,
    Shown::Garbage,
    Shown::Cookie,
    Shown::Bearer,
    Shown::Basic,
];
const FROM: [From; 6] =
    [From::Nowhere, From::OwnPage, From::OtherPort, From::OtherSite, From::Null, From::OwnTwice];

fn expected(row: Row, shown: Shown, from: From) -> &'static [u16] {
    let (method, path, guard, through) = row;
    if !matches!(from, From::Nowhere | From::OwnPage) {
        return &[403];
    }
    if matches!(guard, Guard::Public | Guard::Secret) {
        return through;
    }
    match shown {
        Shown::Nothing | Shown::WrongCookie | Shown::WrongBearer | Shown::Garbage => &[401],
        Shown::Bearer | Shown::Basic => through,
        // It takes a ticket besides.
        Shown::Cookie if path == "/ws" && from == From::OwnPage => &[401],
        Shown::Cookie if from == From::OwnPage => through,
        // Nobody vouches that one of our own pages sent it.
        Shown::Cookie if method != "GET" || path == "/ws" => &[403],
        Shown::Cookie => through,
    }
}

/// A request that would be right, but for credential and origin.
pub(crate) fn request(harness: &Harness, row: Row) -> Request {
    request_to(harness, row, &harness.host())
}

/// The same with any host.
fn request_to(harness: &Harness, row: Row, host: &str) -> Request {
    let (method, path, ..) = row;
    let target = path.replace("{id}", harness.id.as_str()).replace("{*path}", "none.js");
    let target = target.replace("{number}", "7").replace("{user}", "nobody");
    let target = match path {
        "/ws" => format!("/ws?sessionId={}", harness.id),
        _ => target,
    };
    let request = Request::new(method, &target).header("host", host);
    match path {
        "/ws" => request.websocket(),
        "/api/auth/launch" => {
            let secret = harness.app.auth.issue_launch().unwrap().to_text();
            request.json(format!(r#"{{"secret":"{secret}"}}"#))
        }
        "/api/auth/login" => {
            request.json(format!(r#"{{"username":"x","password":"{}"}}"#, harness.token))
        }
        "/api/ws-ticket" => request.json(format!(r#"{{"session":"{}"}}"#, harness.id)),
        "/api/sessions/{id}/viewers/{number}" | "/api/sessions/{id}/grants/{user}"
            if method != "DELETE" =>
        {
            request.json(r#"{"level":"read"}"#)
        }
        "/api/sessions/{id}/resize" => request.json(r#"{"cols":100,"rows":30}"#),
        "/api/sessions/{id}/signal" => request.json(r#"{"signal":"INT"}"#),
        "/api/sessions/{id}/wait" => request.json(r#"{"quietMs":1}"#),
        "/api/sessions/{id}/run" => request.json(r#"{"command":"ls"}"#),
        "/api/sessions/{id}/input" => request.json(r#"{"data":"x"}"#),
        "/api/sessions" if method == "POST" => request.json("{}"),
        _ => request,
    }
}

/// The request with a credential and an origin.
async fn dressed(harness: &Harness, row: Row, shown: Shown, from: From) -> Request {
    // First, since it uses up a launch secret.
    let cookie = harness.cookie().await;
    let request = request(harness, row);
    let name = format!("hither-{}", harness.address.port());
    let request = match shown {
        Shown::Nothing => request,
        Shown::WrongCookie => request.header("cookie", format!("{name}={}", "A".repeat(43))),
        Shown::WrongBearer => {
            request.header("authorization", format!("Bearer hither_{}", "A".repeat(43)))
        }
        Shown::Garbage => request.header("authorization", "Negotiate abc"),
        Shown::Cookie => request.header("cookie", cookie),
        Shown::Bearer => request.header("authorization", harness.bearer()),
        Shown::Basic => request.header("authorization", harness.basic()),
    };
    match from {
        From::Nowhere => request,
        From::OwnPage => request.header("origin", harness.origin()),
        From::OtherPort => request.header("origin", "http://127.0.0.1:1"),
        From::OtherSite => request.header("origin", "https://evil.test"),
        From::Null => request.header("origin", "null"),
        From::OwnTwice => {
            let origin = harness.origin();
            request.header("origin", origin.clone()).header("origin", origin)
        }
    }
}

#[test]
fn every_route_has_its_row() {
    let routes: Vec<_> = ROUTES.iter().map(|r| (r.method, r.path, r.guard)).collect();
    let rows: Vec<_> = TABLE.iter().map(|row| (row.0, row.1, row.2)).collect();
    assert_eq!(routes, rows);
}

#[tokio::test]
async fn credentials_required() {
    for &row in TABLE {
        for shown in SHOWN {
            for from in FROM {
                let harness = Harness::start(Mode::Required).await;
                let request = dressed(&harness, row, shown, from).await;
                let response = request.send(harness.address).await;
                let expect = expected(row, shown, from);
                let case = format!("{} {} {shown:?} {from:?}", row.0, row.1);
                assert!(expect.contains(&response.status), "{case}: {response:?}");
                check_headers(&response, &case);
                check_nothing_done(&harness, &response, &case);
            }
        }
    }
}

#[tokio::test]
async fn authentication_off() {
    for &row in TABLE {
        for shown in SHOWN {
            for from in FROM {
                let harness = Harness::start(Mode::Off).await;
                let request = dressed(&harness, row, shown, from).await;
                let response = request.send(harness.address).await;
                let own = matches!(from, From::Nowhere | From::OwnPage);
                let expect = if own { row.3 } else { &[403] };
                let case = format!("{} {} {shown:?} {from:?}", row.0, row.1);
                assert!(expect.contains(&response.status), "{case}: {response:?}");
                check_headers(&response, &case);
                check_nothing_done(&harness, &response, &case);
            }
        }
    }
}

#[tokio::test]
async fn fetch_metadata_of_other_sites_is_believed() {
    for mode in [Mode::Required, Mode::Off] {
        for &row in TABLE.iter().filter(|row| !matches!(row.2, Guard::Public | Guard::Secret)) {
            for site in ["cross-site", "same-site", "unheard-of"] {
                let harness = Harness::start(mode).await;
                let request = dressed(&harness, row, Shown::Bearer, From::Nowhere).await;
                let request = request.header("sec-fetch-site", site);
                let response = request.send(harness.address).await;
                let case = format!("{} {} {mode:?} {site}", row.0, row.1);
                assert_eq!(response.status, 403, "{case}");
                check_nothing_done(&harness, &response, &case);
            }
        }
    }
}

#[tokio::test]
async fn same_origin_metadata_vouches_for_a_cookie() {
    let harness = Harness::start(Mode::Required).await;
    let cookie = harness.cookie().await;
    for (site, expect) in [("same-origin", 201), ("none", 403)] {
        let response = harness
            .request("POST", "/api/sessions")
            .header("cookie", cookie.clone())
            .header("sec-fetch-site", site)
            .json("{}")
            .send(harness.address)
            .await;
        assert_eq!(response.status, expect, "{site}");
    }
}

/// What HTML forms can send never passes, whoever sends it.
#[tokio::test]
async fn forms_do_nothing() {
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let harness = Harness::start(Mode::Off).await;
        let head = harness
            .request("POST", "/api/sessions")
            .header("content-type", content_type)
            .header("content-length", "2")
            .to_bytes();
        let bytes = [&head[..], b"{}"].concat();
        let response = crate::client::exchange(harness.address, &bytes).await;
        assert_eq!((response.status, &*response.code()), (415, "unsupported_media_type"));
        assert!(harness.done().is_empty());
    }
}

/// What a request over the Unix socket shows besides its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    Nothing,
    WrongBearer,
    WrongCookie,
    Forwarded,
    OwnPage,
    OtherSite,
    Fetched,
    OtherHost,
}

#[tokio::test]
async fn a02_every_route_over_the_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    for &row in TABLE {
        for (beside, lines, refused) in [
            // The kernel says who it is; what else is shown makes that neither better nor worse.
            (Beside::Nothing, "", None),
            (Beside::WrongBearer, "authorization: Bearer hither_wrong", None),
            (Beside::WrongCookie, "cookie: hither-7681=wrong", None),
            (Beside::Forwarded, "x-forwarded-for: 192.0.2.1", None),
            (Beside::OwnPage, "origin: http://localhost", Some(403)),
            (Beside::OtherSite, "origin: https://evil.test", Some(403)),
            (Beside::Fetched, "sec-fetch-site: same-origin", Some(403)),
            (Beside::OtherHost, "", Some(421)),
        ] {
            let harness = Harness::start(Mode::Required).await;
            let listener = UnixListener::bind(&path).unwrap();
            let server = harness.server.clone();
            let serving = tokio::spawn(async move { server.serve(Listener::Unix(listener)).await });
            let host = if beside == Beside::OtherHost { "evil.test" } else { "localhost" };
            let mut request = request_to(&harness, row, host);
            if let Some((name, value)) = lines.split_once(": ") {
                request = request.header(name, value);
            }
            let mut stream = UnixStream::connect(&path).await.unwrap();
            stream.write_all(&request.to_bytes()).await.unwrap();
            let response = read_response(&mut stream, false).await;
            let case = format!("{} {} {beside:?}", row.0, row.1);
            // Here it is not refused as over TCP, but nobody is there who would do it.
            let through = if row.1 == "/api/server/upgrade" { &[404][..] } else { row.3 };
            // What is public shows the same to whatever a browser sends of its own accord.
            let is_public = matches!(row.2, Guard::Public | Guard::Secret);
            let is_shown = is_public && beside == Beside::Fetched;
            let is_expected = match refused {
                Some(status) => {
                    response.status == status || is_shown && through.contains(&response.status)
                }
                None => through.contains(&response.status),
            };
            assert!(is_expected, "{case}: {response:?}");
            check_headers(&response, &case);
            check_nothing_done(&harness, &response, &case);
            serving.abort();
            std::fs::remove_file(&path).unwrap();
        }
    }
}

#[tokio::test]
async fn the_unix_socket_lets_the_same_user_in_and_no_browser() {
    let mut harness = Harness::start(Mode::Required).await;
    let name = format!("hither-http-test-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let listener = UnixListener::bind(&path).unwrap();
    let server = harness.server.clone();
    let serving = tokio::spawn(async move { server.serve(Listener::Unix(listener)).await });
    for (host, header, expect) in [
        ("localhost", None, 200),
        ("localhost:8080", None, 421),
        ("127.0.0.1", None, 421),
        ("localhost", Some(("origin", "http://localhost")), 403),
        ("localhost", Some(("origin", "null")), 403),
        ("localhost", Some(("sec-fetch-site", "same-origin")), 403),
        ("localhost", Some(("sec-fetch-site", "none")), 403),
        ("localhost", Some(("authorization", "Bearer wrong")), 200),
    ] {
        let mut request = Request::new("GET", "/api/sessions").header("host", host);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(&request.to_bytes()).await.unwrap();
        let response = read_response(&mut stream, false).await;
        assert_eq!(response.status, expect, "{host} {header:?}");
        check_headers(&response, host);
    }
    let target = format!("/ws?sessionId={}", harness.id);
    let request = Request::new("GET", &target).header("host", "localhost").websocket();
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(&request.to_bytes()).await.unwrap();
    assert_eq!(read_response(&mut stream, false).await.status, 101);
    let connection = harness.attached.recv().await.unwrap();
    assert!(matches!(connection.socket, Socket::Unix(_)), "{connection:?}");
    harness.stop.send(true).unwrap();
    serving.await.unwrap().unwrap();
    std::fs::remove_file(path).unwrap();
}

pub(crate) fn check_headers(response: &Response, case: &str) {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; \
        img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
        require-trusted-types-for 'script'; trusted-types";
    for (name, value) in [
        ("content-security-policy", policy),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(response.header(name), Some(value), "{case}: {name}");
    }
    assert!(response.header("x-request-id").is_some(), "{case}");
    assert_eq!(response.header("access-control-allow-origin"), None, "{case}");
    let is_page = response.header("etag").is_some();
    assert_eq!(response.header("cache-control") == Some("no-store"), !is_page, "{case}");
}

/// A refused request changed nothing; one that was let through did no more than it says.
fn check_nothing_done(harness: &Harness, response: &Response, case: &str) {
    if response.status >= 400 {
        assert!(harness.done().is_empty(), "{case}: {:?}", harness.done());
        assert_eq!(harness.double.state().sessions.len(), 1, "{case}");
    }
}
