//! What strangers, and gateways gone mad, can do: nothing, but lose their connection.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test panics at what it does not expect"
)]

mod support;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use hither_host::limits::{CONNECTIONS_MAX, MESSAGE_BYTES_MAX, QUEUE_MESSAGES_MAX};
use hither_host::message::VERSION;
use hither_host::wire::encode_to_host;
use hither_host::{ClientError, ExitStatus, FromHost, HostConnection, RuntimeDir, ToHost};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use support::{
    Host, PROBE, Plain, TempDir, path_str, raw_connect, script, session_id, wait_readable,
};

fn bytes(message: &ToHost<u8>) -> Vec<u8> {
    encode_to_host(message).unwrap().0
}

fn hello() -> Vec<u8> {
    bytes(&ToHost::Hello { version: VERSION })
}

/// Sends a message with `count` descriptors, in as many control messages as given.
fn send(socket: &OwnedFd, message: &[u8], count: usize, controls: usize) -> Result<usize, Errno> {
    let fds: Vec<BorrowedFd<'_>> = vec![socket.as_fd(); count];
    let mut space = vec![std::mem::MaybeUninit::uninit(); 8192];
    let mut control = SendAncillaryBuffer::new(&mut space);
    for _ in 0..controls {
        assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    }
    let iov = [std::io::IoSlice::new(message)];
    rustix::net::sendmsg(socket, &iov, &mut control, SendFlags::NOSIGNAL)
}

/// Reads until the host closes the connection.
fn wait_for_end(socket: &OwnedFd) {
    let mut buffer = vec![0; MESSAGE_BYTES_MAX];
    loop {
        wait_readable(socket);
        match rustix::net::recv(socket, &mut buffer, RecvFlags::empty()) {
            Ok((0, _)) | Err(Errno::CONNRESET) => return,
            Ok(_) => {}
            Err(errno) => panic!("{errno}"),
        }
    }
}

/// A stranger who sends these messages is disconnected, and the host has no descriptor more.
fn check_dropped(host: &Host, messages: &[&[u8]], fds: usize) {
    let socket = raw_connect(&host.dir);
    for message in messages {
        match send(&socket, message, fds, usize::from(fds > 0)) {
            Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => {}
            Err(errno) => panic!("{errno}"),
        }
    }
    wait_for_end(&socket);
    assert_eq!(host.connect().list().len(), 0, "it serves others");
    host.expect_descriptors(Host::descriptors());
}

#[test]
fn garbage_is_not_answered() {
    let host = Host::start();
    for message in [&[0][..], &[255; 40], &[3; 5000], b"GET / HTTP/1.1\r\n\r\n"] {
        check_dropped(&host, &[message], 0);
        check_dropped(&host, &[&hello(), message], 0);
    }
}

#[test]
fn any_bytes_after_the_greeting_leave_the_host_as_it_was() {
    let host = Host::start();
    let messages = proptest::collection::vec(
        (
            // No kind that ends the host.
            prop_oneof![Just(1_u8), 3..=8_u8, 10..=255_u8],
            proptest::collection::vec(any::<u8>(), 0..80),
            0..6_usize,
        ),
        1..6,
    );
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&messages, |messages| {
        let socket = raw_connect(&host.dir);
        send(&socket, &hello(), 0, 0).unwrap();
        for (kind, rest, fds) in messages {
            let message = [&[kind], rest.as_slice()].concat();
            send(&socket, &message, fds, usize::from(fds > 0)).ok();
        }
        Ok(())
    });
    result.unwrap();
    assert!(host.connect().list().is_empty());
    host.expect_descriptors(Host::descriptors());
}

#[test]
fn descriptors_in_the_wrong_number_are_dropped_with_the_connection() {
    let host = Host::start();
    let journal = [7, 0, 0];
    for fds in [0, 1, 2, 4, 5, 253] {
        check_dropped(&host, &[&hello(), &journal], fds);
    }
    for fds in [1, 3, 4, 253] {
        check_dropped(&host, &[&hello()], fds);
    }
    // The right number, but from somebody who is not the gateway.
    let socket = raw_connect(&host.dir);
    send(&socket, &hello(), 0, 0).unwrap();
    send(&socket, &journal, 3, 1).unwrap();
    wait_for_end(&socket);
    host.connect().list();
    host.expect_descriptors(Host::descriptors());
}

#[test]
fn messages_too_large_are_dropped_and_the_largest_is_taken() {
    let host = Host::start();
    check_dropped(&host, &[&vec![6; MESSAGE_BYTES_MAX + 1]], 0);
    check_dropped(&host, &[&vec![6; MESSAGE_BYTES_MAX + 5000]], 0);
    let mut client = host.claim();
    let mut largest = script(1, "exit 3");
    let filler = MESSAGE_BYTES_MAX - bytes(&ToHost::Spawn(Box::new(largest.clone()))).len() - 4;
    // Longer than the kernel takes for one string, so it is split.
    let parts = [filler / 2 - 4, filler - filler / 2];
    largest.env.extend(parts.map(|len| std::ffi::CString::new(vec![b'x'; len]).unwrap()));
    assert_eq!(bytes(&ToHost::Spawn(Box::new(largest.clone()))).len(), MESSAGE_BYTES_MAX);
    client.spawn(largest);
    match client.recv() {
        FromHost::Exited { status, .. } => assert_eq!(status, ExitStatus::Code(3)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn order_of_messages_matters() {
    let host = Host::start();
    let claim = bytes(&ToHost::Claim);
    let list = bytes(&ToHost::List);
    check_dropped(&host, &[&claim], 0);
    check_dropped(&host, &[&list], 0);
    check_dropped(&host, &[&hello(), &hello()], 0);
    let socket = raw_connect(&host.dir);
    for message in [&hello(), &claim, &claim] {
        send(&socket, message, 0, 0).ok();
    }
    wait_for_end(&socket);
}

#[test]
fn who_does_not_read_is_dropped_and_holds_up_nobody() {
    let host = Host::start();
    let mut client = host.claim();
    let session = client.spawn(script(1, "read line"));
    // The client's connection, its claim, a session.
    let before = Host::descriptors() + 5;
    host.expect_descriptors(before);
    let deaf = raw_connect(&host.dir);
    rustix::io::ioctl_fionbio(&deaf, true).unwrap();
    send(&deaf, &hello(), 0, 0).unwrap();
    // Answers pile up until the host reads no more of it; then it cannot send either.
    let unknown = bytes(&ToHost::Close { session: session_id(99) });
    let full = loop {
        match send(&deaf, &unknown, 0, 0) {
            Ok(_) => {}
            Err(errno) => break errno,
        }
    };
    assert_eq!(full, Errno::AGAIN);
    assert_eq!(client.list().len(), 1);
    // What everybody is told goes on piling up, to a limit.
    let mut ended = 0;
    let mut number = 2;
    while host.open_descriptors() > before {
        client.spawn(script(number, "exit"));
        assert!(matches!(client.recv(), FromHost::Exited { .. }));
        client.send(&Plain::Close { session: session_id(number) });
        assert!(matches!(client.recv(), FromHost::Closed { .. }));
        number = number % 90 + 2;
        ended += 2;
        assert!(ended <= QUEUE_MESSAGES_MAX + 2);
    }
    assert!(ended > QUEUE_MESSAGES_MAX - 100, "{ended}");
    drop(session);
}

#[test]
fn connections_are_limited_and_strangers_make_way() {
    let host = Host::start();
    let mut client = host.claim();
    let strangers: Vec<OwnedFd> =
        (0..2 * CONNECTIONS_MAX).map(|_| raw_connect(&host.dir)).collect();
    // The eldest of those who have not greeted had to go.
    wait_for_end(&strangers[0]);
    let mut known: Vec<_> = Vec::new();
    let refused = loop {
        match HostConnection::connect(&host.dir.runtime()) {
            Ok(connection) => known.push(connection),
            Err(error) => break error,
        }
        assert!(known.len() <= CONNECTIONS_MAX);
    };
    assert!(matches!(refused, ClientError::TurnedAway), "{refused}");
    assert!(client.list().is_empty());
    drop((strangers, known));
    assert!(client.list().is_empty());
    host.connect().list();
}

/// Runs a thread as `nobody`; `None` when this process may not do that.
#[allow(unsafe_code, reason = "the change is for one thread only, which libc hides")]
fn as_nobody<T: Send>(f: impl FnOnce() -> T + Send) -> Option<T> {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: the bare call changes the ids of this thread only, which ends soon.
            let changed = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
            (changed == 0).then(f)
        });
        thread.join().unwrap()
    })
}

#[test]
fn another_user_is_not_served_even_if_the_doors_stand_open() {
    let host = Host::start();
    let chmod = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    chmod(host.dir.path(), 0o711);
    chmod(&host.dir.path().join("host.sock"), 0o666);
    let served = as_nobody(|| {
        let socket = raw_connect(&host.dir);
        send(&socket, &hello(), 0, 0).ok();
        wait_for_end(&socket);
    });
    chmod(host.dir.path(), 0o700);
    host.connect().list();
    host.expect_descriptors(Host::descriptors());
    if served.is_none() {
        eprintln!("not root: no other user to try it as");
    }
}

#[test]
fn directory_that_does_not_keep_others_out_is_refused() {
    let dir = TempDir::new();
    let refusal = |path: &std::path::Path| RuntimeDir::open(path).unwrap_err().to_string();
    let inside = |name: &str| dir.path().join(name);
    assert_eq!(
        refusal(std::path::Path::new("relative")),
        "runtime directory relative must be an absolute path"
    );
    RuntimeDir::open(&inside("fresh")).unwrap();
    let mode = inside("fresh").metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o700);
    for mode in [0o701, 0o710, 0o770, 0o777] {
        std::fs::set_permissions(inside("fresh"), PermissionsExt::from_mode(mode)).unwrap();
        assert!(refusal(&inside("fresh")).ends_with("run chmod 700 on it"), "{mode:o}");
    }
    std::fs::set_permissions(inside("fresh"), PermissionsExt::from_mode(0o700)).unwrap();
    symlink(inside("fresh"), inside("link")).unwrap();
    assert!(refusal(&inside("link")).contains("is not a directory"));
    std::fs::write(inside("file"), "").unwrap();
    assert!(refusal(&inside("file")).contains("is not a directory"));
    assert!(refusal(&inside("no/such")).contains("cannot open runtime directory"));
    let foreign = as_nobody(|| refusal(std::path::Path::new("/etc")));
    if let Some(foreign) = foreign {
        assert!(foreign.contains("belongs to user 0"), "{foreign}");
    }
}

#[test]
fn runtime_directory_is_where_the_standard_says() {
    let path = |base: Option<&str>| RuntimeDir::default_path(base.map(std::ffi::OsStr::new));
    assert_eq!(path(Some("/run/user/7")).to_str(), Some("/run/user/7/hither"));
    let own = format!("/tmp/hither-{}", rustix::process::geteuid().as_raw());
    assert_eq!(path(None).to_str(), Some(own.as_str()));
    assert_eq!(path(Some("relative")).to_str(), Some(own.as_str()));
}

#[test]
fn a_long_path_is_no_obstacle() {
    let dir = TempDir::new();
    let long = dir.path().join("x".repeat(200));
    let args = ["host", long.to_str().unwrap(), "detached"];
    let runtime = RuntimeDir::open(&long).unwrap();
    HostConnection::connect_or_start(&runtime, PROBE.as_ref(), &args).unwrap();
}

#[test]
fn a_foreign_host_is_not_trusted() {
    let dir = TempDir::new();
    let runtime = dir.runtime();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let listener = as_nobody(|| support::raw_listen(&dir));
    if listener.is_some() {
        let refused = HostConnection::connect(&runtime).unwrap_err().to_string();
        assert_eq!(refused, "PTY host runs as user 65534");
    }
}

#[test]
fn host_cannot_be_traced() {
    let dir = TempDir::new();
    let mut command = Command::new(PROBE);
    command.args(["host", path_str(&dir), "guarded"]);
    let output = command.output().unwrap();
    assert_eq!(output.stdout, b"ready\n");
    let host = Host::find(dir);
    // Of a process that cannot be dumped, /proc belongs to root and needs privileges to look into.
    let seen = as_nobody(|| std::fs::read(format!("/proc/{}/environ", host.pid)).is_ok());
    assert_ne!(seen, Some(true));
    let owner = std::fs::metadata(format!("/proc/{}/environ", host.pid)).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&owner), 0);
    if !rustix::process::geteuid().is_root() {
        assert!(std::fs::read_dir(format!("/proc/{}/fd", host.pid)).is_err());
    }
}
