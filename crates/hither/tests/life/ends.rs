//! Ends of sessions: nothing is left of one that was closed, and nothing is taken too early.

use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use serde_json::{Value, json};

use crate::place::{Gateway, PATIENCE};

/// Processes of a session, by what they were called.
pub(crate) struct Family(Vec<(String, OwnedFd)>);

impl Family {
    /// Starts a session with a script that says `name pid` of each of `count` processes on
    /// descriptor 9, and that ends none of them before this returns.
    pub(crate) fn start(
        gateway: &Gateway,
        on_close: Option<&str>,
        count: usize,
        script: &str,
    ) -> (String, Self) {
        let fifo = gateway.fifo();
        let script = format!("exec 9>{}; {script}", fifo.display());
        let mut body = json!({ "command": ["/bin/sh", "-c", script], "cwd": "/" });
        if let Some(on_close) = on_close {
            body["onClose"] = on_close.into();
        }
        let created = gateway.post("/api/sessions", &body);
        assert_eq!(created.0, 201, "{created:?}");
        let id = created.1["id"].as_str().unwrap().to_owned();
        let lines = BufReader::new(std::fs::File::open(fifo).unwrap()).lines();
        let family = lines.take(count).map(|line| {
            let line = line.unwrap();
            let (name, pid) = line.split_once(' ').unwrap();
            let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
            (name.to_owned(), pidfd_open(pid, PidfdFlags::empty()).unwrap())
        });
        let family: Vec<_> = family.collect();
        assert_eq!(family.len(), count);
        (id, Self(family))
    }

    /// Waits until all have ended.
    pub(crate) fn expect_end(&self) {
        for (name, pidfd) in &self.0 {
            let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
            let time = Timespec::try_from(PATIENCE).unwrap();
            assert_eq!(poll(&mut fds, Some(&time)).unwrap(), 1, "{name} lives");
        }
    }

    pub(crate) fn alive(&self) -> Vec<&str> {
        let lives = |pidfd: &OwnedFd| {
            let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
            poll(&mut fds, Some(&Timespec::default())).unwrap() == 0
        };
        self.0.iter().filter(|(_, pidfd)| lives(pidfd)).map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn kill(&self) {
        for (_, pidfd) in &self.0 {
            rustix::process::pidfd_send_signal(pidfd, Signal::KILL).ok();
        }
    }
}

/// Every way known to us to outlive a hang-up (row S05): ignored signals, nohup, a double fork,
/// sessions of their own, a stopped process, a background group.
pub(crate) const STUBBORN: &str = "\
    trap '' HUP TERM; \
    sleep 1000 & echo ignores $! >&9; \
    nohup sleep 1000 >/dev/null 2>&1 & echo nohup $! >&9; \
    (sleep 1000 & echo orphan $! >&9); \
    setsid sh -c 'echo setsid $$ >&9; exec sleep 1000' & \
    (setsid sh -c '(sleep 1000 & echo daemon $! >&9)'); \
    sh -c 'echo stopped $$ >&9; kill -STOP $$; sleep 1000' & \
    set -m; sleep 1000 & echo group $! >&9; ";

fn status(gateway: &Gateway, id: &str) -> Value {
    gateway.get(&format!("/api/sessions/{id}")).1
}

fn wait_for_exit(gateway: &Gateway, id: &str) -> Value {
    loop {
        let session = status(gateway, id);
        if session["status"] == "exited" {
            return session;
        }
        std::thread::yield_now();
    }
}

/// Row S05: after a close, every process is gone.
#[test]
fn a_closed_session_leaves_no_process() {
    let gateway = Gateway::start(&[]);
    let script = format!("{STUBBORN} echo leader $$ >&9; sleep 1000");
    let (id, family) = Family::start(&gateway, None, 8, &script);
    assert_eq!(family.alive().len(), 8);
    assert_eq!(gateway.delete(&format!("/api/sessions/{id}")).0, 200);
    family.expect_end();
    assert_eq!(status(&gateway, &id)["code"], "session_not_found");
}

/// Row S05: the kill of a leader leaves its jobs alive; a close ends them.
#[test]
fn the_jobs_of_a_killed_leader_end_with_the_session() {
    let gateway = Gateway::start(&[]);
    let go = gateway.fifo();
    let script = format!("{STUBBORN} read go <{}; kill -KILL $$", go.display());
    let (id, family) = Family::start(&gateway, None, 7, &script);
    std::fs::write(&go, "go\n").unwrap();
    let session = wait_for_exit(&gateway, &id);
    assert_eq!(session["exitSignal"], "SIGKILL", "{session}");
    let stubborn = ["ignores", "nohup", "orphan", "setsid", "daemon", "group"];
    let alive = family.alive();
    assert!(stubborn.iter().all(|name| alive.contains(name)), "{alive:?}");
    assert_eq!(gateway.delete(&format!("/api/sessions/{id}")).0, 200);
    family.expect_end();
}

/// Row S04: a daemon that keeps the terminal open does not keep the session running; what becomes
/// of it is a matter of policy.
#[test]
fn what_is_left_behind_gets_what_the_session_says() {
    let gateway = Gateway::start(&["--on-close", "keep"]);
    for (on_close, after_exit, after_close) in [
        (Some("hup"), &["daemon"][..], &[][..]),
        (Some("kill"), &[], &[]),
        (Some("keep"), &["daemon", "job"], &["daemon", "job"]),
        (None, &["daemon", "job"], &["daemon", "job"]),
    ] {
        let (up, go) = (gateway.fifo(), gateway.fifo());
        let script = format!(
            "setsid sh -c 'echo daemon $$ >&9; echo up >{0}; exec sleep 1000' & read up <{0}; \
             set -m; sleep 1000 & echo job $! >&9; read go <{1}; exit 5",
            up.display(),
            go.display()
        );
        let (id, family) = Family::start(&gateway, on_close, 2, &script);
        // Not before they are known: they may end at once.
        std::fs::write(&go, "go\n").unwrap();
        assert_eq!(wait_for_exit(&gateway, &id)["exitCode"], 5, "{on_close:?}");
        wait_until(|| same(&family.alive(), after_exit));
        assert_eq!(gateway.delete(&format!("/api/sessions/{id}")).0, 200);
        wait_until(|| same(&family.alive(), after_close));
        family.kill();
    }
    let odd = json!({ "command": ["true"], "onClose": "never" });
    assert_eq!(gateway.post("/api/sessions", &odd).1["code"], "invalid_on_close");
}

fn same(found: &[&str], expected: &[&str]) -> bool {
    let mut found = found.to_vec();
    found.sort_unstable();
    found == expected
}

pub(crate) fn wait_until(holds: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "it does not come");
        std::thread::yield_now();
    }
}

/// Row K08: everything is stopped, and nothing is left: no process, no socket.
#[test]
fn kill_all_ends_everything() {
    let mut gateway = Gateway::start(&[]);
    let script = format!("{STUBBORN} echo host $PPID >&9; sleep 1000");
    let (_, stubborn) = Family::start(&gateway, None, 8, &script);
    let killed = gateway.hither(&["kill", "--all"]);
    assert!(killed.status.success(), "{killed:?}");
    assert_eq!(gateway.get("/api/sessions").1, json!([]));
    gateway.signal(Signal::TERM);
    let (code, farewell) = gateway.wait();
    assert_eq!((code, farewell.contains("no session lives on")), (Some(0), true), "{farewell}");
    // The host is among them: it ends when the last of them has.
    stubborn.expect_end();
    for socket in ["host.sock", "gateway.sock", "metrics.sock"] {
        assert!(!gateway.run_dir().join(socket).exists(), "{socket}");
    }
}

/// Row S06 in its short form; `HITHER_SHORT_SESSIONS=10000` is the long one.
#[test]
fn short_sessions_leave_no_zombie_and_no_descriptor() {
    let gateway = Gateway::start(&[]);
    let count = std::env::var("HITHER_SHORT_SESSIONS").ok().and_then(|count| count.parse().ok());
    let count: usize = count.unwrap_or(400);
    let keeper = gateway.session("cat").to_string();
    let pid = gateway.pid().as_raw_nonzero();
    let descriptors = || std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let before = descriptors();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..count / 4 {
                    let id = gateway.session("(exit 3 &) ; exit 7").to_string();
                    assert_eq!(wait_for_exit(&gateway, &id)["exitCode"], 7);
                    assert_eq!(gateway.delete(&format!("/api/sessions/{id}")).0, 200);
                }
            });
        }
    });
    wait_until(|| descriptors() <= before);
    let host = host_of(&gateway, &keeper);
    let children = || {
        let children = std::fs::read_to_string(format!("/proc/{host}/task/{host}/children"));
        children.unwrap().split_ascii_whitespace().count()
    };
    // Only the one session that goes on.
    wait_until(|| children() == 1);
}

/// The process that has started a session that runs.
fn host_of(gateway: &Gateway, id: &str) -> u32 {
    let leader = gateway.leader(id);
    let stat = std::fs::read_to_string(format!("/proc/{leader}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Without a gateway, all sessions are hung up before any of them has ended: the first one ends when
/// it hears of the second, and would be killed before that if it were the second's turn only then.
#[test]
fn kill_all_without_a_gateway_ends_all_at_once() {
    let mut gateway = Gateway::start(&[]);
    let (meeting, said, up) = (gateway.fifo(), gateway.fifo(), gateway.fifo());
    let [meeting, said, up] = [&meeting, &said, &up].map(|path| path.display().to_string());
    let wait = format!("echo up >{up}; while :; do sleep 1000 & wait $!; done");
    let first = format!("trap 'read word <{meeting}; echo $word >{said}; exit' HUP; {wait}");
    let second = format!("trap 'echo met >{meeting}; exit' HUP; {wait}");
    for script in [first, second] {
        gateway.session(&script);
        assert_eq!(std::fs::read_to_string(&up).unwrap(), "up\n");
    }
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.wait().0, Some(0));
    let killing = std::thread::scope(|scope| {
        let killing = scope.spawn(|| gateway.hither(&["kill", "--all"]));
        assert_eq!(std::fs::read_to_string(&said).unwrap(), "met\n");
        killing.join().unwrap()
    });
    assert!(killing.status.success(), "{killing:?}");
    assert_eq!(killing.stdout.iter().filter(|&&byte| byte == b'\n').count(), 2);
}
