//! Slow, silent and hostile viewers, and floods: rows R of the catalogue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hither_testkit::frame::{self, Exit, Hello, ServerFrame};
use hither_testkit::ledger::Ledger;
use hither_testkit::pattern::Kind;
use hither_testkit::process::usage;
use hither_testkit::proxy::{Fault, FaultProxy};
use hither_testkit::viewer::{Connection, Lost};

use crate::stage::{Flood, PATIENCE, Stage, read_until, scaled};

/// Most memory in KiB by which a gateway may grow under any number of slow viewers of one session.
const GROWTH_KIB: u64 = 8 << 10;

/// A viewer behind a proxy.
struct Behind {
    client: u64,
    proxy: FaultProxy,
    viewer: Connection,
    ledger: Ledger,
}

impl Behind {
    /// Watches until there was some output; from then on `fault` happens.
    fn watch(stage: &Stage, flood: &Flood, client: u64, fault: Fault) -> Self {
        let address = stage.home.place().address().unwrap();
        let proxy = FaultProxy::start(address).unwrap();
        let hello = Hello { client, ..Hello::default() };
        let viewer =
            Connection::through(proxy.address(), address, &flood.session, &hello, PATIENCE);
        let (mut viewer, mut ledger) = (viewer.unwrap(), Ledger::new(Some(flood.pattern)));
        while ledger.bytes() == 0 {
            ledger.handle(&viewer.next_frame().unwrap()).unwrap();
        }
        proxy.set(fault);
        Self { client, proxy, viewer, ledger }
    }

    /// The link is good again: reads to the end. Who was silent for so long that the gateway has let
    /// it go comes back at its offset.
    fn heal(mut self, stage: &Stage, flood: &Flood) -> Ledger {
        self.proxy.set(Fault::None);
        if let Err(lost) = read_on(&mut self.ledger, self.viewer) {
            assert!(lost.is_transport(), "{lost} at {:?}", self.ledger.next());
            let resume = self.ledger.next();
            let hello = Hello { client: self.client, resume, ..Hello::default() };
            let address = stage.home.place().address().unwrap();
            self.ledger.handle_connection();
            let viewer = Connection::open(address, &flood.session, &hello, PATIENCE).unwrap();
            follow(&mut self.ledger, viewer);
        }
        self.ledger.check_end(flood.account.written().unwrap().bytes).unwrap();
        self.ledger
    }
}

/// Reads to the end; every frame must be right.
fn follow(ledger: &mut Ledger, viewer: Connection) {
    if let Err(lost) = read_on(ledger, viewer) {
        panic!("{lost} at {:?}", ledger.next());
    }
}

/// Reads to the end, or until the connection is lost; every frame must be right.
fn read_on(ledger: &mut Ledger, mut viewer: Connection) -> Result<(), Lost> {
    loop {
        match viewer.next_frame() {
            Ok(frame) => ledger.handle(&frame).unwrap(),
            Err(Lost::Closed(1000)) if ledger.exit().is_some() => return Ok(()),
            Err(lost) => return Err(lost),
        }
    }
}

#[test]
fn r02_slow_viewers_cost_nobody_anything_and_are_told_what_they_missed() {
    let stage = Stage::open(&[]);
    let flood = stage.flood("account", Kind::Records, scaled(24 << 20, 1 << 30), "");
    let before = usage(stage.gateway.pid()).unwrap();
    let stalled = Behind::watch(&stage, &flood, 11, Fault::Stall);
    let drip = Fault::Drip { bytes: 1024, pause: Duration::from_millis(100) };
    let dripping = Behind::watch(&stage, &flood, 12, drip);
    // One more reads nothing at all, and never will.
    let silent = stage.viewer(&flood.session, 13, &[]);
    flood.check(&stage.watch(&flood, &["raw", "wait"]));
    let after = usage(stage.gateway.pid()).unwrap();
    println!("{before:?} before, {after:?} after {} bytes", flood.account.written().unwrap().bytes);
    assert!(after.memory_kib < before.memory_kib + GROWTH_KIB, "{before:?} {after:?}");
    for slow in [stalled, dripping] {
        let ledger = slow.heal(&stage, &flood);
        assert!(!ledger.gaps().is_empty(), "it was told what it missed");
        assert_eq!(ledger.exit(), Some(&Exit::Code(0)));
    }
    drop(silent);
}

#[test]
fn r12_a_flood_is_exact_and_leaves_no_memory_behind() {
    let stage = Stage::open(&[]);
    let small = stage.flood("small", Kind::Records, 4 << 20, "");
    small.check(&stage.watch(&small, &["raw", "wait"]));
    let before = usage(stage.gateway.pid()).unwrap();
    let large = stage.flood("large", Kind::Records, scaled(48 << 20, 1 << 30), "");
    large.check(&stage.watch(&large, &["raw", "wait"]));
    let after = usage(stage.gateway.pid()).unwrap();
    println!("{before:?} {after:?}");
    assert!(after.memory_kib < before.memory_kib + GROWTH_KIB, "{before:?} {after:?}");
}

#[test]
fn r12_a_flood_that_nobody_watches_runs_and_its_end_is_there() {
    let stage = Stage::open(&[]);
    let flood = stage.flood("account", Kind::Records, scaled(24 << 20, 1 << 30), "");
    let path = format!("/api/sessions/{}", flood.session);
    let until = Instant::now() + PATIENCE * 10;
    loop {
        let (_, body) = stage.gateway.request("GET", &path, &serde_json::Value::Null).unwrap();
        if body["status"] == "exited" {
            break;
        }
        assert!(Instant::now() < until, "{body}");
    }
    assert!(flood.account.written().unwrap().ended);
    let mut ledger = Ledger::new(Some(flood.pattern));
    follow(&mut ledger, stage.viewer(&flood.session, 3, &["raw"]));
    ledger.check_end(flood.account.written().unwrap().bytes).unwrap();
    assert!(ledger.bytes() >= 1 << 20, "all of the history");
}

#[test]
fn r13_keystrokes_are_answered_while_others_flood() {
    let stage = Stage::open(&[]);
    let floods: Vec<_> =
        (0..3).map(|n| stage.flood(&format!("account-{n}"), Kind::Records, u64::MAX, "")).collect();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let watchers: Vec<_> = floods
        .iter()
        .map(|flood| {
            let mut viewer = stage.viewer(&flood.session, 1, &["raw"]);
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    viewer.next_frame().unwrap();
                }
            })
        })
        .collect();
    let session = stage.shell("stty -icanon -echo; echo ready; cat");
    let mut typist = stage.viewer(&session, 2, &["raw"]);
    read_until(&mut typist, "ready\r\n");
    let mut waits: Vec<Duration> = Vec::new();
    for number in 1..=100 {
        let sent = Instant::now();
        typist.send(frame::input(number, b"k")).unwrap();
        read_until(&mut typist, "k");
        waits.push(sent.elapsed());
    }
    waits.sort();
    println!(
        "echo among three floods: half within {:?}, 99 of 100 within {:?}",
        waits[50], waits[98]
    );
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    for watcher in watchers {
        watcher.join().unwrap();
    }
}

#[test]
fn r03_a_viewer_that_never_finishes_its_hello_is_sent_away() {
    use std::io::{Read as _, Write as _};
    let stage = Stage::open(&[]);
    let session = stage.shell("sleep 1000");
    let address = stage.home.place().address().unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET /ws?session={session} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: hither.v1\r\n\r\n"
    );
    // A frame that says 1,000 bytes and brings three.
    stream.write_all(&[request.as_bytes(), b"\x82\xfe\x03\xe8\0\0\0\0\x01{\""].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    // Close code 4408, in the close frame at the end.
    assert!(answer.windows(2).any(|pair| pair == [0x11, 0x38]), "{answer:?}");
}

#[test]
fn r04_half_open_connections_are_noticed() {
    let stage = Stage::open(&[]);
    let session = stage.shell("sleep 1000");
    let count = scaled(10, 60);
    let before = usage(stage.gateway.pid()).unwrap().descriptors;
    let address = stage.home.place().address().unwrap();
    let proxy = FaultProxy::start(address).unwrap();
    let viewers: Vec<_> = (1..=count)
        .map(|client| {
            let hello = Hello { client, ..Hello::default() };
            let through = proxy.address();
            let viewer = Connection::through(through, address, &session, &hello, PATIENCE);
            let mut viewer = viewer.unwrap();
            let welcome =
                |frame: &ServerFrame| matches!(frame, ServerFrame::Welcome(_)).then_some(());
            viewer.wait_for(PATIENCE, welcome).unwrap();
            viewer
        })
        .collect();
    let mut observer = stage.viewer(&session, 1000, &["raw"]);
    proxy.set(Fault::BlackHole);
    // The observer alone is left after 42 s of silence, looked at once a second.
    let alone = |frame: &ServerFrame| match frame {
        ServerFrame::Event(event) if event["count"] == 1 => Some(()),
        _ => None,
    };
    observer.set_patience(PATIENCE * 3).unwrap();
    observer.wait_for(PATIENCE * 3, alone).unwrap();
    let after = usage(stage.gateway.pid()).unwrap().descriptors;
    // The observer's is one more, and a few are opened when they are first needed.
    assert!(after <= before + 4, "{before} descriptors before, {after} after");
    drop(viewers);
}

/// When a viewer vanishes: without a word, or with the first of what it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vanishes {
    AtOnce,
    WhenAnswered,
}

/// Connects, says something and resets the connection, so that the gateway's next write fails.
fn hit_and_run(stage: &Stage, session: &str, protocol: &str, words: &[u8], when: Vanishes) {
    use std::io::{Read as _, Write as _};
    let address = stage.home.place().address().unwrap();
    let (query, header) = match protocol {
        "plan" => (format!("sessionId={session}"), String::new()),
        "tty" if session.is_empty() => {
            (String::new(), "Sec-WebSocket-Protocol: tty\r\n".to_owned())
        }
        other => (format!("session={session}"), format!("Sec-WebSocket-Protocol: {other}\r\n")),
    };
    let request = format!(
        "GET /ws?{query} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n"
    );
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(&[request.as_bytes(), words].concat()).unwrap();
    if when == Vanishes::WhenAnswered {
        drop(stream.read(&mut [0; 20]));
    }
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
}

/// A frame of a client, masked with zeroes.
fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 126);
    let length = u8::try_from(payload.len()).unwrap();
    [&[0x80 | opcode, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

#[test]
fn r03_viewers_that_vanish_take_nothing_with_them() {
    let stage = Stage::open(&[]);
    let flood = stage.flood("account", Kind::Records, u64::MAX, "");
    let hello = [b"\x01", &br#"{"client":"00000000000000aa","cols":90,"rows":30}"#[..]].concat();
    let input = [&[2, 0, 0, 0, 0, 0, 0, 0, 1][..], b"x"].concat();
    let hither = [masked(2, &hello), masked(2, &input), masked(2, &frame::resize(70, 20))].concat();
    let ttyd = [
        masked(2, br#"{"AuthToken":"","columns":81,"rows":25}"#),
        masked(2, b"0x"),
        masked(2, br#"1{"columns":99,"rows":31}"#),
    ]
    .concat();
    let before = usage(stage.gateway.pid()).unwrap().descriptors;
    for round in 0..scaled(150, 3000) {
        let when = if round % 2 == 0 { Vanishes::AtOnce } else { Vanishes::WhenAnswered };
        hit_and_run(&stage, &flood.session, "hither.v1", &hither, when);
        hit_and_run(&stage, &flood.session, "tty", &ttyd, when);
        hit_and_run(&stage, &flood.session, "plan", &masked(1, b"x"), when);
        hit_and_run(&stage, "", "tty", &ttyd, when);
    }
    flood.account.limit(0).unwrap();
    let mut viewer = stage.viewer(&flood.session, 9, &["raw"]);
    let exit = |frame: &ServerFrame| matches!(frame, ServerFrame::Exit(_)).then_some(());
    viewer.wait_for(PATIENCE, exit).unwrap();
    assert_eq!(stage.home.panics(), None);
    stage.expect_descriptors(before + 2);
}

/// A client whose old connection was read after the new one was welcomed hears of what it typed.
#[test]
fn r04_input_that_came_on_an_old_connection_is_acknowledged_on_the_new_one() {
    let stage = Stage::open(&[]);
    let session = stage.shell("stty raw -echo; echo ready; cat");
    let mut old = stage.viewer(&session, 7, &["raw"]);
    read_until(&mut old, "ready");
    let mut new = stage.viewer(&session, 7, &["raw"]);
    let welcome = |frame: &ServerFrame| match frame {
        ServerFrame::Welcome(welcome) => Some(welcome.accepted),
        _ => None,
    };
    assert_eq!(new.wait_for(PATIENCE, welcome).unwrap(), 0);
    old.send(frame::input(1, b"typed")).unwrap();
    read_until(&mut old, "typed");
    new.send(frame::input(1, b"typed")).unwrap();
    let acked = |frame: &ServerFrame| match frame {
        ServerFrame::InputAck { accepted, .. } => Some(*accepted),
        _ => None,
    };
    assert_eq!(new.wait_for(PATIENCE, acked).unwrap(), 1);
    new.send(frame::input(2, b".")).unwrap();
    assert!(!read_until(&mut old, ".").contains("typed"), "the program got it once");
}

/// Row R05 in miniature; `HITHER_LONG=1` takes ten thousand, if as many files may be open.
#[test]
fn r05_idle_viewers_cost_little_memory() {
    const SESSIONS: u64 = 10;
    // Of the row; a program that is not optimised needs no more.
    const VIEWER_KIB_MAX: u64 = 20;
    let stage = Stage::open(&["--max-viewers", "1000"]);
    let sessions: Vec<_> = (0..SESSIONS).map(|_| stage.shell("echo here; exec cat")).collect();
    let attach = |number: u64| {
        let at = usize::try_from(number % SESSIONS).unwrap();
        let mut viewer = stage.viewer(&sessions[at], number + 1, &["raw"]);
        read_until(&mut viewer, "here");
        viewer
    };
    let mut viewers: Vec<_> = (0..SESSIONS).map(attach).collect();
    let before = usage(stage.gateway.pid()).unwrap().memory_kib;
    let count = scaled(400, 10_000).min(open_files().saturating_sub(100));
    viewers.extend((SESSIONS..count).map(attach));
    let grown = usage(stage.gateway.pid()).unwrap().memory_kib.saturating_sub(before);
    println!("{grown} KiB for {count} viewers");
    assert!(grown <= count * VIEWER_KIB_MAX, "{grown} KiB for {count} viewers");
    // They are all there: whoever types last in a session is seen by those who watch it.
    let (last, others) = viewers.split_last_mut().unwrap();
    last.send(frame::input(1, b"typed\n")).unwrap();
    read_until(last, "typed");
    let same = others.len() - usize::try_from(SESSIONS).unwrap() + 1;
    read_until(&mut others[same - 1], "typed");
}

/// Files that this process may have open, raised as far as it goes.
fn open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    limit.maximum.unwrap_or(u64::MAX)
}

/// Row R06: thousands come at once, some with a request, some with nothing; whoever is there already
/// does not notice, and all is well when they are gone.
#[test]
fn r06_a_storm_of_connections_leaves_sessions_alone() {
    use std::io::{Read as _, Write as _};
    let stage = Stage::open(&[]);
    let flood = stage.flood("account", Kind::Records, scaled(16 << 20, 1 << 30), "");
    let address = stage.home.place().address().unwrap();
    let before = usage(stage.gateway.pid()).unwrap().descriptors;
    let storm = |number: u64| {
        for round in 0..scaled(500, 5000) {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            if (round + number).is_multiple_of(2) {
                continue;
            }
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let request =
                format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            // Who comes when there are too many is told so, or finds the connection closed.
            let mut answer = Vec::new();
            let answered =
                stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer));
            let status = answer.get(9..12).unwrap_or_default();
            assert!(
                answered.is_err() || [&b""[..], b"200", b"503"].contains(&status),
                "{answer:?}"
            );
        }
    };
    std::thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || storm(number));
        }
        flood.check(&stage.watch(&flood, &["raw", "wait"]));
    });
    assert_eq!(stage.home.panics(), None);
    stage.expect_descriptors(before + 2);
}
