//! Each promise is broken once, and found.

use super::*;
use crate::pattern::{Discipline, Kind};

const PATTERN: Pattern = Pattern { seed: 1, kind: Kind::Noise, discipline: Discipline::Raw };

fn welcome(viewer: u64, resumed: bool, offset: u64, features: &[&str]) -> ServerFrame {
    ServerFrame::Welcome(Welcome {
        viewer,
        resumed,
        offset,
        accepted: 0,
        size: (80, 24),
        role: "operator".to_owned(),
        features: features.iter().map(|&feature| feature.to_owned()).collect(),
        state: "running".to_owned(),
    })
}

fn output(offset: u64, len: usize) -> ServerFrame {
    let mut bytes = vec![0; len];
    PATTERN.fill(offset, &mut bytes);
    ServerFrame::Output { offset, bytes }
}

const fn snapshot(offset: u64) -> ServerFrame {
    ServerFrame::Snapshot { offset, size: (80, 24), bytes: Vec::new() }
}

const fn gap(from: u64, to: u64) -> ServerFrame {
    ServerFrame::Gap { from, to }
}

const EXIT: ServerFrame = ServerFrame::Exit(Exit::Code(0));

/// What the last frame comes to when all before it are as they should be.
fn last(ledger: &mut Ledger, frames: &[ServerFrame]) -> Result<(), Violation> {
    let (last, before) = frames.split_last().unwrap();
    for frame in before {
        ledger.handle(frame).unwrap();
    }
    ledger.handle(last)
}

fn ledger() -> Ledger {
    Ledger::new(Some(PATTERN))
}

#[test]
fn good_connections_pass() {
    let mut ledger = ledger();
    let first = [welcome(1, false, 0, &[]), snapshot(0), output(0, 100), output(100, 50)];
    last(&mut ledger, &first).unwrap();
    ledger.handle_connection();
    let resumed = [welcome(2, true, 150, &[]), output(150, 10), gap(160, 900), snapshot(900)];
    last(&mut ledger, &resumed).unwrap();
    last(&mut ledger, &[output(900, 5), EXIT]).unwrap();
    assert_eq!((ledger.bytes(), ledger.gaps(), ledger.snapshots()), (165, &[(160, 900)][..], 2));
    ledger.check_end(905).unwrap();
    assert_eq!(ledger.check_end(906), Err(Violation::End { shown: 905, written: 906 }));
}

#[test]
fn raw_viewers_get_gaps_and_no_snapshots() {
    let mut ledger = ledger();
    let raw = &["raw"][..];
    last(&mut ledger, &[welcome(1, false, 5, raw), output(5, 5), gap(10, 20), output(20, 1)])
        .unwrap();
    let violation = last(&mut ledger, &[gap(21, 30), snapshot(30)]).unwrap_err();
    assert_eq!(violation, Violation::OutOfOrder("a snapshot for a raw viewer"));
}

#[test]
fn each_broken_promise_is_found() {
    let live = [welcome(1, false, 0, &[]), snapshot(0), output(0, 100)];
    let wrong = match output(100, 9) {
        ServerFrame::Output { offset, mut bytes } => {
            bytes[3] ^= 1;
            ServerFrame::Output { offset, bytes }
        }
        other => other,
    };
    for (frames, expect) in [
        (vec![output(101, 1)], Violation::Missing { from: 100, to: 101 }),
        (vec![output(99, 1)], Violation::Doubled { expected: 100, found: 99 }),
        (vec![wrong], Violation::Content(Mismatch { at: 103, belongs_at: None })),
        (vec![snapshot(200)], Violation::Missing { from: 100, to: 200 }),
        (vec![gap(100, 150), snapshot(151)], Violation::Missing { from: 150, to: 151 }),
        (vec![gap(100, 150), output(150, 1)], Violation::OutOfOrder("output before the snapshot")),
        (vec![gap(100, 150), gap(150, 160)], Violation::OutOfOrder("a gap behind a gap")),
        (vec![EXIT, output(100, 1)], Violation::OutOfOrder("a frame after the last one")),
        (vec![welcome(2, true, 0, &[])], Violation::OutOfOrder("a second welcome")),
    ] {
        let mut ledger = ledger();
        for frame in &live {
            ledger.handle(frame).unwrap();
        }
        assert_eq!(last(&mut ledger, &frames), Err(expect), "{frames:?}");
    }
}

#[test]
fn contradictions_are_found() {
    let again = |frames: &[ServerFrame]| {
        let mut ledger = ledger();
        let live = [welcome(1, false, 0, &[]), snapshot(0), output(0, 100)];
        last(&mut ledger, &live).unwrap();
        ledger.handle_connection();
        last(&mut ledger, frames)
    };
    let ack = |accepted, settled| ServerFrame::InputAck { accepted, settled };
    for frames in [
        vec![welcome(2, true, 101, &[])],
        vec![welcome(2, true, 100, &[]), gap(90, 120)],
        vec![welcome(2, true, 100, &[]), gap(100, 100)],
        vec![welcome(2, true, 100, &[]), ack(3, 4)],
        vec![welcome(2, true, 100, &[]), ack(3, 3), ack(2, 2)],
        vec![welcome(2, false, 500, &[]), snapshot(500)],
        vec![output(100, 1)],
    ] {
        assert!(again(&frames).is_err(), "{frames:?}");
    }
    again(&[welcome(2, false, 500, &[]), gap(100, 500), snapshot(500)]).unwrap();
}
