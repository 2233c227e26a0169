use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::*;
use crate::child::Program;
use crate::content::flood_lines;
use crate::engine::{ConnectionId, Dial, Engine, Load, Stop};
use crate::loads::{Ending, Flooding, Interrupting, Opening, Pace, Typing};
use crate::wire::{Attach, Protocol, Request};

const LIMIT: Duration = Duration::from_secs(60);

/// A floor whose sessions run `program` in a shell, and an engine with `connections` on it. Its
/// thread ends with the test's process.
fn floor(mode: FloorMode, program: Program, connections: usize) -> (Engine, Vec<ConnectionId>) {
    let argv = ["/bin/sh", "-c", &program.shell_line()].map(|word| CString::new(word).unwrap());
    let floor = Floor::bind(mode, argv.to_vec()).unwrap();
    let address = floor.listener.local_addr().unwrap();
    std::thread::spawn(move || floor.run());
    let protocol = match mode {
        FloorMode::Raw => Protocol::Raw,
        FloorMode::WebSocket | FloorMode::Http => Protocol::Ttyd,
    };
    let dial = Dial {
        tls: None,
        address,
        protocol,
        path: "/ws".to_owned(),
        request: Request { is_tls: false, host: address.to_string(), authorization: None },
        attach: Attach::Whole,
        session: None,
        reads_per_second: None,
    };
    let mut engine = Engine::new(dial, Arc::new(AtomicBool::new(false))).unwrap();
    let mut opening = Opening::new(0, connections, Duration::ZERO);
    run(&mut engine, &mut opening);
    assert!(opening.failures.is_empty(), "{:?}", opening.failures);
    (engine, opening.ready)
}

fn run(engine: &mut Engine, load: &mut impl Load) {
    assert_eq!(engine.run(load, LIMIT).unwrap(), Stop::Finished);
}

fn each_mode(test: impl Fn(FloorMode)) {
    test(FloorMode::Raw);
    test(FloorMode::WebSocket);
}

#[test]
fn every_key_comes_back() {
    each_mode(|mode| {
        let (mut engine, ids) = floor(mode, Program::Echo, 3);
        for pace in [Pace::Closed, Pace::Open(100.0)] {
            let mut typing = Typing::new(&ids, pace, Duration::from_millis(200));
            run(&mut engine, &mut typing);
            assert!(typing.latencies.len() > 10);
            assert!(typing.damage().is_none(), "{:?}", typing.damage());
        }
    });
}

#[test]
fn every_byte_of_a_flood_arrives_twice_in_a_row() {
    each_mode(|mode| {
        let bytes = 300_000;
        let (mut engine, ids) = floor(mode, Program::Flood { bytes }, 2);
        for _ in 0..2 {
            let mut flooding = Flooding::new(&ids, flood_lines(bytes));
            run(&mut engine, &mut flooding);
            assert!(flooding.damage().is_none(), "{:?}", flooding.damage());
            assert!(flooding.received() >= 2 * bytes);
        }
    });
}

#[test]
fn the_last_words_arrive_before_the_close() {
    each_mode(|mode| {
        let bytes = 256 * 1024;
        let (mut engine, ids) = floor(mode, Program::Tail { bytes }, 2);
        let mut flooding = Flooding::new(&ids, flood_lines(bytes));
        run(&mut engine, &mut flooding);
        assert!(flooding.damage().is_none(), "{:?}", flooding.damage());
        let open = engine.still_open(&ids);
        run(&mut engine, &mut Ending::new(&open));
    });
}

#[test]
fn ctrl_c_reaches_the_program() {
    let (mut engine, ids) = floor(FloorMode::WebSocket, Program::Interrupt, 1);
    let mut load = Interrupting::new(ids[0], Duration::from_millis(50));
    run(&mut engine, &mut load);
    assert!(load.before > 0);
    assert!(load.took.is_some(), "{:?}", load.failure);
}

#[test]
fn one_program_floods_while_another_echoes() {
    let (mut engine, ids) = floor(FloorMode::WebSocket, Program::Choice, 2);
    let typing = Typing::new(&ids[..1], Pace::Open(50.0), Duration::from_millis(300));
    let flooding = Flooding::new(&ids[1..], u64::MAX);
    let mut mixed = crate::loads::Mixed { typing, flooding };
    run(&mut engine, &mut mixed);
    assert!(mixed.typing.damage().is_none(), "{:?}", mixed.typing.damage());
    assert!(mixed.flooding.damage().is_none(), "{:?}", mixed.flooding.damage());
    assert!(mixed.flooding.received() > 100_000);
}
