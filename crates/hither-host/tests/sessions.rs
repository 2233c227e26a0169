//! Sessions of a real host: their start, their life, their end.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test panics at what it does not expect"
)]

mod support;

use hither_host::message::{Life, Refusal, SignalTarget, SpawnRequest};
use hither_host::{ExitStatus, FromHost, Pid, Signal, Stage};
use hither_pty::PidFd;
use rustix::io::Errno;
use support::{
    Client, Host, Plain, Session, field, read_to_end, read_until, request, script, session_id,
    wait_readable,
};

fn killed_by(signal: u8) -> ExitStatus {
    ExitStatus::Signal { signal, core_dumped: false }
}

fn expect_exit(client: &mut Client, number: u8, status: ExitStatus) {
    let session = session_id(number);
    assert_eq!(debug(&client.recv()), debug(&FromHost::Exited { session, status }));
}

fn expect_closed(client: &mut Client, number: u8) {
    let session = session_id(number);
    assert_eq!(debug(&client.recv()), debug(&FromHost::Closed { session }));
}

fn expect_refused(client: &mut Client, number: u8, reason: Refusal) {
    let session = session_id(number);
    assert_eq!(debug(&client.recv()), debug(&FromHost::Refused { session, reason }));
}

fn debug(message: &FromHost) -> String {
    format!("{message:?}")
}

#[test]
fn child_is_clean() {
    let host = Host::start();
    let mut client = host.claim();
    let session = client.spawn(script(
        1,
        "cd /proc/$$/fd; ls -1; readlink 0 1 2; tty; cd /usr; umask; pwd; stty size; env | grep -v PWD; \
         exec cat /proc/self/status",
    ));
    let output = read_to_end(&session.fds.master);
    let tty = output.lines().nth(3).unwrap();
    assert!(tty.starts_with("/dev/pts/"), "{output}");
    let expect = format!(
        "0\n1\n2\n{tty}\n{tty}\n{tty}\n{tty}\n0027\n/usr\n30 100\nHITHER_SESSION={}\nONLY=this one\n\
         PATH=/usr/bin:/bin\n",
        session.id
    );
    let head = output.split_once("Name:").unwrap().0;
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(String::from).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(head), sorted(&expect));
    for name in ["SigBlk", "SigIgn", "SigCgt"] {
        assert_eq!(field(&output, name), "0000000000000000", "{name}");
    }
    assert_eq!(field(&output, "Pid"), session.pid.to_string());
    assert_eq!(field(&output, "PPid"), host.pid.to_string());
    expect_exit(&mut client, 1, ExitStatus::Code(0));
}

#[test]
fn statuses_are_exact() {
    let host = Host::start();
    let mut client = host.claim();
    for code in [0, 1, 2, 37, 126, 127, 128, 200, 255] {
        client.spawn(script(code, &format!("exit {code}")));
        expect_exit(&mut client, code, ExitStatus::Code(code));
    }
    for signal in [1, 2, 6, 9, 11, 13, 14, 15, 24, 31] {
        client.spawn(script(signal + 40, &format!("ulimit -c 0; kill -{signal} $$")));
        expect_exit(&mut client, signal + 40, killed_by(signal));
    }
}

#[test]
fn failed_starts_name_their_stage_and_leave_nothing() {
    let host = Host::start();
    let mut client = host.claim();
    // The client's connection and its claim.
    host.expect_descriptors(Host::descriptors() + 2);
    let mut missing_directory = script(3, "exit");
    missing_directory.cwd = c"/no/such/place".into();
    let mut too_long = script(4, "exit");
    too_long.argv.push(c"x".to_owned());
    too_long.env.push(std::ffi::CString::new(vec![b'x'; 125_000]).unwrap());
    too_long.program = c"/etc/passwd".into();
    for (request, stage, errno) in [
        (request(1, &["/no/such/program"]), Stage::Exec, Errno::NOENT),
        (request(2, &["/etc/passwd"]), Stage::Exec, Errno::ACCESS),
        (missing_directory, Stage::Directory, Errno::NOENT),
        (too_long, Stage::Exec, Errno::ACCESS),
    ] {
        let number = request.request;
        client.send(&Plain::Spawn(Box::new(request)));
        match client.recv() {
            FromHost::SpawnFailed { request, error } => {
                assert_eq!(request, number);
                assert_eq!((error.stage, error.errno), (stage, errno.raw_os_error()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(client.list().is_empty());
    host.expect_descriptors(Host::descriptors() + 2);
}

#[test]
fn memory_has_a_fixed_size() {
    let host = Host::start();
    let mut client = host.claim();
    let session = client.spawn(script(1, "read line"));
    let memory = &session.fds.memory;
    assert_eq!(rustix::fs::fstat(memory).unwrap().st_size, 8192);
    assert_eq!(rustix::fs::ftruncate(memory, 4096), Err(Errno::PERM));
    assert_eq!(rustix::fs::ftruncate(memory, 16384), Err(Errno::PERM));
    assert_eq!(rustix::io::pwrite(memory, b"x", 8191), Ok(1));
}

#[test]
fn names_are_unique_until_closed() {
    let host = Host::start();
    let mut client = host.claim();
    client.spawn(script(1, "exit 3"));
    expect_exit(&mut client, 1, ExitStatus::Code(3));
    client.send(&Plain::Spawn(Box::new(script(1, "exit 4"))));
    match client.recv() {
        FromHost::SpawnRefused { request, reason } => {
            assert_eq!((request, reason), (1, Refusal::DuplicateSession));
        }
        other => panic!("{other:?}"),
    }
    let session = session_id(1);
    client.send(&Plain::Close { session });
    expect_closed(&mut client, 1);
    client.send(&Plain::Close { session });
    expect_refused(&mut client, 1, Refusal::UnknownSession);
    client.spawn(script(1, "exit 5"));
    expect_exit(&mut client, 1, ExitStatus::Code(5));
}

/// An interactive shell with a silent prompt.
fn shell(number: u8) -> SpawnRequest {
    let mut shell = request(number, &["/bin/bash", "--norc", "--noprofile", "-i"]);
    shell.env.push(c"PS1=".into());
    shell
}

/// A handle of the process whose number the terminal says after `name`.
fn process(session: &Session, name: &str) -> PidFd {
    read_until(&session.fds.master, &format!("\n{name}="));
    let number = read_until(&session.fds.master, "\r\n");
    let pid = Pid::from_raw(number.trim().parse().unwrap()).unwrap();
    PidFd::open(pid).unwrap()
}

#[test]
fn close_hangs_up_the_shell_and_its_jobs() {
    let host = Host::start();
    let mut client = host.claim();
    let session = client.spawn(shell(1));
    let job = |name: &str| format!("sh -c 'echo; echo {name}=$$; exec sleep 1000'");
    let type_in = |line: String| {
        rustix::io::write(&session.fds.master, line.as_bytes()).unwrap();
    };
    type_in(format!("stty -echo; {} &\n", job("back")));
    let background = process(&session, "back");
    type_in(format!("{}\n", job("fore")));
    let foreground = process(&session, "fore");
    client.send(&Plain::Close { session: session.id });
    expect_exit(&mut client, 1, killed_by(1));
    expect_closed(&mut client, 1);
    wait_readable(&background);
    wait_readable(&foreground);
    read_to_end(&session.fds.master);
}

#[test]
fn a_leader_that_ignores_the_hang_up_can_be_killed() {
    let host = Host::start();
    let mut client = host.claim();
    let session = client.spawn(script(1, "trap '' HUP; echo up; while :; do sleep 1000; done"));
    read_until(&session.fds.master, "up\r\n");
    client.send(&Plain::Close { session: session.id });
    assert_eq!(client.list()[0].life, Life::Closing);
    // From a connection that claims nothing, as `hither kill` does it.
    let mut other = host.connect();
    other.send(&Plain::Signal {
        session: session.id,
        signal: Signal::KILL,
        target: SignalTarget::Group,
    });
    assert!(matches!(other.recv(), FromHost::Signalled { .. }));
    for client in [&mut client, &mut other] {
        expect_exit(client, 1, killed_by(9));
        expect_closed(client, 1);
    }
    assert!(client.list().is_empty());
}

fn signal(client: &Client, number: u8, signal: Signal, target: SignalTarget) {
    let session = session_id(number);
    client.send(&Plain::Signal { session, signal, target });
}

#[test]
fn signals_reach_the_foreground_and_not_the_shell() {
    let host = Host::start();
    let mut client = host.claim();
    let session = client.spawn(shell(1));
    let lines = "stty -echo\nsh -c 'echo; echo job=$$; exec sleep 1000'; echo alive\n";
    rustix::io::write(&session.fds.master, lines.as_bytes()).unwrap();
    let job = process(&session, "job");
    signal(&client, 1, Signal::USR1, SignalTarget::Foreground);
    assert!(matches!(client.recv(), FromHost::Signalled { .. }));
    wait_readable(&job);
    read_until(&session.fds.master, "alive\r\n");
}

#[test]
fn signals_reach_the_leader_alone_or_its_group() {
    let host = Host::start();
    let mut client = host.claim();
    // The kernel hangs the group up when its leader ends, so they ignore that.
    let family = "trap '' HUP; sleep 1000 & echo; echo child=$!; exec sleep 1000";
    let session = client.spawn(script(1, family));
    let child = process(&session, "child");
    signal(&client, 1, Signal::USR1, SignalTarget::Group);
    assert!(matches!(client.recv(), FromHost::Signalled { .. }));
    expect_exit(&mut client, 1, killed_by(10));
    wait_readable(&child);

    let session = client.spawn(script(2, family));
    let child = process(&session, "child");
    signal(&client, 2, Signal::KILL, SignalTarget::Leader);
    assert!(matches!(client.recv(), FromHost::Signalled { .. }));
    expect_exit(&mut client, 2, killed_by(9));
    assert!(!child.has_ended().unwrap());
    for target in [SignalTarget::Leader, SignalTarget::Group] {
        signal(&client, 2, Signal::USR1, target);
        expect_refused(&mut client, 2, Refusal::NoProcess);
    }
    child.send_signal(Signal::KILL).unwrap();
}

#[test]
fn only_the_claimant_may_start_and_describe() {
    let host = Host::start();
    let mut client = host.claim();
    let session = client.spawn(script(1, "read line"));
    let mut other = host.connect();
    other.send(&Plain::Spawn(Box::new(script(2, "exit"))));
    match other.recv() {
        FromHost::SpawnRefused { reason, .. } => assert_eq!(reason, Refusal::NotClaimed),
        message => panic!("{message:?}"),
    }
    let meta = b"new".to_vec();
    let describe = Plain::SetMeta { session: session.id, meta: meta.clone() };
    other.send(&describe);
    expect_refused(&mut other, 1, Refusal::NotClaimed);
    assert_eq!(other.list()[0].meta, b"meta of 1");
    client.send(&describe);
    // The list comes after it on the same connection, so it has been done.
    let listed = client.list();
    assert_eq!((listed[0].meta.clone(), listed[0].pid), (meta, session.pid));
    assert!(listed[0].created_unix_ms > 1_700_000_000_000);
}

#[test]
fn who_has_asked_for_no_end_hears_of_none() {
    let host = Host::start();
    let mut client = host.claim();
    let mut lister = host.connect();
    client.spawn(script(1, "exit 3"));
    expect_exit(&mut client, 1, ExitStatus::Code(3));
    client.send(&Plain::Close { session: session_id(1) });
    expect_closed(&mut client, 1);
    lister.send(&Plain::List);
    assert!(matches!(lister.recv(), FromHost::ListEnd));
    lister.send(&Plain::Claim);
    let answer = lister.recv();
    assert!(matches!(answer, FromHost::ClaimRefused { .. }), "{answer:?}");
}

#[test]
fn a_thousand_short_sessions_leave_nothing() {
    let host = Host::start();
    let mut client = host.claim();
    // The client's connection and its claim.
    host.expect_descriptors(Host::descriptors() + 2);
    for _ in 0..250 {
        for number in 1..=4 {
            client.send(&Plain::Spawn(Box::new(script(number, "exit 7"))));
        }
        let mut closed = 0;
        while closed < 4 {
            match client.recv() {
                FromHost::Exited { session, status } => {
                    assert_eq!(status, ExitStatus::Code(7));
                    client.send(&Plain::Close { session });
                }
                FromHost::Closed { .. } => closed += 1,
                FromHost::Spawned { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    host.expect_descriptors(Host::descriptors() + 2);
    assert_eq!(host.proc(&format!("task/{}/children", host.pid)).trim(), "");
}
