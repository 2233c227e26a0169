//! Programs driven by keys, and what the screen shows.

use serde_json::{Value, json};

use crate::session::Session;

/// Says which keys it got, in hexadecimal, one read at a time; `q` ends it.
const KEYS: &str = r#"
    stty raw -echo
    printf '\033[?1h\033[?2004h\033]2;keys\007ready'
    while :; do
        key=$(dd bs=64 count=1 2>/dev/null | od -An -tx1 | tr -d ' \n')
        printf '\r\n<%s>' "$key"
        [ "$key" = 71 ] && exit 7
    done
"#;

fn keys() -> Session {
    let session = Session::create(&json!({
        "command": ["sh", "-c", KEYS], "cols": 60, "rows": 10, "labels": { "test": "keys" }
    }));
    session.wait(&json!({ "screen": "ready", "from": 0 }), "screen");
    session
}

#[test]
fn keys_reach_the_program_as_its_modes_want_them() {
    let session = keys();
    for (body, expect) in [
        (json!({ "keys": ["Up"] }), "<1b4f41>"),
        (json!({ "keys": ["Ctrl-Up"] }), "<1b5b313b3541>"),
        (json!({ "keys": ["Ctrl-C"] }), "<03>"),
        (json!({ "keys": ["F5"] }), "<1b5b31357e>"),
        (json!({ "data": "é" }), "<c3a9>"),
        (json!({ "paste": "a\nb" }), "<1b5b3230307e610d621b5b3230317e>"),
    ] {
        let offset = session.post("/input", &body)["offset"].clone();
        session.wait(&json!({ "output": expect, "from": offset }), "output");
    }
    let screen = session.screen();
    assert_eq!((&screen["cols"], &screen["rows"]), (&json!(60), &json!(10)));
    assert_eq!(screen["title"], "keys");
    assert_eq!(screen["modes"]["applicationCursor"], true);
    assert_eq!(screen["modes"]["bracketedPaste"], true);

    let offset = session.keys(&["q"]);
    let exit = session.wait(&json!({ "exit": true, "from": offset }), "exit");
    assert_eq!(exit["exitCode"], 7);
    let answer = session.ask("POST", "/input", &json!({ "data": "x" }), 409);
    assert_eq!(answer["code"], "session_exited");
    // The last screen is still there.
    let last = session.screen()["lines"].to_string();
    assert!(last.contains("<71>"), "{last}");
}

#[test]
fn a_signal_reaches_what_is_in_the_foreground() {
    let session = Session::create(&json!({
        "command": ["sh", "-c", "trap 'echo got it; exit 3' USR1; echo ready; while :; do sleep 0.05; done"]
    }));
    session.wait(&json!({ "output": "ready", "from": 0 }), "output");
    session.post("/signal", &json!({ "signal": "SIGUSR1" }));
    session.wait(&json!({ "output": "got it", "from": 0 }), "output");
    let exit = session.wait(&json!({ "exit": true }), "exit");
    assert_eq!(exit["exitCode"], 3);
    session.ask("POST", "/signal", &json!({ "signal": "TERM" }), 409);
}

#[test]
fn a_title_and_labels_outlive_the_gateway() {
    let mut session = keys();
    let amended = json!({ "title": "mine", "labels": { "team": "é", "test": null } });
    session.ask("PATCH", "", &amended, 200);
    session.replace_gateway();
    let found = session.ask("GET", "", &Value::Null, 200);
    assert_eq!((&found["title"], &found["labels"]), (&json!("mine"), &json!({ "team": "é" })));
    // The program's title is hidden, not lost.
    assert_eq!(session.screen()["title"], "keys");
    session.ask("PATCH", "", &json!({ "title": null }), 200);
    let offset = session.keys(&["q"]);
    session.wait(&json!({ "exit": true, "from": offset }), "exit");
}

#[test]
fn variables_that_are_allowed_reach_the_program() {
    let session = Session::create(&json!({
        "command": ["sh", "-c", "echo $APP_NAME-$TERM-$LC_ALL; read x"],
        "env": { "APP_NAME": "a b", "TERM": "dumb", "LC_ALL": "C" }
    }));
    session.wait(&json!({ "output": "a b-dumb-C", "from": 0 }), "output");
}

#[test]
fn a_wait_sees_everything_of_a_flood_and_its_end() {
    let session = Session::create(&json!({
        "command": ["sh", "-c", "read x; seq 1 200000; echo done; read x"], "rows": 5
    }));
    let offset = session.keys(&["Enter"]);
    let found = session.wait(&json!({ "output": "^done$", "from": offset }), "output");
    assert!(found["offset"].as_u64().unwrap() > 1_200_000, "{found}");
    let seen = session.wait(&json!({ "screen": "199999\n200000\ndone", "from": offset }), "screen");
    assert_eq!(seen["match"]["text"], "199999\n200000\ndone");
    let scrollback = session.ask("GET", "/scrollback?count=3", &Value::Null, 200);
    let last: u32 = scrollback["lines"][2].as_str().unwrap().parse().unwrap();
    assert!(last > 199_990, "{scrollback}");
}
