//! DNS rebinding, the launch secret, cookies and logins.

use hither_auth::Mode;

use crate::client::{Request, exchange};
use crate::harness::Harness;
use crate::matrix::check_headers;

#[tokio::test]
async fn only_its_own_names_are_answered() {
    let harness = Harness::start(Mode::Off).await;
    let port = harness.address.port();
    for (host, expect) in [
        (format!("localhost:{port}"), 200),
        (format!("127.0.0.1:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        ("term.example.com".to_owned(), 200),
        ("term.example.com:443".to_owned(), 200),
        (format!("evil.test:{port}"), 421),
        ("evil.test".to_owned(), 421),
        ("localhost".to_owned(), 421),
        (format!("localhost.:{port}"), 421),
        (format!("LOCALHOST:{port}"), 421),
        (format!("127.0.0.2:{port}"), 421),
        (format!("0.0.0.0:{port}"), 421),
        (format!("user@localhost:{port}"), 421),
        (format!("localhost:{port}.evil.test"), 421),
        (String::new(), 421),
    ] {
        for path in ["/health", "/", "/nothing", "/api/sessions", "/ws"] {
            let mut request = Request::new("GET", path).header("host", host.clone());
            if path == "/ws" {
                request = request.websocket();
            }
            let response = request.send(harness.address).await;
            assert_eq!(response.status == 421, expect == 421, "{host} {path}: {response:?}");
            check_headers(&response, &host);
        }
    }
}

#[tokio::test]
async fn rebinding_does_not_work_with_a_good_credential_either() {
    let harness = Harness::start(Mode::Required).await;
    let cookie = harness.cookie().await;
    let rebound = format!("evil.test:{}", harness.address.port());
    for (name, value) in [("cookie", cookie), ("authorization", harness.bearer())] {
        let response = Request::new("GET", "/api/sessions")
            .header("host", rebound.clone())
            .header(name, value)
            .send(harness.address)
            .await;
        assert_eq!((response.status, &*response.code()), (421, "host_not_allowed"));
    }
}

#[tokio::test]
async fn exactly_one_host_and_a_target_that_agrees() {
    let harness = Harness::start(Mode::Off).await;
    let host = harness.host();
    for (request, expect) in [
        (format!("GET /health HTTP/1.1\r\nhost: {host}\r\nhost: {host}\r\n\r\n"), 400),
        ("GET /health HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET /health HTTP/1.0\r\n\r\n".to_owned(), 400),
        (format!("GET http://{host}/health HTTP/1.1\r\nhost: {host}\r\n\r\n"), 200),
        (format!("GET http://evil.test/health HTTP/1.1\r\nhost: {host}\r\n\r\n"), 421),
        (format!("GET http://{host}/health HTTP/1.1\r\nhost: evil.test\r\n\r\n"), 421),
        (format!("GET /health HTTP/1.1\r\nhost: \u{e9}{host}\r\n\r\n"), 421),
    ] {
        let response = exchange(harness.address, request.as_bytes()).await;
        assert_eq!(response.status, expect, "{request:?}");
    }
}

#[tokio::test]
async fn a_launch_secret_is_good_once() {
    let harness = Harness::start(Mode::Required).await;
    let old = harness.app.auth.issue_launch().unwrap().to_text();
    let secret = harness.app.auth.issue_launch().unwrap().to_text();
    assert_eq!(secret.len(), 43);
    assert_eq!(harness.launch(&old).await.status, 401);
    assert_eq!(harness.launch("").await.status, 401);
    let response = harness.launch(&secret).await;
    assert_eq!(response.status, 204);
    let cookie = response.header("set-cookie").unwrap();
    let flags = cookie.split_once(';').unwrap().1;
    assert_eq!(flags, " Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
    let again = harness.launch(&secret).await;
    assert_eq!((again.status, &*again.code()), (401, "launch_refused"));
    assert_eq!(again.header("www-authenticate"), Some("Bearer realm=\"hither\""));
    assert_eq!(again.header("set-cookie"), None);
}

#[tokio::test]
async fn behind_tls_the_cookie_is_bound_to_its_host() {
    let harness = Harness::start(Mode::Required).await;
    let secret = harness.app.auth.issue_launch().unwrap().to_text();
    let response = Request::new("POST", "/api/auth/launch")
        .header("host", "term.example.com")
        .header("origin", "https://term.example.com")
        .json(format!(r#"{{"secret":"{secret}"}}"#))
        .send(harness.address)
        .await;
    let cookie = response.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-hither-"), "{cookie}");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test]
async fn a_token_as_password_opens_a_login_that_logout_ends() {
    let harness = Harness::start(Mode::Required).await;
    let login = |password: &str| {
        let body = format!(r#"{{"username":"anybody","password":"{password}"}}"#);
        harness.request("POST", "/api/auth/login").json(body)
    };
    for wrong in ["", "wrong", &harness.token.to_lowercase()] {
        let response = login(wrong).send(harness.address).await;
        assert_eq!((response.status, &*response.code()), (401, "login_refused"));
        assert_eq!(response.header("set-cookie"), None);
    }
    let response = login(&harness.token).send(harness.address).await;
    let answer = response.json();
    let token = answer["token"].as_str().unwrap();
    assert_eq!(answer["success"], true);
    assert_ne!(token, harness.token);

    let ask = |method, path| {
        let bearer = format!("Bearer {token}");
        harness.request(method, path).header("authorization", bearer)
    };
    let user = ask("GET", "/api/auth/current-user").send(harness.address).await;
    assert_eq!((user.status, &user.json()["via"]), (200, &"login".into()));
    let out = ask("POST", "/api/auth/logout").send(harness.address).await;
    assert_eq!(out.status, 204);
    let cookie =
        format!("hither-{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict", harness.address.port());
    assert_eq!(out.header("set-cookie"), Some(&*cookie));
    let user = ask("GET", "/api/auth/current-user").send(harness.address).await;
    assert_eq!((user.status, &*user.code()), (401, "credentials_refused"));
}

#[tokio::test]
async fn whoever_is_in_can_ask_for_an_address_for_a_browser() {
    let harness = Harness::start(Mode::Required).await;
    let answer = harness.post("/api/auth/launch-url", "").await.json();
    let url = answer["url"].as_str().unwrap();
    let secret = url.strip_prefix("http://127.0.0.1:7681/#t=").unwrap();
    assert_eq!(harness.launch(secret).await.status, 204);
    let open = Harness::start(Mode::Off).await;
    let answer = open.post("/api/auth/launch-url", "").await.json();
    assert_eq!(answer["url"], "http://127.0.0.1:7681/");
}

#[tokio::test]
async fn logins_are_announced_for_storing() {
    let harness = Harness::start(Mode::Required).await;
    let mut changes = harness.app.auth.login_changes();
    let cookie = harness.cookie().await;
    changes.changed().await.unwrap();
    let records = harness.app.auth.logins();
    let secret = cookie.split_once('=').unwrap().1;
    assert_eq!(records.len(), 1);
    assert!(!format!("{records:?}").contains(secret));
}

#[tokio::test]
async fn two_credentials_of_a_kind_are_refused() {
    let harness = Harness::start(Mode::Required).await;
    let response = harness
        .trusted("GET", "/api/sessions")
        .header("authorization", harness.bearer())
        .send(harness.address)
        .await;
    assert_eq!((response.status, &*response.code()), (400, "duplicate_header"));
}
