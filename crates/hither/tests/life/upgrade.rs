//! `hither upgrade`, SIGHUP and SIGUSR2: the program changes, nobody loses anything.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use hither_protocol::websocket::CloseCode;
use rustix::process::Signal;

use crate::ends::wait_until;
use crate::place::{Gateway, HITHER, health};
use crate::watcher::{COUNTER, Told, Watcher};

/// Clients that connect, ask and leave, over and over.
struct Storm {
    over: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Storm {
    fn start(gateway: &Gateway) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicU64::new(0));
        let address = gateway.address;
        let threads = (0..2).map(|_| {
            let (over, asked) = (Arc::clone(&over), Arc::clone(&asked));
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let answer = health(address).unwrap();
                    assert_eq!(answer, "HTTP/1.1 200 OK");
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let threads = threads.collect();
        Self { over, asked, threads }
    }

    /// Ends it; how many requests were answered, which is all of them.
    fn finish(self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        self.asked.load(Ordering::Relaxed)
    }
}

fn generation(gateway: &Gateway) -> u64 {
    gateway.get("/api/server/status").1["generation"].as_u64().unwrap()
}

fn script(gateway: &Gateway, name: &str, text: &str) -> PathBuf {
    let path = gateway.folder.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn upgrade_to(gateway: &Gateway, program: &Path) -> (Option<i32>, String) {
    let run = gateway.hither(&["upgrade", "--to", program.to_str().unwrap()]);
    let text = [run.stdout, run.stderr].concat();
    (run.status.code(), String::from_utf8(text).unwrap())
}

/// Row K06: upgrades under load, to another file and back.
#[test]
fn nothing_is_lost_and_nobody_refused_while_the_program_changes_twenty_times() {
    let gateway = Gateway::start(&["--history-bytes", "16MiB"]);
    let pid = gateway.pid();
    let sessions = [gateway.session(COUNTER), gateway.session(COUNTER)];
    let watchers: Vec<_> = (0..4)
        .map(|at| Watcher::start(gateway.server(), sessions[at % 2], 1 + at as u64))
        .collect();
    for watcher in &watchers {
        watcher.wait_for(&Told::Going);
    }
    let storm = Storm::start(&gateway);
    let other = script(&gateway, "other", &format!("#!/bin/sh\nexec {HITHER} \"$@\"\n"));
    for round in 1..=20 {
        let program = if round % 2 == 1 { other.as_path() } else { Path::new(HITHER) };
        let (code, said) = upgrade_to(&gateway, program);
        assert_eq!(code, Some(0), "round {round}: {said}");
        assert!(said.contains("running sessions: 2"), "round {round}: {said}");
        for watcher in &watchers {
            watcher.wait_for(&Told::Away(Some(CloseCode::RESTART)));
            watcher.wait_for(&Told::Going);
        }
        assert_eq!(generation(&gateway), round + 1);
    }
    let requests = storm.finish();
    let seen: Vec<u64> = watchers.into_iter().map(Watcher::finish).collect();
    assert!(requests > 20 && seen.iter().all(|&seen| seen > 20), "{requests} {seen:?}");
    assert_eq!(gateway.pid(), pid);
    assert_eq!(gateway.get("/api/server/status").1["pid"], pid.as_raw_nonzero().get());
}

#[test]
fn signals_upgrade_to_the_file_that_was_started() {
    let mut gateway = Gateway::start(&[]);
    let id = gateway.session(COUNTER);
    let watcher = Watcher::start(gateway.server(), id, 1);
    for (round, signal) in [Signal::HUP, Signal::USR2, Signal::HUP].into_iter().enumerate() {
        watcher.wait_for(&Told::Going);
        gateway.signal(signal);
        watcher.wait_for(&Told::Away(Some(CloseCode::RESTART)));
        watcher.wait_for(&Told::Attached);
        assert_eq!(generation(&gateway), round as u64 + 2);
    }
    watcher.finish();
    gateway.signal(Signal::TERM);
    let (code, farewell) = gateway.wait();
    assert_eq!((code, farewell.contains("1 session lives on")), (Some(0), true), "{farewell}");
}

/// Waits until the gateway has written this to its log so many times.
fn wait_for_log(gateway: &Gateway, words: &str, times: usize) {
    let log = gateway.folder.path().join("log");
    wait_until(|| fs::read_to_string(&log).unwrap().matches(words).count() >= times);
}

/// The file may be another one by the time of the second signal, so that is not forgotten.
#[test]
fn a_signal_while_a_gateway_leaves_for_its_successor_is_for_the_successor() {
    let mut gateway = Gateway::start(&[]);
    let watcher = Watcher::start(gateway.server(), gateway.session(COUNTER), 1);
    watcher.wait_for(&Told::Going);
    let slow = gateway.hold_up();
    gateway.signal(Signal::USR2);
    wait_for_log(&gateway, "stopping upgrade=true", 1);
    gateway.signal(Signal::USR2);
    wait_for_log(&gateway, "it is for the successor", 1);
    drop(slow);
    wait_until(|| generation(&gateway) == 3);
    watcher.wait_for(&Told::Going);
    watcher.finish();
    // One that is told to stop meanwhile has no successor.
    let slow = gateway.hold_up();
    gateway.signal(Signal::USR2);
    wait_for_log(&gateway, "stopping upgrade=true", 3);
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.wait().0, Some(128 + 15));
    drop(slow);
    let listed = String::from_utf8(gateway.hither(&["ls"]).stdout).unwrap();
    assert_eq!(listed.matches("  running  ").count(), 1, "{listed}");
}

#[test]
fn a_signal_during_a_trial_is_followed_when_the_trial_is_through() {
    let gateway = Gateway::start(&[]);
    // Its trial waits for a word.
    let gate = gateway.fifo();
    let text = format!(
        "#!/bin/sh\n[ \"$HITHER_SUCCESSOR\" = trial ] && read word <{}\nexec {HITHER} \"$@\"\n",
        gate.display()
    );
    let patient = script(&gateway, "patient", &text);
    std::thread::scope(|scope| {
        let upgraded = scope.spawn(|| upgrade_to(&gateway, &patient));
        wait_for_log(&gateway, "trying a successor", 1);
        gateway.signal(Signal::USR2);
        wait_for_log(&gateway, "it follows the one under way", 1);
        fs::write(&gate, "go\n").unwrap();
        assert_eq!(upgraded.join().unwrap().0, Some(0));
    });
    wait_until(|| generation(&gateway) == 3);
}

#[test]
fn a_launch_secret_and_a_login_outlive_an_upgrade() {
    let gateway = Gateway::start(&[]);
    let secret = gateway.secret.clone();
    assert_eq!(upgrade_to(&gateway, Path::new(HITHER)).0, Some(0));
    let body = serde_json::json!({ "secret": secret });
    let launched = gateway.post("/api/auth/launch", &body);
    assert_eq!(launched.0, 204, "{launched:?}");
    assert_eq!(upgrade_to(&gateway, Path::new(HITHER)).0, Some(0));
    let again = gateway.post("/api/auth/launch", &body);
    assert_eq!((again.0, &again.1["code"]), (401, &"launch_refused".into()), "{again:?}");
}

#[test]
fn what_a_session_is_called_outlives_an_upgrade() {
    let gateway = Gateway::start(&[]);
    let id = gateway.session("printf '\\033]0;a new name\\007'; exec cat");
    let title = || gateway.get(&format!("/api/sessions/{id}")).1["title"].clone();
    while title() != "a new name" {
        std::thread::yield_now();
    }
    assert_eq!(upgrade_to(&gateway, Path::new(HITHER)).0, Some(0));
    assert_eq!(title(), "a new name");
}

/// Row K06: a program that cannot start leaves the old one where it is.
#[test]
fn a_bad_program_changes_nothing() {
    let gateway = Gateway::start(&[]);
    let id = gateway.session(COUNTER);
    let watcher = Watcher::start(gateway.server(), id, 1);
    watcher.wait_for(&Told::Going);
    let missing = gateway.folder.path().join("missing");
    let no_program = gateway.folder.path().join("no-program");
    fs::write(&no_program, "text").unwrap();
    let crashes = script(&gateway, "crashes", "#!/bin/sh\nkill -SEGV $$\n");
    let refuses = script(&gateway, "refuses", "#!/bin/sh\necho 'hither: no luck' >&2\nexit 78\n");
    // Another version would say so, as this does about what it was left.
    let other = format!(
        "#!/bin/sh\nsed 's/\"form\":1/\"form\":9/' >{0}/left\nexec {HITHER} \"$@\" <{0}/left\n",
        gateway.folder.path().display()
    );
    let other = script(&gateway, "other-version", &other);
    for (program, word) in [
        (&missing, "cannot be executed: No such file"),
        (&no_program, "cannot be executed: Permission denied"),
        (&crashes, "it ended without a word"),
        (&refuses, "cannot take over: hither: no luck"),
        (&other, "hands over in form 9, expected 1"),
        (&PathBuf::from("/bin/true"), "it ended without a word"),
    ] {
        let (code, said) = upgrade_to(&gateway, program);
        assert_eq!(code, Some(77), "{said}");
        assert!(said.contains(word) && said.contains("goes on as it was"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert_eq!(generation(&gateway), 1);
    let told: Vec<_> = watcher.told.try_iter().collect();
    assert_eq!(told, [], "the viewer has noticed something");
    watcher.finish();
}

#[test]
fn there_is_one_upgrade_at_a_time_and_a_program_that_hangs_is_given_up() {
    let mut gateway = Gateway::start(&[]);
    let started = gateway.folder.path().join("started");
    rustix::fs::mkfifoat(rustix::fs::CWD, &started, rustix::fs::Mode::RWXU).unwrap();
    let text = format!("#!/bin/sh\necho up >{}\nsleep 1000\n", started.display());
    let hangs = script(&gateway, "hangs", &text);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| upgrade_to(&gateway, &hangs));
        assert_eq!(fs::read_to_string(&started).unwrap(), "up\n");
        let (code, said) = upgrade_to(&gateway, Path::new(HITHER));
        assert_eq!(code, Some(77), "{said}");
        assert!(said.contains("another upgrade is under way"), "{said}");
        assert_eq!(health(gateway.address).unwrap(), "HTTP/1.1 200 OK");
        let (code, said) = first.join().unwrap();
        assert_eq!(code, Some(77), "{said}");
        assert!(said.contains("did not get ready within 10 s"), "{said}");
    });
    assert_eq!(upgrade_to(&gateway, Path::new(HITHER)).0, Some(0));
    // A gateway that is told to stop does not wait for a trial.
    fs::write(gateway.folder.path().join("wish"), "").unwrap();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| upgrade_to(&gateway, &hangs));
        assert_eq!(fs::read_to_string(&started).unwrap(), "up\n");
        gateway.signal(Signal::TERM);
        assert_ne!(asked.join().unwrap().0, Some(0));
    });
    assert_eq!(gateway.wait().0, Some(0));
}

#[test]
fn an_upgrade_is_for_the_unix_socket_and_an_absolute_path() {
    let gateway = Gateway::start(&[]);
    let refused = gateway.post("/api/server/upgrade", &serde_json::json!({ "program": "hither" }));
    assert_eq!((refused.0, &refused.1["code"]), (400, &"invalid_program".into()));
    let answer = gateway.tcp("POST", "/api/server/upgrade", "{}");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("unix_socket_only"), "{answer}");
    assert_eq!(generation(&gateway), 1);
}

/// A program of another version: this one, in whose texts the version is another.
fn other_version(gateway: &Gateway) -> PathBuf {
    let mut bytes = fs::read(HITHER).unwrap();
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let other: Vec<u8> =
        version.iter().map(|&byte| if byte == b'0' { b'9' } else { byte }).collect();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(version.len()).position(|piece| piece == version) {
        at += found;
        bytes[at..at + version.len()].copy_from_slice(&other);
    }
    let path = gateway.folder.path().join("hither-other-version");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Row K06: N to N + 1 and back, as two programs that are not the same file.
#[test]
fn a_program_of_another_version_takes_over_and_gives_back() {
    let gateway = Gateway::start(&["--history-bytes", "16MiB"]);
    let other = other_version(&gateway);
    let version = || gateway.get("/api/config").1["version"].as_str().unwrap().to_owned();
    let (own, next) = (version(), env!("CARGO_PKG_VERSION").replace('0', "9"));
    let watcher = Watcher::start(gateway.server(), gateway.session(COUNTER), 1);
    for (program, expected) in [(other.as_path(), &next), (Path::new(HITHER), &own)] {
        watcher.wait_for(&Told::Going);
        let (code, said) = upgrade_to(&gateway, program);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(expected.as_str()), "{said}");
        watcher.wait_for(&Told::Away(Some(CloseCode::RESTART)));
        assert_eq!(&version(), expected);
    }
    watcher.wait_for(&Told::Going);
    watcher.finish();
}

/// Row K06, wrong version: a program that does not understand the PTY host stays out, and says what
/// to do; so does one that is started by hand beside the sessions.
#[test]
fn a_program_that_speaks_to_another_host_is_refused() {
    let mut gateway = Gateway::start(&[]);
    let id = gateway.session(COUNTER);
    let watcher = Watcher::start(gateway.server(), id, 1);
    watcher.wait_for(&Told::Going);
    let text = format!("#!/bin/sh\nHITHER_MUTANT=other-host exec {HITHER} \"$@\"\n");
    let strange = script(&gateway, "strange", &text);
    let (code, said) = upgrade_to(&gateway, &strange);
    assert_eq!(code, Some(77), "{said}");
    let cure = "end its sessions with the program that started it, then try again";
    assert!(said.contains(cure) && said.contains("goes on as it was"), "{said}");
    assert_eq!(generation(&gateway), 1);
    let told: Vec<_> = watcher.told.try_iter().collect();
    assert_eq!(told, [], "the viewer has noticed something");
    watcher.finish();
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.wait().0, Some(0));
    let mut serve = std::process::Command::new(&strange);
    serve.args(["serve", "--port", "0", "--runtime-dir"]).arg(gateway.run_dir());
    let refused =
        serve.env("XDG_STATE_HOME", gateway.folder.path().join("state")).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains(cure), "{said}");
    // The program that started it still can.
    let list = gateway.hither(&["ls"]);
    assert!(String::from_utf8(list.stdout).unwrap().contains(&id.to_string()));
}
