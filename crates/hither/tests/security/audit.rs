//! The audit log of a real gateway: row A24.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hither_auth::{Level, ShareId, UserId};
use hither_core::SessionId;
use hither_server::audit::{Actor, Audit as _, Event, Keeper, each_line, files, verify};

use crate::gateway::Gateway;

/// Runs `hither audit` with these words; its exit code and what it printed.
fn audit(gateway: &Gateway, words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hither"))
        .arg("audit")
        .args(words)
        .arg("--runtime-dir")
        .arg(gateway.folder().join("run"))
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn log(gateway: &Gateway) -> PathBuf {
    gateway.folder().join("run/state/audit.jsonl")
}

#[test]
fn a24_what_is_done_is_written_down_and_tampering_is_found() {
    let gateway = Gateway::start();
    let id = gateway.session("echo typed-canary; exec cat");
    gateway.end_session(&id);
    // What was done before it is answered is on the disk: ending a session is such a thing.
    let (code, list) = audit(&gateway, &["list"]);
    assert_eq!(code, Some(0), "{list}");
    for event in ["started", "session-created", "session-closed"] {
        assert!(list.contains(event), "{event} in {list}");
    }
    assert!(list.contains(&id) && !list.contains("typed-canary"), "{list}");
    let (code, told) = audit(&gateway, &["verify"]);
    assert!(code == Some(0) && told.contains("none changed"), "{told}");

    let whole = fs::read_to_string(log(&gateway)).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let last = lines.len() - 1;
    let edited = whole.replace("session-closed", "session-opened");
    let without_first = lines[1..].join("\n") + "\n";
    let without_last = lines[..last].join("\n") + "\n";
    let mut moved = lines;
    moved.swap(0, last);
    let moved = moved.join("\n") + "\n";
    for (what, tampered) in [
        ("edited", edited),
        ("removed", without_first),
        ("cut off", without_last),
        ("moved", moved),
    ] {
        fs::write(log(&gateway), tampered).unwrap();
        let (code, told) = audit(&gateway, &["verify"]);
        assert_eq!(code, Some(1), "{what}: {told}");
    }
    fs::write(log(&gateway), whole).unwrap();
    assert_eq!(audit(&gateway, &["verify"]).0, Some(0));
}

/// Runs a command of this gateway's user, with a first line of standard input.
fn command(gateway: &Gateway, words: &[&str], line: &str) -> (Option<i32>, String) {
    command_in(gateway, words, line, &[])
}

/// The same with these variables set.
fn command_in(
    gateway: &Gateway,
    words: &[&str],
    line: &str,
    environment: &[(&str, &str)],
) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hither"))
        .args(words)
        .arg("--runtime-dir")
        .arg(gateway.folder().join("run"))
        .env("USER", "ann")
        .env("XDG_CONFIG_HOME", gateway.folder().join("config"))
        .env_remove("HITHER_CONFIG")
        .env_remove("HITHER_AUDIT_LOG")
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that asks for nothing may be gone already.
    writeln!(child.stdin.take().unwrap(), "{line}").ok();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// What the log says of users and tokens: event, who did it and how, of whom, which token, what.
fn changes(gateway: &Gateway) -> Vec<String> {
    let mut found = Vec::new();
    each_line(&log(gateway), |line, _| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let members = ["event", "name", "way", "whom", "token", "how"];
        let texts = members.map(|name| record.get(name).map_or_else(|| "-".to_owned(), plain));
        if texts[0].starts_with("user-") || texts[0].starts_with("token-") {
            found.push(texts.join(" "));
        }
    })
    .unwrap();
    found
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn a24_the_command_line_writes_down_what_it_changes() {
    let gateway = Gateway::start();
    let scope = ["--scope", "session:read"];
    let run = |words: &[&str], line: &str, code: i32| {
        let (ended, told) = command(&gateway, words, line);
        assert_eq!(ended, Some(code), "{words:?}: {told}");
        told
    };
    run(&["user", "add", "bob", "--password-stdin"], "correct horse", 0);
    run(&["user", "add", "bob", "--password-stdin"], "correct horse", 64);
    run(&["user", "passwd", "bob", "--password-stdin"], "battery staple", 0);
    run(&["user", "passwd", "eve", "--password-stdin"], "battery staple", 64);
    let token = run(&[&["token", "create", "--user", "bob"][..], &scope].concat(), "", 0);
    run(&["token", "revoke", "1"], "", 0);
    run(&["token", "revoke", "1"], "", 64);
    run(&["user", "remove", "bob"], "", 0);
    run(&["user", "remove", "bob"], "", 64);
    run(&[&["token", "create", "--audit-log", "off"][..], &scope].concat(), "", 0);
    let expect = [
        "user-changed ann command-line bob - added",
        "user-changed ann command-line bob - password-set",
        "token-created ann command-line bob 1 -",
        "token-revoked ann command-line - 1 -",
        "user-changed ann command-line bob - removed",
    ];
    assert_eq!(changes(&gateway), expect);
    let text = fs::read_to_string(log(&gateway)).unwrap();
    for secret in ["correct horse", "battery staple", token.trim()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let (code, told) = audit(&gateway, &["verify"]);
    assert!(code == Some(0), "{told}");
}

/// Whether a change is written down: the command's own word counts, then the variable, then the file.
#[test]
fn a24_the_command_line_goes_by_the_settings_of_the_gateway() {
    let gateway = Gateway::start();
    let folder = gateway.folder().join("config/hither");
    fs::create_dir_all(&folder).unwrap();
    let settings = folder.join("config.toml");
    let off = "[security]\naudit-log = \"off\"\n";
    for (file, variable, option, written) in [
        ("", None, None, true),
        ("", Some(""), None, true),
        ("", Some("off"), None, false),
        (off, None, None, false),
        (off, Some(""), None, false),
        (off, Some("on"), None, true),
        (off, Some("off"), Some("on"), true),
        ("", Some("on"), Some("off"), false),
    ] {
        fs::write(&settings, file).unwrap();
        let before = changes(&gateway).len();
        let variable: Vec<_> =
            variable.map(|word| ("HITHER_AUDIT_LOG", word)).into_iter().collect();
        let mut words = vec!["token", "create", "--scope", "session:read"];
        words.extend(option.into_iter().flat_map(|word| ["--audit-log", word]));
        let (code, told) = command_in(&gateway, &words, "", &variable);
        let case = format!("{file:?} {variable:?} {option:?}: {told}");
        assert_eq!(code, Some(0), "{case}");
        assert_eq!(changes(&gateway).len() - before, usize::from(written), "{case}");
    }
    // What cannot be understood is no yes and no no: nothing is made, until the command's own word.
    let words = ["token", "create", "--scope", "session:read"];
    let wrong = [("HITHER_AUDIT_LOG", "maybe")];
    let (code, told) = command_in(&gateway, &words, "", &wrong);
    assert!(code == Some(78) && told.contains("HITHER_AUDIT_LOG is wrong"), "{told}");
    fs::write(&settings, "[security]\naudit-log = 3\n").unwrap();
    let (code, told) = command(&gateway, &words, "");
    assert!(code == Some(78) && told.contains("config.toml"), "{told}");
    let own_word = [&words[..], &["--audit-log", "on"]].concat();
    assert_eq!(command_in(&gateway, &own_word, "", &wrong).0, Some(0));
}

#[test]
fn a24_nothing_is_changed_that_cannot_be_written_down() {
    let gateway = Gateway::start();
    let run = |words: &[&str]| command(&gateway, words, "correct horse");
    let scope = ["--scope", "session:read"];
    assert_eq!(run(&["user", "add", "bob", "--password-stdin"]).0, Some(0));
    assert_eq!(run(&[&["token", "create"][..], &scope].concat()).0, Some(0));
    let before = (run(&["user", "list"]), run(&["token", "list"]));
    fs::set_permissions(log(&gateway), fs::Permissions::from_mode(0o644)).unwrap();
    for words in [
        &["user", "add", "eve", "--password-stdin"][..],
        &["user", "passwd", "bob", "--password-stdin"],
        &["user", "remove", "bob"],
        &["token", "create", "--scope", "session:read"],
        &["token", "revoke", "1"],
    ] {
        let (code, told) = run(words);
        assert_eq!(code, Some(77), "{words:?}: {told}");
        assert!(told.contains("nothing was changed") && told.contains("--audit-log off"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    assert_eq!((run(&["user", "list"]), run(&["token", "list"])), before);
}

/// The gateway writes for itself while commands of its user write, many at a time.
#[test]
fn a24_gateway_and_command_line_write_the_same_chain() {
    const EACH: usize = 8;
    let gateway = Gateway::start();
    let sessions = std::thread::scope(|scope| {
        for writer in 0..3 {
            let gateway = &gateway;
            scope.spawn(move || {
                for number in 0..EACH {
                    let name = format!("t{writer}-{number}");
                    let words = ["token", "create", "--scope", "session:read", "--name", &name];
                    let (code, told) = command(gateway, &words, "");
                    assert_eq!(code, Some(0), "{told}");
                }
            });
        }
        let started: Vec<_> = (0..EACH)
            .map(|_| {
                let id = gateway.session("exec cat");
                gateway.end_session(&id);
                id
            })
            .collect();
        started
    });
    let (code, told) = audit(&gateway, &["verify"]);
    assert!(code == Some(0) && told.contains("none changed"), "{told}");
    assert_eq!(changes(&gateway).len(), 3 * EACH);
    let text = fs::read_to_string(log(&gateway)).unwrap();
    for id in sessions {
        assert!(text.matches(&id).count() >= 2, "{id} was started and closed");
    }
}

/// Names the directory of the log to a writer that is about to be killed.
const WRITER: &str = "HITHER_TEST_AUDIT_DIR";
/// Records that are on their way to the disk at a time, as from so many requests.
const AT_ONCE: u64 = 32;

/// Not a test but the process that [`a24_ten_thousand_events_outlive_kills`] kills: it says on its
/// output which records were promised.
#[test]
#[ignore = "started by another test"]
fn writes_until_it_is_killed() {
    let Some(dir) = env::var_os(WRITER) else { return };
    let keeper = Keeper::start(Path::new(&dir)).unwrap();
    let actor = Actor { user: Some(UserId(0)), name: "me".to_owned(), way: "none", address: None };
    let session = SessionId::from_random([7; 10]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut out = std::io::stdout();
    runtime.block_on(async {
        // Numbers of different processes differ.
        let mut next = u64::from(std::process::id()) << 32;
        loop {
            let numbers = next..next + AT_ONCE;
            next += AT_ONCE;
            let written: Vec<_> = numbers
                .map(|number| {
                    let event = Event::ShareCreated(session, ShareId(number), Level::Read);
                    (number, keeper.record(&actor, &event))
                })
                .collect();
            for (number, written) in written {
                written.await.unwrap();
                // As soon as it is promised, somebody may rely on it.
                writeln!(out, "promised {number}").unwrap();
                out.flush().unwrap();
            }
        }
    });
}

#[test]
fn a24_ten_thousand_events_outlive_kills() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let mut promised = Vec::new();
    let mut kills = 0_usize;
    while promised.len() < 10_000 {
        let mut writer = Command::new(env::current_exe().unwrap())
            .args(["--exact", "audit::writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(WRITER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let numbers = lines.map_while(Result::ok).filter_map(|line| {
            line.split("promised ").nth(1).and_then(|number| number.parse::<u64>().ok())
        });
        // Another moment of the writer's work each time: between two records, or within a batch.
        let most = 200 + 37 * (kills % 11);
        for (count, number) in numbers.enumerate() {
            promised.push(number);
            if count == most {
                writer.kill().unwrap();
            }
        }
        writer.wait().unwrap();
        kills += 1;
    }
    let report = verify(folder.path(), 1, None).unwrap();
    assert_eq!(report.flaw_count, 0, "after {kills} kills: {:?}", report.flaws);
    let mut kept = Vec::new();
    for path in files(folder.path()).unwrap() {
        each_line(&path, |line, whole| {
            let record = serde_json::from_str::<serde_json::Value>(line);
            assert!(record.is_ok() || !whole, "{line}");
            kept.extend(record.ok().and_then(|record| record["share"].as_u64()));
        })
        .unwrap();
    }
    let kept_once: HashSet<u64> = kept.iter().copied().collect();
    assert_eq!(kept_once.len(), kept.len(), "nothing is written twice");
    let missing = promised.iter().filter(|number| !kept_once.contains(number)).count();
    assert_eq!(missing, 0, "of {} promised after {kills} kills", promised.len());
}
