//! The system has no more of something: errors that say so, and all is well again afterwards.

use std::io::Read as _;
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::ends::wait_until;
use crate::place::{Gateway, HITHER, PATIENCE, health, read_answer};
use crate::watcher::{COUNTER, Told, Watcher};

/// A gateway that is started by way of a shell script, in which `$@` is its command.
pub(crate) fn start_by(script: &str, args: &[&str]) -> Gateway {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "sh", HITHER, "serve", "--port", "0", "--runtime-dir"]);
    command.arg(folder.path().join("run")).args(args);
    Gateway::spawn(folder, &mut command)
}

/// What this process may not do in this place cannot be shown there.
pub(crate) fn can(script: &str) -> bool {
    let mut command = Command::new("/bin/sh");
    let run = command.args(["-c", script]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}

fn create(gateway: &Gateway) -> (u16, serde_json::Value) {
    gateway.post("/api/sessions", &json!({ "command": ["sleep", "1000"], "cwd": "/" }))
}

/// Row R07: connections use the descriptors up; sessions go on, and all is well afterwards.
#[test]
fn without_descriptors_connections_are_refused_and_sessions_go_on() {
    let gateway = start_by("ulimit -n 96; exec \"$@\"", &[]);
    let id = gateway.session(COUNTER);
    let watcher = Watcher::start(gateway.server(), id, 1);
    watcher.wait_for(&Told::Going);
    let crowd: Vec<_> = (0..90).map(|_| TcpStream::connect(gateway.address).unwrap()).collect();
    // Those that found no descriptor are told so; the last came when there was none.
    let refused = crowd.iter().rev().any(|socket| {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = [0; 12];
        let read = (&*socket).read(&mut answer);
        matches!(read, Ok(12)) && answer == *b"HTTP/1.1 503"
    });
    assert!(refused);
    // Each failure to accept sends somebody away: a gateway that only tries again has far more.
    let log = std::fs::read_to_string(gateway.folder.path().join("log")).unwrap();
    let failures = log.lines().filter(|line| line.contains("accepting failed")).count();
    assert!((1..=crowd.len()).contains(&failures), "{failures} failures to accept");
    drop(crowd);
    // Who comes while the crowd is still being sent away is sent away too.
    wait_until(|| health(gateway.address).is_ok_and(|line| line == "HTTP/1.1 200 OK"));
    assert!(gateway.hits("accept") > 0);
    let (status, session) = create(&gateway);
    assert_eq!(status, 201, "{session}");
    let told: Vec<_> = watcher.told.try_iter().collect();
    assert_eq!(told, [], "the viewer has noticed something");
    watcher.finish();
}

/// Starts sessions until that is refused, of fewer than `max`; what the refusal says.
fn fill(
    ids: &mut Vec<String>,
    max: usize,
    start: impl Fn() -> (u16, serde_json::Value),
) -> serde_json::Value {
    loop {
        match start() {
            (201, session) => ids.push(session["id"].as_str().unwrap().to_owned()),
            (status, problem) => {
                assert_eq!(status, 503, "{problem}");
                return problem;
            }
        }
        assert!(ids.len() < max);
    }
}

/// Row R07, the other way: sessions use the descriptors up.
#[test]
fn without_descriptors_no_session_is_started_and_none_is_lost() {
    let gateway = start_by("ulimit -n 96; exec \"$@\"", &[]);
    let mut ids = Vec::new();
    let problem = fill(&mut ids, 96, || create(&gateway));
    assert_eq!(problem["code"], "file_limit", "{problem}");
    assert_eq!(gateway.hits("file_limit"), 1);
    for id in &ids {
        let session = gateway.get(&format!("/api/sessions/{id}")).1;
        assert_eq!(session["status"], "running", "{session}");
    }
    for id in ids.drain(..).take(3) {
        assert_eq!(gateway.delete(&format!("/api/sessions/{id}")).0, 200);
    }
    // The host forgets a session when its processes have ended.
    while create(&gateway).0 != 201 {
        std::thread::yield_now();
    }
}

/// Row R08: no pseudo-terminal is left.
#[test]
fn without_terminals_no_session_is_started_and_the_others_go_on() {
    const FEW: &str = "mount -t devpts -o newinstance,max=4,ptmxmode=0666 devpts /dev/pts";
    if !can(&format!("unshare -m sh -c '{FEW}'")) {
        return eprintln!("not shown: this process may not mount");
    }
    let gateway = start_by(&format!("exec unshare -m sh -c '{FEW} && exec \"$@\"' sh \"$@\""), &[]);
    let ids: Vec<_> = (0..4).map(|_| gateway.session("exec cat")).collect();
    let (status, problem) = create(&gateway);
    assert_eq!((status, &problem["code"]), (503, &"pty_limit".into()), "{problem}");
    let cure = "the system has no more terminals: end sessions, or raise kernel.pty.max";
    assert_eq!(problem["detail"], cure);
    assert_eq!(gateway.hits("pty_limit"), 1);
    for id in &ids {
        let typed = gateway.post(&format!("/api/sessions/{id}/input"), &json!({ "data": "x" }));
        assert_eq!(typed.0, 200, "{typed:?}");
    }
    assert_eq!(gateway.delete(&format!("/api/sessions/{}", ids[0])).0, 200);
    while create(&gateway).0 != 201 {
        std::thread::yield_now();
    }
}

/// Row R09: no process is left.
#[test]
fn without_processes_no_session_is_started_and_nothing_is_left() {
    // The limit does not hold for root, so the gateway runs as a user that has no other process.
    const FEW: &str = "chown -R 60123:60123 \"$(dirname \"$6\")\" && \
                       exec setpriv --reuid=60123 --regid=60123 --clear-groups \
                       prlimit --nproc=12 \"$@\"";
    if !can("setpriv --reuid=60123 --regid=60123 --clear-groups true") {
        return eprintln!("not shown: this process may not become another user");
    }
    let gateway = start_by(FEW, &["--workers", "1"]);
    // On the Unix socket only that user is let in.
    let ask = |method: &str, path: &str, body: &str| read_answer(&gateway.tcp(method, path, body));
    let start = || ask("POST", "/api/sessions", r#"{"command":["sleep","1000"],"cwd":"/"}"#);
    let mut ids = Vec::new();
    let problem = fill(&mut ids, 12, start);
    assert_eq!(problem["code"], "process_limit", "{problem}");
    assert_eq!(gateway.hits("process_limit"), 1);
    assert_eq!(ask("DELETE", &format!("/api/sessions/{}", ids.remove(0)), "").0, 200);
    loop {
        if let (201, session) = start() {
            ids.push(session["id"].as_str().unwrap().to_owned());
            break;
        }
    }
    for id in ids {
        assert_eq!(ask("DELETE", &format!("/api/sessions/{id}"), "").0, 200);
    }
}

/// Row R10: memory ends. Either the gateway says so, or it alone dies; no session is lost.
#[test]
fn without_memory_no_session_is_started_and_none_is_lost() {
    use rustix::process::{Resource, Rlimit, prlimit};
    let gateway = Gateway::start(&["--history-bytes", "16MiB"]);
    let id = gateway.session(COUNTER);
    let watcher = Watcher::start(gateway.server(), id, 1);
    watcher.wait_for(&Told::Going);
    let path = format!("/proc/{}/status", gateway.pid().as_raw_nonzero());
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    let used: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    // Enough for two sessions, and for everything else that is small.
    let room = Rlimit { current: Some((used << 10) + (40 << 20)), maximum: None };
    let before = prlimit(Some(gateway.pid()), Resource::As, room).unwrap();
    let mut ids = vec![id.to_string()];
    let problem = fill(&mut ids, 10, || create(&gateway));
    assert_eq!(problem["code"], "memory_limit", "{problem}");
    assert_eq!(gateway.hits("memory_limit"), 1);
    for id in &ids {
        assert_eq!(gateway.get(&format!("/api/sessions/{id}")).1["status"], "running");
    }
    assert_eq!(gateway.delete(&format!("/api/sessions/{}", ids[1])).0, 200);
    while create(&gateway).0 != 201 {
        std::thread::yield_now();
    }
    prlimit(Some(gateway.pid()), Resource::As, before).unwrap();
    assert_eq!(create(&gateway).0, 201);
    let told: Vec<_> = watcher.told.try_iter().collect();
    assert_eq!(told, [], "the viewer has noticed something");
    watcher.finish();
}

/// Row K13 without recordings: the disk with the gateway's state is full. Sessions go on, and new
/// ones start; a gateway can be replaced, killed and started; what the audit log misses it says
/// when there is room again.
#[test]
fn on_a_full_disk_sessions_go_on_and_a_gateway_starts() {
    const SMALL: &str = "mount -t tmpfs -o size=256k,mode=700 tmpfs";
    if !can(&format!("unshare -m {SMALL} /mnt")) {
        return eprintln!("not shown: this process may not mount");
    }
    let script = format!(
        "disk=$(dirname \"$6\")/disk; mkdir \"$disk\"; \
         exec unshare -m sh -c '{SMALL} '\"$disk\"' && exec \"$@\"' sh \"$@\" --state-dir \"$disk/state\""
    );
    let gateway = start_by(&script, &[]);
    let id = gateway.session(COUNTER);
    let watcher = Watcher::start(gateway.server(), id, 1);
    watcher.wait_for(&Told::Going);
    // Only within the gateway's namespace is the disk seen.
    let root = format!("/proc/{}/root", gateway.pid().as_raw_nonzero());
    let disk = format!("{root}{}", gateway.folder.path().join("disk").display());
    let fill = format!("{disk}/fill");
    assert!(!can(&format!("head -c 1000000 /dev/zero >{fill}")), "the disk is full");
    // The last page of the log has room for a few more records.
    let log = || std::fs::read_to_string(gateway.folder.path().join("log")).unwrap();
    while !log().contains("writing the audit log") {
        let (status, session) = create(&gateway);
        assert_eq!(status, 201, "{session}");
        let id = session["id"].as_str().unwrap();
        assert_eq!(gateway.delete(&format!("/api/sessions/{id}")).0, 200);
    }
    let upgraded = gateway.hither(&["upgrade"]);
    assert!(upgraded.status.success(), "{upgraded:?}");
    watcher.wait_for(&Told::Away(Some(hither_protocol::websocket::CloseCode::RESTART)));
    watcher.wait_for(&Told::Going);
    assert!(log().contains("the start is not in the audit log"));
    std::fs::remove_file(fill).unwrap();
    assert_eq!(create(&gateway).0, 201);
    let audit = format!("{disk}/state/audit.jsonl");
    wait_until(|| std::fs::read_to_string(&audit).unwrap().contains("records-lost"));
    let told: Vec<_> = watcher.told.try_iter().collect();
    assert_eq!(told, [], "nobody else was disturbed");
    watcher.finish();
}
