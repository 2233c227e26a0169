//! What a session's program starts with, and what it does not: rows P01 to P07.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::gateway::Gateway;

/// The value of a line of proc_pid_status(5).
fn status_line<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {status}")).trim()
}

#[test]
fn p01_a_child_has_the_identity_of_the_gateway_and_nothing_more() {
    let gateway = Gateway::start();
    let child = gateway.output_of("cat /proc/$$/status");
    let own = fs::read_to_string(format!("/proc/{}/status", gateway.pid())).unwrap();
    for name in ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status_line(&child, name), status_line(&own, name), "{name}");
    }
    // sudo and the like work in a session as they do anywhere.
    for name in ["NoNewPrivs", "Seccomp"] {
        assert_eq!(status_line(&child, name), status_line(&own, name), "{name}");
    }
}

/// Answers the descriptors above the standard three, up to 300, without opening one.
const EXTRA: &str = "n=3; extra=; while [ $n -lt 300 ]; do \
    [ -e /proc/$$/fd/$n ] && extra=\"$extra $n\"; n=$((n + 1)); done";

#[test]
fn p02_a_child_has_three_descriptors_and_all_are_its_terminal() {
    let gateway = Gateway::start();
    let links = "readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2";
    let id = gateway
        .session(&format!("links=$({links}); tty >tty; {EXTRA}; echo \"$links$extra\" >out"));
    gateway.finish(&id);
    let read = |name: &str| fs::read_to_string(gateway.folder().join(name)).unwrap();
    let tty = read("tty");
    assert!(tty.starts_with("/dev/pts/"), "{tty}");
    assert_eq!(read("out"), tty.repeat(3));
}

#[test]
fn p03_children_that_start_together_have_nothing_of_each_other() {
    const COUNT: usize = 200;
    let gateway = Gateway::start();
    let script = format!("{EXTRA}; echo \"only$extra\" >n.$HITHER_SESSION");
    let start = || (0..COUNT / 8).map(|_| gateway.session(&script)).collect();
    let ids: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        threads.into_iter().flat_map(|thread| -> Vec<String> { thread.join().unwrap() }).collect()
    });
    assert_eq!(ids.len(), COUNT);
    for id in &ids {
        gateway.finish(id);
        let found = fs::read_to_string(gateway.folder().join(format!("n.{id}"))).unwrap();
        assert_eq!(found, "only\n", "{id}");
    }
}

#[test]
fn p04_the_environment_is_an_allow_list() {
    let secrets = [
        ("HITHER_TOKEN", "canary-token"),
        ("AWS_SECRET_ACCESS_KEY", "canary-aws"),
        ("LD_PRELOAD", ""),
        ("BASH_ENV", "canary-env"),
        ("HOME", "/root-of-nothing"),
    ];
    let gateway = Gateway::with(&["--no-auth"], &secrets);
    let id = gateway.session_of(&["/usr/bin/env", "-u", "NOTHING", "sh", "-c", "env >out"]);
    gateway.finish(&id);
    let environment = fs::read_to_string(gateway.folder().join("out")).unwrap();
    assert!(!environment.contains("canary"), "{environment}");
    assert!(environment.contains("HOME=/root-of-nothing\n"), "{environment}");
    let allowed = BTreeSet::from([
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "PATH",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "XDG_RUNTIME_DIR",
        "SSH_AUTH_SOCK",
        "EDITOR",
        "TERM",
        "COLORTERM",
        "TERM_PROGRAM",
        "HITHER_SESSION", // Those of the shell that prints them:
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
    ]);
    for line in environment.lines() {
        let name = line.split('=').next().unwrap();
        assert!(allowed.contains(name) || name.starts_with("LC_"), "{line}");
    }
}

#[test]
fn p05_words_are_words_and_never_options_or_scripts() {
    let gateway = Gateway::start();
    let hostile =
        ["$(touch owned)", "`id`", "-rf", "a\nb", "; touch owned", "'\"", "\u{1b}]0;x\u{7}", ""];
    let script = r#"for word; do printf '%s\0' "$word"; done >out"#;
    let command: Vec<&str> = ["sh", "-c", script, "--"].into_iter().chain(hostile).collect();
    gateway.finish(&gateway.session_of(&command));
    let words = fs::read_to_string(gateway.folder().join("out")).unwrap();
    assert_eq!(words.split_terminator('\0').collect::<Vec<_>>(), hostile);
    assert!(!gateway.folder().join("owned").exists());

    let long = "x".repeat(1 << 20);
    for (body, expect) in [
        (serde_json::json!({ "command": ["sh", "a\0b"] }), 400),
        (serde_json::json!({ "command": ["sh", "-c", long] }), 413),
        (serde_json::json!({ "command": ["-sh"] }), 400),
        (serde_json::json!({ "command": ["--help"] }), 400),
        (serde_json::json!({ "cwd": "-P" }), 400),
        (serde_json::json!({ "cwd": "/proc/self/fd/\0" }), 400),
        (serde_json::json!({ "cwd": "$(pwd)" }), 400),
        (serde_json::json!({ "cols": -1, "rows": 1 }), 400),
    ] {
        let (status, answer) = gateway.ask("POST", "/api/sessions", &body.to_string());
        assert_eq!(status, expect, "{body:.80}: {answer}");
    }
}

#[test]
fn p06_a_child_starts_as_if_from_a_login() {
    let gateway = Gateway::start();
    // The status is read by the shell itself: while it starts a program, glibc's fork blocks all
    // signals in it for a moment, and that program could see them blocked.
    let script = "umask; pwd; nice; cat /proc/$$/oom_score_adj; ps -o pid=,pgid=,sid=,tpgid= -p $$; \
        while read -r line; do printf '%s\\n' \"$line\"; done </proc/$$/status";
    let own_nice = gateway_nice(&gateway);
    let id = gateway.session(&format!("{{ {script}; }} >out 2>&1"));
    gateway.finish(&id);
    let output = fs::read_to_string(gateway.folder().join("out")).unwrap();
    let mut lines = output.lines();
    assert!(["0022", "0002", "0077", "0027"].contains(&lines.next().unwrap()), "{output}");
    assert_eq!(lines.next(), gateway.folder().canonicalize().unwrap().to_str(), "{output}");
    assert_eq!(lines.next(), Some(&*own_nice), "{output}");
    assert_eq!(lines.next(), Some("0"), "{output}");
    let ids: BTreeSet<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(ids.len(), 1, "leader of its session and its group, in the foreground: {output}");
    for name in ["SigBlk", "SigIgn"] {
        assert_eq!(status_line(&output, name), "0000000000000000", "{name}");
    }
}

fn gateway_nice(gateway: &Gateway) -> String {
    let stat = fs::read_to_string(format!("/proc/{}/stat", gateway.pid())).unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().to_owned()
}

#[test]
fn p07_the_terminal_is_the_users_own_and_gone_when_the_session_is() {
    let gateway = Gateway::start();
    let id = gateway.session("tty >name; mv name tty; exec cat");
    let file = gateway.folder().join("tty");
    while !file.exists() {
        assert!(gateway.is_running(&id));
    }
    let tty = fs::read_to_string(file).unwrap();
    let meta = fs::metadata(tty.trim()).unwrap();
    assert_eq!(meta.uid(), rustix::process::geteuid().as_raw());
    assert_eq!(meta.mode() & 0o777 & !0o020, 0o600, "{:o}", meta.mode());
    gateway.end_session(&id);
    let start = std::time::Instant::now();
    while fs::metadata(tty.trim()).is_ok() {
        assert!(start.elapsed() < crate::gateway::HANG, "{tty} is still there");
        gateway.ask("GET", "/health", "");
    }
}
