//! What happens when processes die, stop and come back: rows K of the catalogue.

use std::sync::Arc;
use std::time::Duration;

use hither_testkit::fault::Fault;
use hither_testkit::frame::{Exit, Hello, ServerFrame};
use hither_testkit::pattern::Kind;
use hither_testkit::process::{find, usage};
use hither_testkit::tracer::Injection;
use hither_testkit::viewer::{Connection, Lost};
use hither_testkit::watch::{Progress, Watch};
use rustix::process::{Pid, Signal, kill_process};

use crate::stage::{PATIENCE, Stage, read_until, scaled};

/// The PTY host of a stage.
fn host(stage: &Stage) -> Pid {
    let dir = stage.home.path().join("run").display().to_string();
    let gateway = stage.gateway.pid();
    let found = find(&dir).unwrap();
    let others: Vec<Pid> = found.into_iter().filter(|&pid| pid != gateway).collect();
    assert_eq!(others.len(), 1, "one other process works in {dir}");
    others[0]
}

#[test]
fn k03_a_killed_host_ends_its_sessions_as_lost() {
    let stage = Stage::open(&[]);
    let flood = stage.flood("account", Kind::Records, u64::MAX, "");
    let mut viewer = stage.viewer(&flood.session, 1, &["raw"]);
    let mut ledger = hither_testkit::ledger::Ledger::new(Some(flood.pattern));
    let mut killed = false;
    let exit = loop {
        match viewer.next_frame() {
            Ok(frame) => ledger.handle(&frame).unwrap(),
            Err(Lost::Closed(1000)) => break ledger.exit().cloned(),
            Err(lost) => panic!("{lost}"),
        }
        if !killed && ledger.bytes() > 100_000 {
            kill_process(host(&stage), Signal::KILL).unwrap();
            killed = true;
        }
    };
    assert_eq!(exit, Some(Exit::Lost), "everything before it was delivered, then it was said");
    // A new host is started for new sessions.
    let session = stage.shell("echo again");
    let mut viewer = stage.viewer(&session, 2, &["raw"]);
    read_until(&mut viewer, "again");
}

#[test]
fn k03_host_and_gateway_killed_together_leave_no_session_that_pretends_to_run() {
    let stage = Stage::open(&[]);
    let session = stage.shell("echo here; sleep 1000");
    read_until(&mut stage.viewer(&session, 1, &["raw"]), "here");
    kill_process(host(&stage), Signal::KILL).unwrap();
    let Stage { gateway, home, .. } = stage;
    gateway.kill().unwrap();
    let gateway = home.start().unwrap();
    let (status, body) = gateway
        .request("GET", &format!("/api/sessions/{session}"), &serde_json::Value::Null)
        .unwrap();
    assert!(status == 404 || body["status"] != "running", "{status} {body}");
}

/// Floods a watched session, does something after `bytes`, and checks that nothing is lost.
fn survives(stage: &Stage, bytes: u64, happen: impl FnOnce(&Stage, &Progress)) {
    let flood = stage.flood("account", Kind::Records, bytes, "");
    let watch = Watch {
        session: flood.session.clone(),
        client: 1,
        features: vec!["raw", "wait"],
        pattern: flood.pattern,
        patience: PATIENCE,
    };
    let progress = Arc::new(Progress::default());
    let number = progress.enter();
    let (place, watching) = (stage.home.place().clone(), Arc::clone(&progress));
    let watcher = std::thread::spawn(move || watch.run(&place, &watching, number));
    progress.all_at(1, PATIENCE).expect("output comes");
    happen(stage, &progress);
    flood.check(&watcher.join().unwrap());
}

#[test]
fn k10_a_stopped_gateway_continues_where_it_was() {
    let stage = Stage::open(&[]);
    let pause = Duration::from_secs(scaled(1, 30));
    survives(&stage, 16 << 20, |stage, progress| {
        Fault::Pause(pause).strike(stage.gateway.pid(), |time| progress.pass(time)).unwrap();
    });
}

#[test]
fn k10_a_stopped_host_is_not_in_the_way_of_output() {
    let stage = Stage::open(&[]);
    let host = host_after_first_session(&stage);
    // The session is there already: its way does not lead through the host.
    survives(&stage, 16 << 20, |_, progress| {
        let stopped = Fault::Pause(Duration::from_millis(500));
        stopped.strike(host, |time| progress.pass(time)).unwrap();
    });
}

/// Row R10 for the host: there is no room for a session's memory. Creating is refused with a cure;
/// what runs goes on, and the next session is there.
#[test]
fn r10_without_room_for_its_memory_a_session_is_refused_and_the_others_go_on() {
    let stage = Stage::open(&[]);
    let host = host_after_first_session(&stage);
    survives(&stage, 4 << 20, |stage, _| {
        for (syscall, error) in [("ftruncate", "ENOSPC"), ("memfd_create", "ENOMEM")] {
            let tracer = Injection::fail_at(syscall, 1, error).attach(host).unwrap();
            let command = serde_json::json!({ "command": ["sleep", "1000"] });
            let (status, problem) =
                stage.gateway.request("POST", "/api/sessions", &command).unwrap();
            assert_eq!((status, &problem["code"]), (503, &"memory_limit".into()), "{problem}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("smaller --history-bytes"), "{detail}");
            drop(tracer);
            let next = stage.shell("echo here");
            read_until(&mut stage.viewer(&next, 2, &["raw"]), "here");
        }
    });
}

fn host_after_first_session(stage: &Stage) -> Pid {
    let session = stage.shell("echo here; sleep 1000");
    read_until(&mut stage.viewer(&session, 1, &["raw"]), "here");
    host(stage)
}

#[test]
fn k07_a_gateway_that_is_told_to_end_tells_its_viewers_to_come_back() {
    let stage = Stage::open(&[]);
    let session = stage.shell("echo here; cat");
    let mut viewer = stage.viewer(&session, 1, &["raw"]);
    read_until(&mut viewer, "here");
    stage.gateway.signal(Signal::TERM).unwrap();
    let end = viewer.wait_for(PATIENCE, |_| None::<()>).unwrap_err();
    assert!(matches!(end, Lost::Closed(1012)), "{end}");
    let Stage { mut gateway, home, testkit } = stage;
    assert!(gateway.wait().unwrap().success());
    let stage = Stage { gateway: home.start().unwrap(), home, testkit };
    let hello = Hello { client: 1, resume: Some(6), features: vec!["raw"], ..Hello::default() };
    let address = stage.home.place().address().unwrap();
    let mut viewer = Connection::open(address, &session, &hello, PATIENCE).unwrap();
    let resumed = viewer.wait_for(PATIENCE, |frame| match frame {
        ServerFrame::Welcome(welcome) => Some((welcome.resumed, welcome.offset)),
        _ => None,
    });
    assert_eq!(resumed.unwrap(), (true, 6));
}

/// Waits until the host keeps one session's descriptors: it is told of ends, not asked.
fn settle(stage: &Stage, host: Pid) {
    let until = std::time::Instant::now() + PATIENCE;
    let mut least = usize::MAX;
    let mut same = 0;
    // Each request is a turn of the gateway, behind which the host has heard more.
    while same < 20 {
        assert!(std::time::Instant::now() < until, "the host does not come to rest");
        stage.gateway.request("GET", "/api/sessions", &serde_json::Value::Null).unwrap();
        let now = usage(host).unwrap().descriptors;
        same = if now < least { 0 } else { same + 1 };
        least = least.min(now);
    }
}

/// A day in a minute: viewers come and go, sessions are made and end, gateways die.
#[test]
fn r15_nothing_grows_while_viewers_sessions_and_gateways_come_and_go() {
    let mut stage = Stage::open(&[]);
    let kept = stage.shell("echo here; cat");
    read_until(&mut stage.viewer(&kept, 1, &["raw"]), "here");
    let host = host(&stage);
    let mut counts = Vec::new();
    for round in 0..scaled(4, 60) {
        for client in 0..scaled(25, 500) {
            read_until(&mut stage.viewer(&kept, client, &["raw"]), "here");
        }
        for number in 0..scaled(15, 170) {
            let session = stage.shell("echo done");
            let mut viewer = stage.viewer(&session, number, &["raw"]);
            let exit = |frame: &ServerFrame| matches!(frame, ServerFrame::Exit(_)).then_some(());
            viewer.wait_for(PATIENCE, exit).unwrap();
            assert!((200..300).contains(&stage.gateway.delete(&session).unwrap()));
        }
        let Stage { gateway, home, testkit } = stage;
        gateway.kill().unwrap();
        stage = Stage { gateway: home.start().unwrap(), home, testkit };
        read_until(&mut stage.viewer(&kept, 1000 + round, &["raw"]), "here");
        // What a gateway said it had removed just before it was killed does not come back.
        let (_, list) =
            stage.gateway.request("GET", "/api/sessions", &serde_json::Value::Null).unwrap();
        let ids: Vec<_> = list.as_array().unwrap().iter().map(|s| s["id"].as_str()).collect();
        assert_eq!(ids, [Some(kept.as_str())]);
        settle(&stage, host);
        counts.push((usage(host).unwrap(), usage(stage.gateway.pid()).unwrap()));
    }
    println!("{counts:#?}");
    let (first, last) = (&counts[0], &counts[counts.len() - 1]);
    assert!(
        last.0.descriptors <= first.0.descriptors,
        "{} {}",
        first.0.descriptors,
        last.0.descriptors
    );
    assert!(last.0.memory_kib <= first.0.memory_kib + 256, "{} KiB", last.0.memory_kib);
    assert_eq!(first.0.threads, 1);
    assert_eq!(first.1.threads, last.1.threads, "of the gateway");
    // A connection of the last viewer may not be gone yet.
    assert!(
        last.1.descriptors <= first.1.descriptors + 1,
        "{} {}",
        first.1.descriptors,
        last.1.descriptors
    );
}

/// A session that a gateway said it had closed does not come back, however soon that gateway dies.
#[test]
fn k01_a_closed_session_stays_closed_when_the_gateway_is_killed() {
    let mut stage = Stage::open(&[]);
    let kept = stage.shell("exec cat");
    for _ in 0..scaled(12, 300) {
        // It ignores the hang-up, so that it is still ending when the next gateway comes.
        let stubborn = stage.shell("trap '' HUP; echo here; while :; do sleep 1; done");
        read_until(&mut stage.viewer(&stubborn, 1, &["raw"]), "here");
        let short = stage.shell("echo here");
        read_until(&mut stage.viewer(&short, 1, &["raw"]), "here");
        for closed in [&stubborn, &short] {
            assert_eq!(stage.gateway.delete(closed).unwrap(), 200);
        }
        let Stage { gateway, home, testkit } = stage;
        gateway.kill().unwrap();
        stage = Stage { gateway: home.start().unwrap(), home, testkit };
        let (_, list) =
            stage.gateway.request("GET", "/api/sessions", &serde_json::Value::Null).unwrap();
        let ids: Vec<_> = list.as_array().unwrap().iter().map(|s| s["id"].as_str()).collect();
        assert_eq!(ids, [Some(kept.as_str())]);
    }
}

/// Ids of viewers are of use to clients only if no two viewers of a session have the same.
#[test]
fn k01_no_viewer_has_the_id_of_an_earlier_one() {
    let mut stage = Stage::open(&[]);
    let session = stage.shell("exec cat");
    let mut ids = Vec::new();
    for _ in 0..4 {
        for client in 1..=3 {
            let mut viewer = stage.viewer(&session, client, &["raw"]);
            let id = viewer.wait_for(PATIENCE, |frame| match frame {
                ServerFrame::Welcome(welcome) => Some(welcome.viewer),
                _ => None,
            });
            ids.push(id.unwrap());
        }
        let Stage { gateway, home, testkit } = stage;
        gateway.kill().unwrap();
        stage = Stage { gateway: home.start().unwrap(), home, testkit };
    }
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
}
