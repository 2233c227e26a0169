//! Commands that ask the gateway: what they ask, what they print, how they fail.

use std::os::unix::net::UnixListener;

use crate::place::{Asked, Place};

const LIST: &str = r#"[
    {"id":"aaaabbbbccccdddd","title":"bash","command":"bash","cwd":"/","cols":80,"rows":24,
     "createdAt":"9999-11-24T02:17:00Z","status":"running","active":true,"clients":1},
    {"id":"aabbbbbbccccdddd","title":"top","command":"htop -d 1","cwd":"/","cols":120,"rows":40,
     "status":"exited","active":false,"clients":0}
]"#;

fn asked(line: &str, body: &str) -> Asked {
    Asked { line: line.to_owned(), body: body.to_owned() }
}

#[test]
fn without_a_gateway_commands_end_with_69_and_a_cure() {
    let place = Place::new();
    let dir = place.path().display().to_string();
    let expect = format!("hither: no gateway is running in {dir}; start one with `hither serve`\n");
    for arguments in [&["ls"][..], &["ls", "--json"], &["kill", "--all"], &["new"], &["url"]] {
        let run = place.run(arguments);
        assert_eq!((run.code, run.stderr), (69, expect.clone()), "{arguments:?}");
    }
    // A socket that nobody listens on any more, and a directory that is not there.
    drop(UnixListener::bind(place.socket()).unwrap());
    assert_eq!(place.run(&["ls"]).stderr, expect);
    let run = place.run(&["ls", "--runtime-dir", &format!("{dir}/no")]);
    assert_eq!(run.code, 69);
    assert!(run.stderr.contains("/no; start one"), "{run:#?}");
}

#[test]
fn a_directory_open_to_others_is_not_trusted() {
    let place = Place::new();
    place.set_mode(0o755);
    let run = place.run(&["ls"]);
    assert_eq!(run.code, 77);
    assert!(run.stderr.contains("mode 0755") && run.stderr.contains("chmod 700"), "{run:#?}");
}

#[test]
fn ls_prints_a_table() {
    let place = Place::new();
    let gateway = place.gateway(&[(200, LIST)]);
    let run = place.run(&["ls"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(
        run.stdout,
        "\
SESSION           STATUS   SIZE    VIEWERS  STARTED  COMMAND
aaaabbbbccccdddd  running  80x24   1        0s ago   bash
aabbbbbbccccdddd  exited   120x40  0        -        htop -d 1  (top)
"
    );
    assert_eq!(gateway.asked(), [asked("GET /api/sessions", "")]);
}

#[test]
fn ls_prints_ids_and_commands_for_scripts() {
    let place = Place::new();
    let gateway = place.gateway(&[(200, LIST), (200, "[]")]);
    let run = place.run(&["ls", "--brief"]);
    let expect = "aaaabbbbccccdddd\tbash\naabbbbbbccccdddd\thtop -d 1  (top)\n";
    assert_eq!((run.code, run.stdout.as_str()), (0, expect));
    assert_eq!(place.run(&["ls", "--brief"]).stdout, "");
    gateway.asked();
}

#[test]
fn nothing_that_a_program_said_is_obeyed() {
    // Test X05 of the security catalogue: ESC, C1, UTF-8 C1, CR, bidi, zero-width.
    let hostile = "\u{1b}]0;x\u{7}\u{9b}31m\r\u{202e}abc\u{200b}\u{feff}\u{85}";
    let list = serde_json::json!([{
        "id": hostile, "title": hostile, "command": hostile, "status": hostile,
        "createdAt": hostile
    }]);
    let error = serde_json::json!({"code": "x", "detail": hostile});
    for (arguments, answer) in [
        (&["ls"][..], (200, list.to_string())),
        (&["ls", "--json"], (200, list.to_string())),
        (&["ls"], (500, error.to_string())),
        (&["new"], (200, list[0].to_string())),
        (&["url"], (200, serde_json::json!({"url": hostile}).to_string())),
    ] {
        let place = Place::new();
        let _gateway = place.gateway(&[(answer.0, &answer.1)]);
        let run = place.run(arguments);
        let printed = format!("{}{}", run.stdout, run.stderr).replace('\n', "");
        let deceptive =
            |c: char| c.is_control() || ('\u{200b}'..='\u{202e}').contains(&c) || c == '\u{feff}';
        assert!(!printed.contains(deceptive), "{arguments:?}: {printed:?}");
        assert!(printed.contains("x1b") || printed.contains("u001b"), "{printed}");
    }
}

#[test]
fn ls_json_means_what_the_gateway_said() {
    let place = Place::new();
    let list = serde_json::json!([{"id": "a", "title": "\u{9b}\u{e0041}", "later": {"deep": 1}}]);
    let _gateway = place.gateway(&[(200, &list.to_string())]);
    let run = place.run(&["ls", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap(), list);
}

#[test]
fn kill_takes_the_start_of_an_id() {
    let place = Place::new();
    let gateway = place.gateway(&[(200, LIST), (204, "")]);
    let run = place.run(&["kill", "aaa"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "ended aaaabbbbccccdddd\n"));
    assert_eq!(
        gateway.asked(),
        [asked("GET /api/sessions", ""), asked("DELETE /api/sessions/aaaabbbbccccdddd", ""),]
    );
}

#[test]
fn kill_ends_nothing_unless_all_of_it_is_there() {
    for (arguments, code, word) in [
        (&["kill", "aaa", "zzz"][..], 69, "no session is called \"zzz\""),
        (&["kill", "aaa", "aa"], 64, "give more characters"),
    ] {
        let place = Place::new();
        let gateway = place.gateway(&[(200, LIST)]);
        let run = place.run(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{run:#?}");
        assert!(run.stderr.contains(word), "{run:#?}");
        assert_eq!(gateway.asked().len(), 1);
    }
}

#[test]
fn kill_all_ends_each_session() {
    let place = Place::new();
    let gateway = place.gateway(&[(200, LIST), (204, ""), (200, "{}")]);
    let run = place.run(&["kill", "--all"]);
    assert_eq!(run.code, 0, "{run:#?}");
    assert_eq!(run.stdout.lines().count(), 2);
    assert_eq!(gateway.asked()[2].line, "DELETE /api/sessions/aabbbbbbccccdddd");
    let place = Place::new();
    let _gateway = place.gateway(&[(200, "[]")]);
    assert_eq!(place.run(&["kill", "--all"]).stdout, "no sessions\n");
}

#[test]
fn new_sends_directory_title_and_command() {
    let place = Place::new();
    let gateway = place.gateway(&[(201, r#"{"id":"aaaabbbbccccdddd"}"#)]);
    let run = place.run(&["new", "--cwd", "/", "--title", "tests", "--", "make", "-j2", "--", "x"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "aaaabbbbccccdddd\n"));
    let body = r#"{"command":["make","-j2","--","x"],"cwd":"/","title":"tests"}"#;
    assert_eq!(gateway.asked(), [asked("POST /api/sessions", body)]);
    let run = place.run(&["new", "--cwd", "/nowhere"]);
    assert_eq!(run.code, 64);
    assert!(run.stderr.contains("/nowhere cannot be entered"), "{run:#?}");
}

#[test]
fn url_prints_the_address() {
    let place = Place::new();
    let url = "http://127.0.0.1:7681/#t=secret";
    let gateway = place.gateway(&[(200, &format!(r#"{{"url":"{url}"}}"#))]);
    let run = place.run(&["url"]);
    assert_eq!((run.code, run.stdout), (0, format!("{url}\n")));
    assert_eq!(gateway.asked(), [asked("POST /api/auth/launch-url", "")]);
}

#[test]
fn answers_of_the_wrong_kind_are_errors_with_their_own_codes() {
    let refused = r#"{"code":"limit_reached","detail":"limit of 9 sessions is reached"}"#;
    let long = format!("\"{}\"", "x".repeat(5 << 20));
    for (answer, code, word) in [
        ((429, refused), 77, "limit of 9 sessions is reached"),
        ((403, r#"{"detail":7}"#), 77, "403"),
        ((404, ""), 69, "404"),
        ((500, "<html>"), 70, "500"),
        ((200, "<html>"), 70, "could not be understood"),
        ((200, "7"), 70, "could not be understood"),
        ((200, &long), 70, "exceeds 4194304 bytes"),
    ] {
        let place = Place::new();
        let _gateway = place.gateway(&[answer]);
        let run = place.run(&["ls"]);
        assert_eq!(run.code, code, "{run:#?}");
        assert!(run.stderr.starts_with("hither: ") && run.stderr.contains(word), "{run:#?}");
        assert_eq!(run.stderr.lines().count(), 1, "{run:#?}");
    }
}

#[test]
fn a_silent_gateway_is_not_waited_for_without_end() {
    let place = Place::new();
    let _listener = UnixListener::bind(place.socket()).unwrap();
    let run = place.run(&["ls"]);
    assert_eq!(run.code, 69);
    assert!(run.stderr.contains("did not answer within 5 s"), "{run:#?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    let _gateway = place.gateway(&[(200, LIST)]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = place.command(&["ls"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
