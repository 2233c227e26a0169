//! A gateway that is told to stop while it has much to do (row K07).

use std::net::TcpStream;

use hither_protocol::websocket::CloseCode;
use rustix::process::Signal;

use crate::place::Gateway;
use crate::watcher::{COUNTER, Told, Watcher};

#[test]
fn everybody_is_told_to_come_back_and_the_sessions_live_on() {
    let mut gateway = Gateway::start(&[]);
    let sessions = [gateway.session(COUNTER), gateway.session(COUNTER)];
    let watchers: Vec<_> = (0..4)
        .map(|at| Watcher::start(gateway.server(), sessions[at % 2], 1 + at as u64))
        .collect();
    for watcher in &watchers {
        watcher.wait_for(&Told::Going);
    }
    gateway.signal(Signal::TERM);
    for watcher in &watchers {
        watcher.wait_for(&Told::Away(Some(CloseCode::RESTART)));
    }
    let (code, farewell) = gateway.wait();
    assert_eq!((code, farewell.contains("2 sessions live on")), (Some(0), true), "{farewell}");
    for watcher in watchers {
        watcher.wait_for(&Told::Refused);
    }
    let listed = gateway.hither(&["ls"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.matches("  running  ").count(), 2, "{listed}");
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let mut gateway = Gateway::start(&[]);
    let _slow = gateway.hold_up();
    gateway.signal(Signal::TERM);
    while TcpStream::connect(gateway.address).is_ok() {
        std::thread::yield_now();
    }
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.wait().0, Some(128 + 15));
}
