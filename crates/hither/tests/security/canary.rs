//! Secrets that must not be found anywhere: rows A15, H09 and H10.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::gateway::Gateway;

/// Drives secrets through answers of every kind, and answers the texts that must not be seen again.
fn drive(gateway: &Gateway) -> Vec<String> {
    let launch = gateway.greeting.split("#t=").nth(1).unwrap().trim().to_owned();
    let token = fs::read_to_string(gateway.folder().join("run/token")).unwrap().trim().to_owned();
    let origin = format!("origin: http://{}\r\n", gateway.host());
    let body = format!(r#"{{"secret":"{launch}"}}"#);
    let (status, answer) = gateway.ask_with("POST", "/api/auth/launch", &origin, &body);
    assert_eq!(status, 204, "{answer}");
    let cookie = answer.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap();
    let login = cookie.split('=').nth(1).unwrap().to_owned();
    let wrong = "canary-of-a-wrong-secret";
    let bearer = |secret: &str| format!("authorization: Bearer {secret}\r\n");
    for (method, path, lines, body) in [
        ("GET", "/api/sessions", bearer(&token), String::new()),
        ("GET", "/api/sessions", bearer(wrong), String::new()),
        ("GET", "/api/nothing", bearer(&token), String::new()),
        ("POST", "/api/sessions", bearer(&token), format!(r#"{{"title":"{wrong}""#)),
        ("GET", "/api/sessions", format!("cookie: {cookie}\r\n{origin}"), String::new()),
        ("GET", "/api/sessions", format!("cookie: x={wrong}\r\n"), String::new()),
        ("GET", "/ws?session=aaaaaaaaaaaaaaaa", bearer(&token), String::new()),
        ("POST", "/api/auth/login", origin.clone(), format!(r#"{{"password":"{token}"}}"#)),
        ("POST", "/api/auth/login", origin.clone(), format!(r#"{{"password":"{wrong}"}}"#)),
        ("POST", "/api/auth/launch", origin.clone(), format!(r#"{{"secret":"{wrong}"}}"#)),
        ("POST", "/api/auth/launch", origin.clone(), format!(r#"{{"secret":"{launch}"}}"#)),
        ("POST", "/api/auth/logout", format!("cookie: {cookie}\r\n{origin}"), String::new()),
    ] {
        let (status, answer) = gateway.ask_with(method, path, &lines, &body);
        assert!(status > 0, "{method} {path}: {answer}");
    }
    vec![launch, token, login, wrong.to_owned()]
}

fn assert_absent(secrets: &[String], text: &[u8], place: &str) {
    for secret in secrets {
        let found = text.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} is in {place}");
    }
}

#[test]
fn a15_no_secret_is_logged_or_shown() {
    let options = ["--log-level", "debug", "--hardening", "off"];
    let gateway = Gateway::with(&options, &[]);
    let secrets = drive(&gateway);
    let log = gateway.log();
    assert!(log.contains("request refused"), "debug messages are there: {log}");
    assert_absent(&secrets, log.as_bytes(), "the log");
    for name in ["cmdline", "environ"] {
        let text = fs::read(format!("/proc/{}/{name}", gateway.pid())).unwrap();
        assert_absent(&secrets, &text, name);
    }
    assert_absent(&secrets, metrics(&gateway).as_bytes(), "the metrics");
    // Of secrets only digests are stored; the token for programs of the same user has a file.
    for entry in walk(&gateway.folder().join("run")) {
        if entry.is_file() && !entry.ends_with("token") {
            assert_absent(&secrets, &fs::read(&entry).unwrap(), &entry.display().to_string());
        }
    }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        }
        found.push(path);
    }
    found
}

/// The metrics, from their own socket: the public port has none.
fn metrics(gateway: &Gateway) -> String {
    let mut stream = UnixStream::connect(gateway.folder().join("run/metrics.sock")).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

#[test]
fn h09_metrics_and_health_name_nobody_and_nothing() {
    let gateway = Gateway::start();
    let body =
        r#"{"command":["sh","-c","exec cat # canary-command"],"title":"canary-title","cwd":"/"}"#;
    let (status, created) = gateway.ask("POST", "/api/sessions", body);
    assert_eq!(status, 201, "{created}");
    let user = std::env::var("USER").unwrap_or_else(|_| "no such name".to_owned());
    let id = created.split(r#""id":""#).nth(1).unwrap().split('"').next().unwrap();
    let shown = [
        metrics(&gateway),
        gateway.ask("GET", "/health", "").1,
        gateway.ask("GET", "/api/health", "").1,
    ];
    for text in shown {
        let body = text.split_once("\r\n\r\n").unwrap().1.to_owned();
        for word in ["canary", id, &*format!("\"{user}\"")] {
            assert!(!body.contains(word), "{word} in {body}");
        }
    }
    assert_eq!(gateway.ask("GET", "/metrics", "").0, 404, "not on the public port");
}

#[test]
fn h10_errors_say_nothing_of_the_inside() {
    let gateway = Gateway::start();
    let folder = gateway.folder().display().to_string();
    for (method, path, body) in [
        ("GET", "/nothing", ""),
        ("POST", "/api/sessions", "{"),
        ("POST", "/api/sessions", r#"{"command":["/no/such/program"]}"#),
        ("POST", "/api/sessions", r#"{"cwd":"/no/such/directory"}"#),
        ("GET", "/api/sessions/aaaaaaaaaaaaaaaa", ""),
        ("POST", "/api/sessions/aaaaaaaaaaaaaaaa/input", r#"{"data":1}"#),
        ("PUT", "/api/sessions", ""),
        ("GET", "/ws", ""),
    ] {
        let (status, answer) = gateway.ask(method, path, body);
        assert!((400..500).contains(&status), "{method} {path}: {answer}");
        assert!(answer.contains("x-request-id: "), "{answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        for word in [".rs", "panicked", "src/", "backtrace", "axum", "hyper", &folder] {
            assert!(!body.contains(word), "{word} in {body}");
        }
    }
}
