//! The page of metrics: each one moves, the echo's parts are true, and nothing private is in it.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use hither_client::{Address, Server};
use hither_core::Role;
use hither_server::metrics::{Kind, METRICS};
use hither_testkit::proxy::{Fault, FaultProxy};

use crate::running::{Running, Viewer};

/// Samples by name and labels.
type Samples = BTreeMap<String, f64>;

fn samples(page: &str) -> Samples {
    let body = page.split_once("\r\n\r\n").unwrap().1;
    let lines = body.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    lines.map(sample).collect()
}

/// The metric that a sample belongs to.
fn metric(sample: &str) -> &'static str {
    let name = sample.split('{').next().unwrap();
    let bare = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
    let known = METRICS.iter().map(|metric| metric.name);
    known.into_iter().find(|known| *known == name || Some(*known) == bare).expect(sample)
}

/// What has moved between two pages, and what is not zero.
fn moved(before: &Samples, after: &Samples) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let changed = |(name, value): &(&String, &f64)| before.get(*name).unwrap_or(&0.0) != *value;
    let changed = after.iter().filter(changed).map(|(name, _)| metric(name)).collect();
    let set = after.iter().filter(|(_, value)| **value != 0.0).map(|(name, _)| metric(name));
    (changed, set.collect())
}

/// A WebSocket of the plan's protocol that sends one text message.
fn say(gateway: &Running, session: &str, text: &str) -> UnixStream {
    let mut stream = UnixStream::connect(gateway.dir.join("gateway.sock")).unwrap();
    let head = format!(
        "GET /ws?sessionId={session} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    let length = u8::try_from(text.len()).unwrap();
    stream.write_all(&[0x81, 0x80 | length, 0, 0, 0, 0]).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// Asks for pages until one satisfies.
fn wait_for(gateway: &Running, satisfied: impl Fn(&Samples) -> bool) -> Samples {
    let start = Instant::now();
    loop {
        let samples = samples(&gateway.metrics());
        if satisfied(&samples) {
            return samples;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{samples:#?}");
    }
}

#[test]
fn each_metric_moves() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let small = ["--history-bytes", "64KiB"];
    let gateway = Running::start(&dir, &small, &["cat"]);
    let before = samples(&gateway.metrics());
    let cat = gateway.new_session(&["cat"]);
    let doomed = gateway.new_session(&["sh", "-c", "read x"]);
    assert_ne!(gateway.hither(&["new", "--", "/nowhere"]).code, 0);
    gateway.http("GET /api/sessions", "");
    assert_ne!(gateway.hither(&["upgrade", "--to", "/bin/false"]).code, 0);
    let long = "x".repeat(100_000);
    gateway.http("POST /api/auth/login", &format!("{{\"x\":\"{long}\"}}"));

    // A keystroke, its echo, and a second later the round trip of who typed.
    let mut viewer = gateway.viewer(&cat);
    viewer.echo(b"a", 1);
    let count = "hither_echo_seconds_count{part=\"network\"}";
    viewer.until(|_| samples(&gateway.metrics())[count] > 0.0);
    viewer.disconnect();
    viewer.connect();
    assert!(viewer.events.contains(&"attached true".to_owned()), "{:?}", viewer.events);

    // A program that answers too late for an echo.
    let late =
        gateway.new_session(&["sh", "-c", "stty -echo; echo ready; read x; sleep 2.1; echo done"]);
    let mut patient = gateway.viewer(&late);
    patient.until(|viewer| viewer.text().contains("ready"));
    patient.type_input(b"\n");
    patient.until(|viewer| viewer.text().contains("done"));

    // A viewer that does not read is skipped, and told of the gap when it does.
    let flood =
        "stty -echo; echo ready; read x; head -c 400000 /dev/zero | tr '\\0' 'x'; echo end; cat";
    let flood = gateway.new_session(&["sh", "-c", flood]);
    let mut slow = gateway.viewer(&flood);
    slow.until(|viewer| viewer.text().contains("ready"));
    slow.type_input(b"\n");
    wait_for(&gateway, |samples| samples["hither_viewer_skips_total"] > 0.0);
    slow.until(|viewer| viewer.text().contains("end"));
    assert!(slow.events.iter().any(|event| event.starts_with("Gap")), "{:?}", slow.events);

    // What is not understood, and what is not allowed.
    let _unknown = say(&gateway, &cat, "{\"type\":\"dance\"}");
    let socket = Address::Unix(dir.join("gateway.sock"));
    let server = Server::new(socket);
    let mut observer = Viewer::attach(server, &cat, Role::Observer);
    observer.type_input(b"x");
    observer.until(|viewer| viewer.events.iter().any(|event| event.starts_with("closed")));
    let mut ended = gateway.viewer(&doomed);
    ended.type_input(b"\n");
    ended.until(|viewer| viewer.events.iter().any(|event| event.starts_with("Exit")));
    assert_eq!(gateway.hither(&["kill", &doomed]).code, 0);
    wait_for(&gateway, |samples| samples["hither_viewer_unknown_frames_total"] > 0.0);
    let _open = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    let page = wait_for(&gateway, |samples| samples["hither_http_connections"] > 0.0);
    let (mut moved, mut set) = moved(&before, &page);
    gateway.crash();

    // The next gateway takes the sessions over, and loses its PTY host.
    let gateway = Running::start(&dir, &small, &["cat"]);
    set.extend(self::moved(&Samples::new(), &samples(&gateway.metrics())).1);
    assert_eq!(gateway.hither(&["upgrade"]).code, 0);
    let upgraded = wait_for(&gateway, |samples| samples["hither_upgrades_total"] > 0.0);
    moved.extend(self::moved(&Samples::new(), &upgraded).0);
    kill_host(&dir);
    let after = wait_for(&gateway, |samples| samples["hither_host_losses_total"] > 0.0);
    moved.extend(self::moved(&Samples::new(), &after).1);
    set.extend(&moved);

    for metric in METRICS {
        let name = metric.name;
        match metric.kind {
            Kind::Counter | Kind::Histogram => assert!(moved.contains(name), "{name} never moved"),
            Kind::Gauge => assert!(set.contains(name), "{name} is always 0"),
        }
    }
}

#[test]
fn answers_are_timed_and_counted_by_their_route() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let id = gateway.new_session(&["cat"]);
    for request in [
        format!("GET /api/sessions/{id}"),
        "PUT /api/sessions".to_owned(),
        "GET /nowhere".to_owned(),
    ] {
        gateway.http(&request, "");
    }
    let samples = samples(&gateway.metrics());
    for (method, route, status) in [
        ("GET", "/api/sessions/{id}", 401),
        ("PUT", "/api/sessions", 405),
        ("GET", "none", 404),
        ("POST", "/api/sessions", 201),
    ] {
        let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        assert_eq!(samples[&format!("hither_http_requests_total{{{labels}}}")], 1.0, "{labels}");
        let count = format!("hither_http_request_seconds_count{{route=\"{route}\"}}");
        assert!(samples[&count] >= 1.0, "{count}");
    }
}

/// Kills the PTY host of a runtime directory.
fn kill_host(dir: &std::path::Path) {
    let wanted = format!("host\0--runtime-dir\0{}\0", dir.display());
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap());
    let host = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let host = host.into_iter().find(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.ends_with(wanted.as_bytes())
    });
    let host = rustix::process::Pid::from_raw(host.expect("a PTY host runs")).unwrap();
    rustix::process::kill_process(host, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn the_page_is_on_its_own_listeners_only_and_has_its_own_form() {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = free.to_string();
    let gateway =
        Running::start(&folder.path().join("run"), &["--metrics", &address, "--no-auth"], &["cat"]);
    for path in ["/metrics", "/api/metrics"] {
        let answer = gateway.http(&format!("GET {path}"), "");
        assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("hither_"), "{answer}");
    }
    let ask = |line: &str| {
        let mut stream = TcpStream::connect(free).unwrap();
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let page = ask("GET /metrics");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{page}");
    assert_eq!(samples(&page)["hither_scrapes_total"], 1.0);
    for metric in METRICS {
        let kind = format!("{:?}", metric.kind).to_lowercase();
        assert!(page.contains(&format!("# TYPE {} {kind}\n", metric.name)), "{}", metric.name);
    }
    assert!(ask("POST /metrics").starts_with("HTTP/1.1 405"));
    assert!(ask("GET /api/sessions").starts_with("HTTP/1.1 404"));
}

/// Test H09 of the security catalogue.
#[test]
fn the_page_tells_nothing_that_a_user_or_a_program_said() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let script = "printf '\\033]0;titlesecret\\007ready'; exec cat commandsecret -";
    let id = gateway.new_session(&["sh", "-c", script]);
    let mut viewer = gateway.viewer(&id);
    viewer.until(|viewer| viewer.text().contains("ready"));
    viewer.echo(b"inputsecret", 11);
    gateway.http("GET /pathsecret", "");
    gateway.http("GET /api/sessions/idsecret?token=querysecret", "");
    let user = std::env::var("USER").unwrap_or_else(|_| "nobody-is-called-that".to_owned());
    let health = gateway.http("GET /api/health", "");
    for page in [gateway.metrics(), health] {
        for secret in ["secret", &id, &gateway.token(), folder.path().to_str().unwrap(), &user] {
            assert!(!page.contains(secret), "{secret} is in {page}");
        }
    }
}

/// The sum of each part of the echo, in seconds, and how many keystrokes were timed.
fn parts(gateway: &Running) -> [f64; 4] {
    let samples = samples(&gateway.metrics());
    let sum = |part: &str| samples[&format!("hither_echo_seconds_sum{{part=\"{part}\"}}")];
    let count = samples["hither_echo_seconds_count{part=\"pty\"}"];
    let round_trips = samples["hither_echo_seconds_count{part=\"network\"}"];
    // One round trip stands for each keystroke.
    [sum("network") / round_trips.max(1.0) * count, sum("server"), sum("pty"), count]
}

/// Types until the network was measured; answers the parts.
fn type_and_measure(gateway: &Running, viewer: &mut Viewer) -> [f64; 4] {
    for _ in 0..6 {
        viewer.echo(b"k", 1);
    }
    let count = "hither_echo_seconds_count{part=\"network\"}";
    viewer.until(|_| samples(&gateway.metrics())[count] > 0.0);
    parts(gateway)
}

/// Half of what is injected, one way.
const DELAY_MS: u16 = 250;

#[test]
fn a_slow_network_is_seen_as_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let link = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = link.local_addr().unwrap().port();
    // The same port on another address, so that the name of the host is the same too.
    let options = ["--bind", "127.0.0.2", "--port", &port.to_string()];
    let gateway = Running::start(&folder.path().join("run"), &options, &["cat"]);
    let id = gateway.new_session(&["cat"]);
    let proxy = FaultProxy::start_on(link, ([127, 0, 0, 2], port).into()).unwrap();
    proxy.set(Fault::Delay(Duration::from_millis(u64::from(DELAY_MS) / 2)));
    let server = Server::new(Address::Tcp("127.0.0.1".to_owned(), port))
        .authorized(format!("Bearer {}", gateway.token()));
    let mut viewer = Viewer::attach(server, &id, Role::Operator);
    let [network, server, pty, count] = type_and_measure(&gateway, &mut viewer);
    assert!(network >= count * f64::from(DELAY_MS) / 1000.0, "{network} of {count}");
    assert!(network > server + pty, "{network} {server} {pty}");
}

#[test]
fn a_slow_program_is_seen_as_the_pty() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let program = format!(
        "stty raw -echo; printf ready; while :; do \
         dd bs=1 count=1 >/dev/null 2>&1; sleep 0.{DELAY_MS}; printf x; done"
    );
    let id = gateway.new_session(&["sh", "-c", &program]);
    let mut viewer = gateway.viewer(&id);
    viewer.until(|viewer| viewer.text().contains("ready"));
    let [network, server, pty, count] = type_and_measure(&gateway, &mut viewer);
    assert!(pty >= count * f64::from(DELAY_MS) / 1000.0, "{pty} of {count}");
    assert!(pty > server + network, "{network} {server} {pty}");
}

#[test]
fn a_slow_server_is_seen_as_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let delay = DELAY_MS.to_string();
    let options = ["--simulate-latency", &delay];
    let gateway = Running::start(&folder.path().join("run"), &options, &["cat"]);
    let id = gateway.new_session(&["cat"]);
    let mut viewer = gateway.viewer(&id);
    let [network, server, pty, count] = type_and_measure(&gateway, &mut viewer);
    assert!(server >= count * f64::from(DELAY_MS) / 1000.0, "{server} of {count}");
    assert!(server > pty + network, "{network} {server} {pty}");
}
