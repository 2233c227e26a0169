//! Shells that mark their prompts.

use serde_json::{Value, json};

use crate::session::Session;

/// A shell that reads lines, runs them and marks what it does (OSC 133), as shells with integration
/// do; in its own words, so that the test needs no other.
const SHELL: &str = r#"
    mark() { printf '\033]133;%s\007' "$1"; }
    printf '\033]7;file://%s/tmp/a%%20b\033\\' "$(uname -n)"
    while mark A; printf '$ '; mark B; IFS= read -r line; do
        # The line discipline hands on what Ctrl-U left.
        mark C; eval "$line"; mark "D;$?"
    done
"#;

fn shell() -> Session {
    let session = Session::create(&json!({ "command": ["sh", "-c", SHELL] }));
    session.wait(&json!({ "prompt": true, "from": 0 }), "prompt");
    session
}

#[test]
fn a_command_is_run_and_its_output_and_code_come_back() {
    let session = shell();
    let ran = session.post("/run", &json!({ "command": "echo one; echo two >&2; (exit 5)" }));
    assert_eq!(
        (&ran["reason"], &ran["commandExitCode"], &ran["output"], &ran["truncated"]),
        (&json!("done"), &json!(5), &json!("one\ntwo\n"), &json!(false)),
        "{ran}"
    );
    let found = session.ask("GET", "", &Value::Null, 200);
    assert_eq!((&found["lastExitCode"], &found["directory"]), (&json!(5), &json!("/tmp/a b")));
    let ran = session.post("/run", &json!({ "command": "seq 1 300000" }));
    assert_eq!(ran["truncated"], true);
    let output = ran["output"].as_str().unwrap();
    assert!(output.ends_with("299999\n300000\n") && output.len() > 100_000, "{}", output.len());
}

#[test]
fn a_busy_shell_is_not_typed_at_and_a_prompt_is_waited_for() {
    let session = shell();
    let ran = session.post("/run", &json!({ "command": "read answer", "timeoutMs": 1 }));
    assert_eq!((&ran["reason"], &ran["output"]), (&json!("timeout"), &json!("")), "{ran}");
    session.wait(&json!({ "output": "read answer", "from": 0 }), "output");
    // Until the shell has read the line, it is still at its prompt.
    while session.ask("GET", "", &Value::Null, 200)["shell"] != "running" {}
    let busy = session.ask("POST", "/run", &json!({ "command": "ls" }), 409);
    assert_eq!(busy["code"], "shell_busy");
    let offset = session.keys(&["x", "Enter"]);
    session.wait(&json!({ "prompt": true, "from": offset }), "prompt");
}

#[test]
fn the_marks_of_a_shell_are_known_to_the_next_gateway() {
    let mut session = shell();
    session.post("/run", &json!({ "command": "(exit 4)" }));
    session.replace_gateway();
    let found = session.ask("GET", "", &Value::Null, 200);
    assert_eq!((&found["shell"], &found["lastExitCode"]), (&json!("prompt"), &json!(4)), "{found}");
    let ran = session.post("/run", &json!({ "command": "echo again" }));
    assert_eq!(ran["output"], "again\n");
}
