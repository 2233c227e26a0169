//! Commands that drive a session, and gateways at an address.

use crate::place::{PATH, Place, asks};
use crate::running::Running;

#[test]
fn send_types_pastes_and_presses_keys() {
    for (arguments, body) in [
        (&["send", "aaaa", "make"][..], r#"{"data":"make"}"#),
        (&["send", "aaaa", "ls", "-k", "Enter"], r#"{"data":"ls","keys":["Enter"]}"#),
        (&["send", "aaaa", "--key", "Ctrl-C", "--key", "Up"], r#"{"keys":["Ctrl-C","Up"]}"#),
        (&["send", "aaaa", "--paste", "a\nb"], r#"{"paste":"a\nb"}"#),
    ] {
        let answer = r#"{"success":true,"bytes":4,"offset":17}"#;
        let (asked, code, printed) = asks(arguments, (200, answer));
        assert_eq!((asked.line, asked.body), (format!("POST {PATH}/input"), body.to_owned()));
        assert_eq!((code, printed.as_str()), (0, ""));
    }
    let (_, _, printed) = asks(&["send", "aaaa", "x", "--offset"], (200, r#"{"offset":17}"#));
    assert_eq!(printed, "17\n");
    assert_eq!(Place::new().run(&["send", "aaaa"]).code, 64);
    // What the gateway finds wrong in what was asked for is as wrong as what we find.
    let wrong = r#"{"code":"invalid_key_name","detail":"key must be a key"}"#;
    let (_, code, printed) = asks(&["send", "aaaa", "-k", "Foo"], (400, wrong));
    assert_eq!((code, printed.as_str()), (64, "hither: the gateway refused: key must be a key\n"));
}

#[test]
fn screen_is_shown_and_not_obeyed() {
    let (asked, code, printed) = asks(&["screen", "aaaa"], (200, "$ ls\u{9b}2J\na b\n"));
    assert_eq!(asked.line, format!("GET {PATH}/screen?format=text"));
    assert_eq!((code, printed.as_str()), (0, "$ ls\\x9b2J\na b\n"));
    let (asked, _, printed) = asks(&["screen", "aaaa", "--format", "ansi"], (200, "\u{1b}[1mx"));
    assert_eq!(
        (asked.line, printed.as_str()),
        (format!("GET {PATH}/screen?format=ansi"), "\u{1b}[1mx")
    );
}

#[test]
fn wait_says_what_came_true_and_75_when_nothing_did() {
    let arguments = ["wait", "aaaa", "--output", "ok", "--quiet", "200ms", "--timeout", "2m"];
    let (asked, code, printed) = asks(&arguments, (200, r#"{"reason":"quiet","offset":9}"#));
    assert_eq!(asked.line, format!("POST {PATH}/wait"));
    assert_eq!(asked.body, r#"{"output":"ok","quietMs":200,"timeoutMs":120000}"#);
    assert_eq!((code, printed.as_str()), (0, "{\"offset\":9,\"reason\":\"quiet\"}\n"));
    let (_, code, _) =
        asks(&["wait", "aaaa", "--exit"], (200, r#"{"reason":"timeout","offset":9}"#));
    assert_eq!(code, 75);
    let run = Place::new().run(&["wait", "aaaa"]);
    assert!(run.code == 64 && run.stderr.contains("give --output"), "{run:?}");
}

#[test]
fn run_ends_with_the_commands_own_code() {
    let ended = r#"{"reason":"done","commandExitCode":3,"output":"a\u001b[2J\n","offset":9}"#;
    let (asked, code, printed) = asks(&["run", "aaaa", "--", "make", "-j2"], (200, ended));
    assert_eq!(asked.line, format!("POST {PATH}/run"));
    assert_eq!(asked.body, r#"{"command":"make -j2","timeoutMs":30000}"#);
    assert_eq!((code, printed.as_str()), (3, "a\\x1b[2J\n"));
    let over = r#"{"reason":"timeout","output":"so far"}"#;
    let (_, code, printed) = asks(&["run", "aaaa", "--", "x"], (200, over));
    assert!(code == 75 && printed.contains("so farhither: the time is over"), "{code} {printed}");
    let busy = r#"{"code":"shell_busy","detail":"the shell runs a command"}"#;
    let (_, code, printed) = asks(&["run", "aaaa", "--", "x"], (409, busy));
    assert!(code == 77 && printed.contains("the shell runs a command"), "{code} {printed}");
}

#[test]
fn rename_and_logs_ask_for_what_they_say() {
    let (asked, code, _) = asks(&["rename", "aaaa", "my tests"], (200, "{}"));
    assert_eq!((asked.line, code), (format!("PATCH {PATH}"), 0));
    assert_eq!(asked.body, r#"{"title":"my tests"}"#);
    let (asked, _, printed) = asks(&["logs", "aaaa", "--from", "5"], (200, "line\u{1b}\n"));
    assert!(asked.line.starts_with(&format!("GET {PATH}/output?format=text&")), "{asked:?}");
    assert!(asked.line.ends_with("&wait=0&from=5"), "{asked:?}");
    assert_eq!(printed, "line\\x1b\n");
}

#[test]
fn a_gateway_at_an_address_wants_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let id = gateway.new_session(&["cat"]);
    let url = format!("http://127.0.0.1:{}", gateway.port);
    let without = gateway.hither(&["ls", "--url", &url]);
    assert_eq!(without.code, 77, "{without:?}");
    assert!(without.stderr.contains("HITHER_TOKEN") && without.stderr.contains("--token-file"));
    let file = gateway.dir.join("token");
    let with = gateway.hither(&["ls", "--url", &url, "--token-file", file.to_str().unwrap()]);
    assert!(with.code == 0 && with.stdout.contains(&id), "{with:?}");
    let mut command = gateway.command(&["ls"]);
    command.env("HITHER_URL", &url).env("HITHER_TOKEN", gateway.token());
    let with = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(with.contains(&id), "{with:?}");
    // Nobody is asked: the address is one of those for documents (RFC 5737).
    let mut command = gateway.command(&["ls", "--url", "http://192.0.2.1"]);
    let clear = command.env("HITHER_TOKEN", gateway.token()).output().unwrap();
    let said = String::from_utf8_lossy(&clear.stderr);
    assert_eq!((clear.status.code(), said.contains("https")), (Some(64), true), "{said}");
    let nobody = gateway.hither(&["ls", "--url", "http://127.0.0.1:1"]);
    assert!(nobody.code == 69 && nobody.stderr.contains("no gateway answers"), "{nobody:?}");
    for wrong in ["wss://127.0.0.1", "nonsense", "http://a:secret@b"] {
        let run = gateway.hither(&["ls", "--url", wrong]);
        assert!(run.code == 64 && !run.stderr.contains("secret@"), "{run:?}");
    }
}

/// The same commands against the real API, in a real shell.
#[test]
fn a_shell_is_driven_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    let options = [("HOME", home)];
    let dir = folder.path().join("run");
    let gateway = Running::with_environment(&dir, &[], &["bash"], &options);
    let id = gateway.new_session(&["bash"]);
    let prompt = gateway.hither(&["wait", &id, "--prompt", "--timeout", "20s"]);
    assert_eq!(prompt.code, 0, "{prompt:?}");
    let ran = gateway.hither(&["run", &id, "--", "echo", "one-$((1 + 1));", "(exit 3)"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, "one-2\n"), "{ran:?}");
    let sent = gateway.hither(&["send", &id, "echo two-$((1 + 1))", "--key", "Enter", "--offset"]);
    let from = sent.stdout.trim();
    let waited = gateway.hither(&["wait", &id, "--output", "two-2", "--from", from]);
    assert!(waited.code == 0 && waited.stdout.contains("two-2"), "{waited:?}");
    let screen = gateway.hither(&["screen", &id]);
    assert!(screen.stdout.contains("two-2") && !screen.stdout.contains('\u{1b}'), "{screen:?}");
    let logs = gateway.hither(&["logs", &id]);
    assert!(logs.code == 0 && logs.stdout.contains("one-2"), "{logs:?}");
    assert_eq!(gateway.hither(&["rename", &id, "renamed"]).code, 0);
    assert!(gateway.hither(&["ls"]).stdout.contains("renamed"));
    assert_eq!(gateway.hither(&["send", &id, "exit", "-k", "Enter"]).code, 0);
    let ended = gateway.hither(&["wait", &id, "--exit", "--timeout", "20s"]);
    assert_eq!(ended.code, 0, "{ended:?}");
}
