//! What is too much, too slow, or not HTTP.

use hither_auth::Mode;
use hither_server::http::{Config, HEADER_BYTES_MAX, HEADERS_MAX, ROUTES};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, pause, sleep};

use crate::client::{exchange, read_head, read_response, read_to_end, write_anyway};
use crate::harness::{Harness, config};
use crate::matrix::check_headers;

const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let harness = Harness::start(Mode::Off).await;
    for route in ROUTES {
        let target = route.path.replace("{id}", harness.id.as_str()).replace("{*path}", "x");
        let here: Vec<_> = ROUTES.iter().filter(|r| r.path == route.path).collect();
        for method in METHODS {
            let known = |r: &&hither_server::http::Route| {
                r.method == method || (r.method == "GET" && method == "HEAD")
            };
            if here.iter().any(known) {
                continue;
            }
            let response = harness.request(method, &target).send(harness.address).await;
            assert_eq!(response.status, 405, "{method} {target}");
            if method != "HEAD" {
                assert_eq!(response.code(), "method_not_allowed");
            }
            let allow = response.header("allow").unwrap();
            if method != "TRACE" {
                assert!(allow.contains(route.method), "{method} {target}: {allow}");
            }
            check_headers(&response, &target);
        }
    }
    assert!(harness.done().is_empty());
}

#[tokio::test]
async fn connect_is_not_a_proxy() {
    let harness = Harness::start(Mode::Off).await;
    let host = harness.host();
    let request = format!("CONNECT {host} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let response = exchange(harness.address, request.as_bytes()).await;
    assert_eq!(response.status, 405);
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let harness = Harness::start(Mode::Off).await;
    for path in [
        "/nothing",
        "/api",
        "/api/",
        "/api/sessions/",
        "/health/",
        "//health",
        "/s/",
        "/s/x",
        "/%2e%2e/",
        "/s/../health",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/",
        "/assets/..%2findex.html",
        "/assets/%252e%252e/x",
        "/assets/..\\x",
        "/assets/%00",
        "/.git/config",
        "/assets//etc/passwd",
        "/api/sessions/aaaaaaaaaaaaaaaa",
        "/api/sessions/..",
        "/api/sessions/%00",
    ] {
        let response = harness.request("GET", path).send(harness.address).await;
        assert_eq!(response.status, 404, "{path}: {response:?}");
        let body = String::from_utf8(response.body.clone()).unwrap();
        assert!(!body.contains("web/dist") && !body.contains(".rs"), "{body}");
        check_headers(&response, path);
    }
}

#[tokio::test]
async fn heads_are_bounded() {
    let harness = Harness::start(Mode::Off).await;
    let long = "x".repeat(HEADER_BYTES_MAX);
    let many = (0..=HEADERS_MAX).fold(harness.request("GET", "/health"), |request, n| {
        request.header(&format!("x-{n}"), "x")
    });
    for request in [
        harness.request("GET", "/health").header("x", long.clone()).to_bytes(),
        harness.request("GET", &format!("/{long}")).to_bytes(),
        many.to_bytes(),
        vec![b'x'; 4 * HEADER_BYTES_MAX],
    ] {
        let mut stream = TcpStream::connect(harness.address).await.unwrap();
        write_anyway(&mut stream, &request).await;
        let answer = String::from_utf8(read_to_end(&mut stream).await).unwrap();
        let status = answer.split(' ').nth(1).unwrap_or("cut");
        assert!(["431", "414", "400", "cut"].contains(&status), "{answer}");
    }
    assert_eq!(harness.get("/health").await.status, 200);
}

#[tokio::test]
async fn bodies_are_bounded() {
    let harness = Harness::start(Mode::Off).await;
    let input = format!("/api/sessions/{}/input", harness.id);
    let body = |bytes: usize| format!(r#"{{"data":"{}"}}"#, "x".repeat(bytes));
    for (path, bytes, expect) in [
        ("/api/sessions", 60 * 1024, 201),
        ("/api/sessions", 64 * 1024, 413),
        (&*input, 1024 * 1024 - 11, 200),
        (&*input, 1024 * 1024, 413),
    ] {
        let response = harness.post(path, &body(bytes)).await;
        assert_eq!(response.status, expect, "{path} {bytes}");
    }
    assert_eq!(harness.double.state().inputs[0].len(), 1024 * 1024 - 11);
}

#[tokio::test]
async fn chunked_bodies_are_bounded_too() {
    let harness = Harness::start(Mode::Off).await;
    let mut request = harness
        .request("POST", "/api/sessions")
        .header("content-type", "application/json")
        .header("transfer-encoding", "chunked")
        .to_bytes();
    for _ in 0..70 {
        request.extend(format!("400\r\n{}\r\n", " ".repeat(1024)).bytes());
    }
    let mut stream = TcpStream::connect(harness.address).await.unwrap();
    write_anyway(&mut stream, &request).await;
    assert_eq!(read_response(&mut stream, false).await.status, 413);
    assert!(harness.done().is_empty());
}

#[tokio::test]
async fn hostile_bodies_are_errors_of_the_client() {
    let harness = Harness::start(Mode::Off).await;
    let deep = "[".repeat(30_000);
    let path = format!("/api/sessions/{}/resize", harness.id);
    for body in [
        "",
        "{",
        "null",
        "[]",
        "1",
        "\"\"",
        "{\"cols\":1e400,\"rows\":1}",
        "{\"cols\":-1,\"rows\":1}",
        "{\"cols\":80,\"cols\":80,\"rows\":1}",
        "{\"cols\":80}",
        "{\"cols\":\"80\",\"rows\":\"24\"}",
        "{\"cols\":0,\"rows\":0}",
        "{\"cols\":4294967296,\"rows\":1}",
        "{\"cols\":80,\"rows\":24}x",
        " [80,24]",
        "{\"x\":\"\\ud800\",\"cols\":1}",
        &deep,
    ] {
        let response = harness.post(&path, body).await;
        assert_eq!(response.status, 400, "{body:.40}");
        assert!(["invalid_json", "invalid_size"].contains(&&*response.code()), "{body:.40}");
    }
    for bytes in [&b"\xff\xfe"[..], b"{\"cols\":80,\"rows\":24,\"\xff\":1}"] {
        let response = harness.request("POST", &path).json(bytes).send(harness.address).await;
        assert_eq!(response.status, 400);
    }
    assert!(harness.done().is_empty());
}

#[tokio::test]
async fn length_and_chunks_together_are_one_request_or_none() {
    let harness = Harness::start(Mode::Off).await;
    let host = harness.host();
    let smuggled = format!("GET /smuggled HTTP/1.1\r\nhost: {host}\r\n\r\n");
    for lines in [
        "content-length: 4\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 4",
        "content-length: 4\r\ncontent-length: 5",
        "transfer-encoding: x, identity",
        "content-length: +4",
        "content-length : 4",
    ] {
        let request = format!(
            "POST /api/sessions HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\r\n\r\n0\r\n\r\n{smuggled}"
        );
        let mut stream = TcpStream::connect(harness.address).await.unwrap();
        write_anyway(&mut stream, request.as_bytes()).await;
        let answer = String::from_utf8(read_to_end(&mut stream).await).unwrap();
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{lines}: {answer}");
        assert!(!answer.contains("404"), "{lines}: {answer}");
    }
}

/// Time is virtual here: once paused, it moves when nothing else can.
#[tokio::test]
async fn slow_heads_and_bodies_are_cut() {
    let harness = Harness::start(Mode::Off).await;
    let head = format!("POST /api/sessions HTTP/1.1\r\nhost: {}\r\n", harness.host());
    let mut slow_head = TcpStream::connect(harness.address).await.unwrap();
    slow_head.write_all(head.as_bytes()).await.unwrap();
    let rest =
        "content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n{";
    let mut slow_body = TcpStream::connect(harness.address).await.unwrap();
    slow_body.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
    // The server asks for the body, so its clock runs.
    assert_eq!(read_head(&mut slow_body).await.status, 100);
    pause();
    let before = Instant::now();
    assert_eq!(read_response(&mut slow_body, false).await.status, 408);
    assert_eq!(read_to_end(&mut slow_head).await, b"");
    assert!(before.elapsed() <= Duration::from_secs(11), "{:?}", before.elapsed());
    assert!(harness.done().is_empty());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    const BYTES: usize = 64 << 20;
    let harness = Harness::start(Mode::Off).await;
    if let Some(info) = harness.double.state().sessions.get_mut(&harness.id) {
        info.title = "x".repeat(BYTES);
    }
    let mut stream = TcpStream::connect(harness.address).await.unwrap();
    let request = harness.request("GET", "/api/sessions").to_bytes();
    stream.write_all(&request).await.unwrap();
    assert_eq!(read_head(&mut stream).await.status, 200);
    pause();
    // Virtual, so it passes when the server has written all that the kernel takes.
    sleep(Duration::from_secs(31)).await;
    let read = read_to_end(&mut stream).await.len();
    assert!(read < BYTES, "{read}");
}

#[tokio::test]
async fn connections_over_the_limit_are_told_so() {
    let config = Config { connections_max: 3, ..config() };
    let harness = Harness::with_config(Mode::Off, config).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(harness.address).await.unwrap());
    }
    let mut one_more = TcpStream::connect(harness.address).await.unwrap();
    let response = read_response(&mut one_more, false).await;
    assert_eq!(response.status, 503);
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));

    let first = &mut held[0];
    first.write_all(&harness.request("GET", "/health").to_bytes()).await.unwrap();
    assert_eq!(read_response(first, false).await.status, 200);
    assert_eq!(read_to_end(first).await, b"");
    let response = harness.request("GET", "/health").send(harness.address).await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn keep_alive_serves_many() {
    let harness = Harness::start(Mode::Off).await;
    let request = harness.request("GET", "/health").header("connection", "keep-alive").to_bytes();
    let mut stream = TcpStream::connect(harness.address).await.unwrap();
    for _ in 0..3 {
        stream.write_all(&request).await.unwrap();
        assert_eq!(read_response(&mut stream, false).await.status, 200);
    }
    // Pipelined requests are answered in order.
    stream.write_all(&[&request[..], &request[..]].concat()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(read_response(&mut stream, false).await.status, 200);
    }
}

#[tokio::test]
async fn head_has_no_body() {
    let harness = Harness::start(Mode::Off).await;
    let stream_path = format!("/api/sessions/{}/stream", harness.id);
    for path in ["/", "/health", "/api/sessions", "/nothing", "/api/events", &stream_path] {
        let mut stream = TcpStream::connect(harness.address).await.unwrap();
        let request = harness.request("HEAD", path).to_bytes();
        stream.write_all(&request).await.unwrap();
        let response = read_response(&mut stream, true).await;
        assert_eq!(response.status, if path == "/nothing" { 404 } else { 200 }, "{path}");
        assert_eq!(read_to_end(&mut stream).await, b"", "{path}");
        check_headers(&response, path);
    }
    assert!(harness.done().is_empty(), "a HEAD attached a viewer");
}
