//! The life of the host process: how it starts, outlives and ends.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test panics at what it does not expect"
)]

mod support;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use hither_host::{ClientError, HostConnection, StartError, Started, ToHost, start_detached};
use support::{
    Host, PROBE, Plain, TempDir, field, path_str, read_to_end, read_until, script, wait_readable,
};

/// Starts a host from a shell script, in which `$0` is the probe and `$1` the directory.
fn start_from_shell(script: &str) -> Host {
    let dir = TempDir::new();
    let output = Command::new("/bin/sh")
        .args(["-c", script, PROBE, path_str(&dir)])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"ready\n");
    Host::find(dir)
}

#[test]
fn host_is_detached_from_its_starter() {
    let host = start_from_shell(
        "trap '' INT HUP TERM CHLD; exec 7</etc/passwd 9</etc/passwd; cd /usr; \
         exec $0 host $1 detached",
    );
    let status = host.proc("status");
    // Bit 12 is SIGPIPE, bit 24 SIGXFSZ.
    assert_eq!(field(&status, "SigIgn"), "0000000001001000");
    // SIGCHLD, which comes by a descriptor.
    assert_eq!(field(&status, "SigBlk"), "0000000000010000");
    assert_eq!(field(&status, "SigCgt"), "0000000000000000");
    assert_eq!(field(&status, "Threads"), "1");
    assert_ne!(field(&status, "PPid"), std::process::id().to_string());
    let link = |name: &str| std::fs::read_link(format!("/proc/{}/{name}", host.pid)).unwrap();
    assert_eq!(link("cwd"), Path::new("/"));
    for fd in 0..3 {
        assert_eq!(link(&format!("fd/{fd}")), Path::new("/dev/null"));
    }
    for entry in std::fs::read_dir(format!("/proc/{}/fd", host.pid)).unwrap() {
        let target = std::fs::read_link(entry.unwrap().path());
        assert_ne!(target.ok().as_deref(), Some(Path::new("/etc/passwd")));
    }
    let stat = host.proc("stat");
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let own = std::fs::read_to_string("/proc/self/stat").unwrap();
    let own: Vec<&str> = own.rsplit_once(") ").unwrap().1.split(' ').collect();
    // Process group, session, controlling terminal (proc_pid_stat(5)).
    assert_ne!(fields[2], own[2]);
    assert_ne!(fields[3], own[3]);
    assert_eq!(fields[4], "0");
}

#[test]
fn host_gets_no_environment_and_children_are_clean_whatever_it_inherited() {
    let host = Host::start();
    assert_eq!(host.proc("environ"), "");
    let host = start_from_shell("trap '' INT HUP CHLD USR1; exec $0 host $1 detached");
    let mut client = host.claim();
    let session = client.spawn(script(1, "exec cat /proc/self/status"));
    let status = read_to_end(&session.fds.master);
    for name in ["SigBlk", "SigIgn", "SigCgt"] {
        assert_eq!(field(&status, name), "0000000000000000", "{name}");
    }
}

#[test]
fn limit_of_open_files_is_raised_for_the_host_only() {
    let host = start_from_shell("ulimit -Sn 700; ulimit -Hn 3000; exec $0 host $1 detached");
    let limits = host.proc("limits");
    let open = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(open.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["3000", "3000"]);
    let mut client = host.claim();
    let session = client.spawn(script(1, "ulimit -Sn; ulimit -Hn"));
    assert_eq!(read_to_end(&session.fds.master), "700\n3000\n");
}

#[test]
fn more_sessions_than_descriptors_allow_are_refused() {
    // Up to 480 descriptors are set aside, but no more than half; a session needs three.
    for (limit, most) in [(490, 81), (966, 162), (40, 6)] {
        let host = start_from_shell(&format!("ulimit -n {limit}; exec $0 host $1 detached"));
        let mut client = host.claim();
        for number in 1..=most {
            client.spawn(script(number, "read line"));
        }
        client.send(&Plain::Spawn(Box::new(script(most + 1, "read line"))));
        let refused = client.recv();
        assert!(format!("{refused:?}").contains("TooManySessions"), "{refused:?}");
    }
}

#[test]
fn shells_survive_the_kill_of_the_gateway_that_started_the_host() {
    let dir = TempDir::new();
    // Stands for the gateway: starts the host, then lives on in its own process group.
    let mut gateway = Command::new("/bin/sh")
        .args(["-c", "$0 host $1 detached; exec sleep 1000", PROBE, path_str(&dir)])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let stdout = gateway.stdout.as_mut().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut said).unwrap();
    assert_eq!(said, "ready\n");
    let host = Host::find(dir);
    let mut client = host.claim();
    let session = client.spawn(script(1, "read line; echo $line"));
    gateway.kill().unwrap();
    gateway.wait().unwrap();
    rustix::io::write(&session.fds.master, b"alive\n").unwrap();
    read_until(&session.fds.master, "alive\r\nalive\r\n");
    assert!(host.is_alive());
}

#[test]
fn host_ends_with_its_last_session_and_connection() {
    let host = Host::start();
    let mut client = host.claim();
    host.leave();
    let session = client.spawn(script(1, "exit"));
    wait_readable(&session.fds.pidfd);
    drop(client);
    // An exited session is kept for the next gateway.
    let mut client = host.connect();
    assert_eq!(client.list().len(), 1);
    assert!(host.is_alive());
    client.send(&Plain::Close { session: session.id });
    client.list();
    assert!(host.is_alive());
    drop(client);
    host.wait_for_end();
    assert!(!host.dir.path().join("host.sock").exists());
    let gone = HostConnection::connect(&host.dir.runtime());
    assert!(matches!(gone, Err(ClientError::NotRunning)));
    // The place is free again.
    let again = start_detached(Path::new(PROBE), ["host", path_str(&host.dir), "detached"]);
    assert_eq!(again.unwrap(), Started::Now);
    HostConnection::connect(&host.dir.runtime()).unwrap();
}

#[test]
fn stop_hangs_everything_up_and_ends_the_host() {
    let host = Host::start();
    let mut client = host.claim();
    let session = client.spawn(script(1, "echo up; read line"));
    read_until(&session.fds.master, "up\r\n");
    let mut stopper = host.connect();
    stopper.send(&Plain::Stop);
    client.wait_for_end();
    stopper.wait_for_end();
    host.wait_for_end();
    wait_readable(&session.fds.pidfd);
}

#[test]
fn of_many_starters_exactly_one_starts_a_host() {
    for _ in 0..5 {
        let dir = TempDir::new();
        let start = || start_detached(Path::new(PROBE), ["host", path_str(&dir), "detached"]);
        let started: Vec<_> = std::thread::scope(|scope| {
            let starters: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let started = start().unwrap();
                        // Whoever gets an answer finds a host that listens.
                        (started, HostConnection::connect(&dir.runtime()).unwrap())
                    })
                })
                .collect();
            starters.into_iter().map(|starter| starter.join().unwrap()).collect()
        });
        let now = started.iter().filter(|(started, _)| *started == Started::Now).count();
        assert_eq!(now, 1);
        let first = started[0].1.host_pid();
        assert!(started.iter().all(|(_, connection)| connection.host_pid() == first));
        let host = Host::find(dir);
        host.leave();
        drop(started);
        host.wait_for_end();
    }
}

#[test]
fn whoever_connects_or_starts_gets_a_host_however_fast_hosts_end() {
    let dir = TempDir::new();
    let args = ["host", path_str(&dir), "detached"];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let runtime = dir.runtime();
                    let host = HostConnection::connect_or_start(&runtime, Path::new(PROBE), &args);
                    host.unwrap();
                }
            });
        }
    });
    let args = ["host", path_str(&dir), "detached"];
    HostConnection::connect_or_start(&dir.runtime(), Path::new(PROBE), &args).unwrap();
}

#[test]
fn a_host_that_cannot_run_says_why() {
    let dir = TempDir::new();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    match start_detached(Path::new(PROBE), ["host", path_str(&dir), "detached"]) {
        Err(StartError::Refused(why)) => assert_eq!(
            why,
            format!(
                "runtime directory {} is open to others (mode 0755); run chmod 700 on it",
                path_str(&dir)
            )
        ),
        other => panic!("{other:?}"),
    }
    let silent = start_detached(Path::new("/bin/true"), [""; 0]);
    assert!(matches!(silent, Err(StartError::Refused(_))), "{silent:?}");
    let missing = start_detached(Path::new("/no/such/program"), [""; 0]);
    assert!(matches!(missing, Err(StartError::Program(_))), "{missing:?}");
}

#[test]
fn another_version_gets_a_clear_answer() {
    let host = Host::start();
    let socket = support::raw_connect(&host.dir);
    let (bytes, _) =
        hither_host::wire::encode_to_host(&ToHost::<u8>::Hello { version: 999 }).unwrap();
    rustix::net::send(&socket, &bytes, rustix::net::SendFlags::empty()).unwrap();
    let mut answer = [0; 100];
    wait_readable(&socket);
    let (len, _) =
        rustix::net::recv(&socket, &mut answer, rustix::net::RecvFlags::empty()).unwrap();
    let message = hither_host::wire::decode_from_host::<u8>(&answer[..len], Vec::new()).unwrap();
    assert_eq!(message, hither_host::FromHost::WrongVersion { version: 1 });
    wait_readable(&socket);
    let (len, _) =
        rustix::net::recv(&socket, &mut answer, rustix::net::RecvFlags::empty()).unwrap();
    assert_eq!(len, 0, "the connection has ended");
    let text = ClientError::Version { host: 7, own: 1 }.to_string();
    assert!(text.contains("version 7") && text.contains("version 1"), "{text}");
}

#[test]
fn socket_and_lock_are_for_the_user_alone() {
    let host = Host::start();
    for name in ["host.sock", "host.lock"] {
        let mode = host.dir.path().join(name).metadata().unwrap().mode() & 0o077;
        assert_eq!(mode, 0, "{name}");
    }
}
