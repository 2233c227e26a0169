//! Sessions outlive the gateway: who may claim them, and what the next one gets.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test panics at what it does not expect"
)]

mod support;

use std::os::fd::OwnedFd;

use hither_host::message::{JournalFds, Life};
use hither_host::{ExitStatus, FromHost, ToHost};
use support::{Claimant, Host, Plain, read_until, script, session_id, wait_readable};

fn line(claimant: &Claimant) -> &str {
    claimant.said.trim_end()
}

#[test]
fn claim_holds_until_its_process_is_dead() {
    let host = Host::start();
    let first = Claimant::start(&host.dir);
    assert_eq!(line(&first), "claimed");
    let refused = format!("refused {}", first.process.id());
    let second = Claimant::start(&host.dir);
    assert_eq!(line(&second), refused);
    let mut client = host.connect();
    assert_eq!(client.claim().unwrap_err(), first.process.id());
    // Its death alone makes room, also for a connection that was refused before.
    let killed = first.process.id();
    first.kill();
    assert!(client.claim().unwrap().is_empty());
    let third = Claimant::start(&host.dir);
    assert_eq!(line(&third), format!("refused {}", std::process::id()));
    assert_ne!(killed, std::process::id());
    second.kill();
    third.kill();
}

#[test]
fn claim_outlives_its_connection() {
    let host = Host::start();
    let client = host.claim();
    let own = std::process::id();
    // One process, two connections: the first still has it.
    let mut another = host.connect();
    assert_eq!(another.claim().unwrap_err(), own);
    drop(client);
    // Others are refused as long as the process lives; the process itself may come back.
    let stranger = Claimant::start(&host.dir);
    assert_eq!(line(&stranger), format!("refused {own}"));
    assert!(another.claim().unwrap().is_empty());
    stranger.kill();
}

#[test]
fn next_gateway_gets_the_same_terminal_memory_and_status() {
    let host = Host::start();
    let mut old = host.claim();
    let running = old.spawn(script(1, "read line; echo got $line; read line"));
    let ended = old.spawn(script(2, "echo last words; exit 37"));
    let closed = old.spawn(script(3, "exit"));
    rustix::io::pwrite(&running.fds.memory, b"what was read", 100).unwrap();
    rustix::io::write(&running.fds.master, b"hello\n").unwrap();
    wait_readable(&ended.fds.pidfd);
    wait_readable(&closed.fds.pidfd);
    old.send(&Plain::Close { session: closed.id });
    drop((old, running, ended, closed));

    let mut new = host.connect();
    let mut adopted = new.claim().unwrap().into_iter();
    let mut next = || match adopted.next().unwrap() {
        FromHost::Adopt { session, fds } => (session, fds),
        other => panic!("{other:?}"),
    };
    let (state, fds) = next();
    assert_eq!((state.session, state.life), (session_id(1), Life::Running));
    assert_eq!(state.meta, b"meta of 1");
    let mut memory = [0; 13];
    rustix::io::pread(&fds.memory, &mut memory, 100).unwrap();
    assert_eq!(&memory, b"what was read");
    read_until(&fds.master, "got hello\r\n");
    let (state, fds) = next();
    let exited = Life::Exited(ExitStatus::Code(37));
    assert_eq!((state.session, state.life), (session_id(2), exited));
    read_until(&fds.master, "last words\r\n");
    assert!(adopted.next().is_none());
}

#[test]
fn end_of_a_child_while_no_gateway_is_there_is_not_lost() {
    let host = Host::start();
    let mut old = host.claim();
    let session = old.spawn(script(1, "read line; exit 9"));
    let (master, pidfd) = (session.fds.master, session.fds.pidfd);
    drop(old);
    rustix::io::write(&master, b"\n").unwrap();
    wait_readable(&pidfd);
    drop((master, pidfd));
    let adopted = host.connect().claim().unwrap();
    match &adopted[..] {
        [FromHost::Adopt { session, .. }] => {
            assert_eq!(session.life, Life::Exited(ExitStatus::Code(9)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn journals_are_kept_by_index() {
    let host = Host::start();
    let mut old = host.claim();
    let put = |index: u16, text: &str| {
        let (read_end, write_end) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&write_end, text.as_bytes()).unwrap();
        let memory = rustix::fs::memfd_create(text, rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        let fds = JournalFds { read_end, write_end, memory };
        old.0.send(&ToHost::<OwnedFd>::PutJournal { index, fds }).unwrap();
    };
    put(5, "replaced");
    put(0, "first");
    put(5, "fifth");
    old.list();
    let descriptors = host.open_descriptors();
    drop(old);
    let adopted = host.connect().claim().unwrap();
    let read = |message: &FromHost| match message {
        FromHost::Journal { index, fds } => {
            let mut text = vec![0; 20];
            let len = rustix::io::read(&fds.read_end, &mut text[..]).unwrap();
            text.truncate(len);
            // The write end is that of the same pipe.
            rustix::io::write(&fds.write_end, b"x").unwrap();
            wait_readable(&fds.read_end);
            (*index, String::from_utf8(text).unwrap())
        }
        other => panic!("{other:?}"),
    };
    let journals: Vec<_> = adopted.iter().map(read).collect();
    assert_eq!(journals, [(0, "first".to_owned()), (5, "fifth".to_owned())]);
    assert!(descriptors > 6);
}

#[test]
fn adoption_of_many_sessions_is_complete_and_costs_no_queue() {
    let host = Host::start();
    let mut old = host.claim();
    let many = 150;
    for number in 0..many {
        old.spawn(script(number, "read line"));
    }
    drop(old);
    let mut new = host.connect();
    // The host is not read until it can send no more; it serves others meanwhile.
    new.send(&Plain::Claim);
    assert_eq!(host.connect().list().len(), usize::from(many));
    assert!(matches!(new.recv(), FromHost::Claimed));
    for number in 0..many {
        match new.recv() {
            FromHost::Adopt { session, .. } => assert_eq!(session.session, session_id(number)),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(new.recv(), FromHost::AdoptEnd));
}
