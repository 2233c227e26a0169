//! What programs use that drive a terminal: input, screen, output, wait, run.

use hither_auth::Mode;
use hither_core::{Offset, Shell, ShellMark};
use hither_server::sessions::Status;
use serde_json::json;

use crate::double::EXITED;
use crate::harness::Harness;

fn path(harness: &Harness, what: &str) -> String {
    format!("/api/sessions/{}{what}", harness.id)
}

#[tokio::test]
async fn types_text_pastes_and_keys() {
    let harness = Harness::start(Mode::Required).await;
    let input = path(&harness, "/input");
    harness.double.write(b"\x1b[?1h\x1b[?2004hhello");
    let body = r#"{"data":"a","paste":"b\nc","keys":["Up","Ctrl-C"]}"#;
    let answer = harness.post(&input, body).await.json();
    assert_eq!(answer, json!({ "success": true, "bytes": 20, "offset": 18 }));
    assert_eq!(harness.double.state().inputs, [b"a\x1b[200~b\rc\x1b[201~\x1bOA\x03"]);
    let response = harness.post(&input, r#"{"data":"a","keys":["Hyper-X"]}"#).await;
    assert_eq!((response.status, &*response.code()), (400, "invalid_key_name"));
    assert_eq!(harness.double.state().inputs.len(), 1);
}

#[tokio::test]
async fn shows_the_screen_in_four_forms() {
    let harness = Harness::start(Mode::Required).await;
    harness.double.write(b"\x1b]2;a title\x07one\r\n\x1b[1mtwo\x1b[0m");
    let response = harness.get(&path(&harness, "/screen")).await;
    let screen = response.json();
    let lines: Vec<_> = screen["lines"].as_array().unwrap().iter().take(3).collect();
    assert_eq!(lines, [&json!("one"), &json!("two"), &json!("")]);
    assert_eq!((&screen["title"], &screen["cols"]), (&json!("a title"), &json!(80)));
    assert_eq!(screen["cursor"], json!({ "row": 1, "col": 3, "visible": true }));
    assert_eq!(screen["offset"], json!(28));
    assert_eq!(screen.get("cells"), None);
    assert_eq!(response.header("hither-offset"), Some("28"));

    let cells = harness.get(&path(&harness, "/screen?format=cells")).await.json();
    let run = json!({ "col": 0, "cols": 3, "text": "two", "attributes": ["bold"] });
    assert_eq!(cells["cells"][1], json!({ "wrapped": false, "runs": [run] }));
    let text = harness.get(&path(&harness, "/screen?format=text")).await;
    assert!(text.body.starts_with(b"one\ntwo\n"));
    assert_eq!(text.header("content-type"), Some("text/plain; charset=utf-8"));
    let ansi = harness.get(&path(&harness, "/screen?format=ansi")).await;
    assert!(ansi.body.windows(3).any(|bytes| bytes == b"two"));
    let other = harness.get(&path(&harness, "/screen?format=png")).await;
    assert_eq!((other.status, &*other.code()), (400, "invalid_query"));
}

#[tokio::test]
async fn a_screen_that_has_not_changed_is_not_sent_again() {
    let harness = Harness::start(Mode::Required).await;
    let target = path(&harness, "/screen");
    let tag = harness.get(&target).await.header("etag").unwrap().to_owned();
    let ask = || harness.trusted("GET", &target).header("if-none-match", &tag);
    let response = ask().send(harness.address).await;
    assert_eq!((response.status, response.body.len()), (304, 0));
    harness.double.write(b"x");
    assert_eq!(ask().send(harness.address).await.status, 200);
}

#[tokio::test]
async fn scrollback_comes_in_ranges() {
    let harness = Harness::start(Mode::Required).await;
    let output: String = (0..50).map(|line| format!("line {line}\r\n")).collect();
    harness.double.write(output.as_bytes());
    // 24 rows are on the screen, the last of them empty.
    let last = harness.get(&path(&harness, "/scrollback?count=2")).await.json();
    assert_eq!(last["lines"], json!(["line 25", "line 26"]));
    assert_eq!((&last["total"], &last["from"]), (&json!(27), &json!(25)));
    let first =
        harness.get(&path(&harness, "/scrollback?from=0&count=1&format=cells")).await.json();
    assert_eq!(first["cells"][0]["runs"][0]["text"], "line 0");
    let none = harness.get(&path(&harness, "/scrollback?from=99")).await.json();
    assert_eq!((&none["lines"], &none["from"]), (&json!([]), &json!(27)));
    for query in ["count=0", "count=1001", "from=-1", "lines=3"] {
        let response = harness.get(&path(&harness, &format!("/scrollback?{query}"))).await;
        assert_eq!((response.status, &*response.code()), (400, "invalid_query"), "{query}");
    }
}

#[tokio::test]
async fn output_is_read_from_an_offset_on() {
    let harness = Harness::start(Mode::Required).await;
    harness.double.write(b"one\x1b[1mtwo\r\n");
    let response = harness.get(&path(&harness, "/output?from=3&limit=7")).await;
    assert_eq!(response.body, b"\x1b[1mtwo");
    assert_eq!(response.header("hither-offset"), Some("3"));
    assert_eq!(response.header("hither-next-offset"), Some("10"));
    assert_eq!(response.header("hither-end"), Some("false"));
    let text = harness.get(&path(&harness, "/output?format=text")).await;
    assert_eq!(text.body, b"onetwo\n");
    let none = harness.get(&path(&harness, "/output?from=12&wait=1")).await;
    assert_eq!((none.status, none.body.len()), (200, 0));
    let exited = harness.double.add(EXITED);
    let end = harness.get(&format!("/api/sessions/{exited}/output?from=12&wait=60000")).await;
    assert_eq!(end.header("hither-end"), Some("true"));
}

#[tokio::test]
async fn output_is_waited_for() {
    let harness = Harness::start(Mode::Required).await;
    let target = path(&harness, "/output?wait=60000");
    let (response, ()) = tokio::join!(harness.get(&target), async {
        harness.double.awaited().await;
        harness.double.write(b"late");
    });
    assert_eq!(response.body, b"late");
}

#[tokio::test]
async fn waits_for_output_screen_silence_exit_and_time() {
    let harness = Harness::start(Mode::Required).await;
    let wait = path(&harness, "/wait");
    harness.double.write(b"before \x1b[1mready");
    let (answer, ()) =
        tokio::join!(harness.post(&wait, r#"{"output":"re(ad)y","timeoutMs":600000}"#), async {
            harness.double.awaited().await;
            harness.double.write(b" re\x1b[0mady\r\nnext");
        });
    let found = json!({ "text": "ready", "groups": ["ad"] });
    let expect = json!({ "reason": "output", "offset": 26, "match": found });
    assert_eq!(answer.json(), expect);
    let again = harness.post(&wait, r#"{"output":"ready","from":0}"#).await.json();
    assert_eq!(again["offset"], 16);
    let screen = harness.post(&wait, r#"{"screen":"^next$"}"#).await.json();
    assert_eq!((&screen["reason"], &screen["match"]["text"]), (&json!("screen"), &json!("next")));
    let quiet = harness.post(&wait, r#"{"quietMs":1,"output":"never"}"#).await.json();
    assert_eq!(quiet, json!({ "reason": "quiet", "offset": 32 }));
    let timeout = harness.post(&wait, r#"{"exit":true,"timeoutMs":1}"#).await.json();
    assert_eq!(timeout["reason"], "timeout");
    let exited = harness.double.add(EXITED);
    let exit = harness.post(&format!("/api/sessions/{exited}/wait"), r#"{"output":"never"}"#).await;
    assert_eq!(exit.json(), json!({ "reason": "exit", "offset": 32, "exitCode": 3 }));
}

#[tokio::test]
async fn a_wait_must_be_possible() {
    let harness = Harness::start(Mode::Required).await;
    for (body, code) in [
        ("{}", "invalid_wait"),
        (r#"{"exit":false}"#, "invalid_wait"),
        (r#"{"quietMs":0}"#, "invalid_wait"),
        (r#"{"quietMs":60001}"#, "invalid_wait"),
        (r#"{"exit":true,"timeoutMs":600001}"#, "invalid_timeout"),
        (r#"{"output":"("}"#, "invalid_pattern"),
        (r#"{"screen":""}"#, "invalid_pattern"),
        (r#"{"until":"x"}"#, "invalid_json"),
    ] {
        let response = harness.post(&path(&harness, "/wait"), body).await;
        assert_eq!((response.status, &*response.code()), (400, code), "{body}");
    }
}

#[tokio::test]
async fn runs_a_command_and_tells_what_came_of_it() {
    let harness = Harness::start(Mode::Required).await;
    let run = path(&harness, "/run");
    let response = harness.post(&run, r#"{"command":"ls"}"#).await;
    assert_eq!((response.status, &*response.code()), (409, "no_shell_integration"));
    let prompt = b"\x1b]133;A\x07$ \x1b]133;B\x07";
    harness.double.write(prompt);
    mark(&harness, ShellMark::Input, prompt.len());

    let ran = async {
        // The double has noted the input: the command was typed.
        while harness.double.state().inputs.is_empty() {
            tokio::task::yield_now().await;
        }
        let echo = b"ls\r\n\x1b]133;C\x07";
        harness.double.state().shell.handle_mark(ShellMark::Output, Offset(30));
        let output = b"\x1b[1mfile\x1b[0m\r\n\x1b]133;D;7\x07";
        let end = prompt.len() + echo.len() + output.len();
        mark(&harness, ShellMark::End(Some(7)), end);
        harness.double.write(&[echo.as_slice(), output].concat());
    };
    let (response, ()) = tokio::join!(harness.post(&run, r#"{"command":"ls"}"#), ran);
    let expect = json!({
        "reason": "done", "commandExitCode": 7, "output": "file\n", "truncated": false,
        "from": 30, "offset": 54,
    });
    assert_eq!(response.json(), expect);
    assert_eq!(harness.double.state().inputs, [b"\x15ls\r"]);

    mark(&harness, ShellMark::Output, 60);
    let response = harness.post(&run, r#"{"command":"ls"}"#).await;
    assert_eq!((response.status, &*response.code()), (409, "shell_busy"));
    let response = harness.post(&run, r#"{"command":"a\nb"}"#).await;
    assert_eq!((response.status, &*response.code()), (400, "invalid_command_line"));
}

fn mark(harness: &Harness, mark: ShellMark, at: usize) {
    harness.double.state().shell.handle_mark(mark, Offset(at as u64));
}

#[tokio::test]
async fn waits_for_a_prompt() {
    let harness = Harness::start(Mode::Required).await;
    let wait = path(&harness, "/wait");
    harness.double.write(b"12345");
    let mut shell = Shell::default();
    shell.handle_mark(ShellMark::Output, Offset(1));
    shell.handle_mark(ShellMark::End(Some(3)), Offset(2));
    shell.handle_mark(ShellMark::Input, Offset(3));
    harness.double.state().shell = shell;
    let now = harness.post(&wait, r#"{"prompt":true}"#).await.json();
    assert_eq!(now, json!({ "reason": "prompt", "offset": 5, "lastExitCode": 3 }));
    let later = harness.post(&wait, r#"{"prompt":true,"from":3,"timeoutMs":1}"#).await.json();
    assert_eq!(later["reason"], "timeout");
}

#[tokio::test]
async fn names_labels_and_signals() {
    let harness = Harness::start(Mode::Required).await;
    let body = r#"{"title":"build","labels":{"team":"a","old":null}}"#;
    let patch = harness.trusted("PATCH", &path(&harness, "")).json(body);
    let answer = patch.send(harness.address).await.json();
    assert_eq!((&answer["title"], &answer["labels"]), (&json!("build"), &json!({ "team": "a" })));
    let listed = harness.get("/api/sessions?label=team%3Da&q=BUILD&status=running").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(harness.get("/api/sessions?label=team%3Db").await.json(), json!([]));

    let signal = path(&harness, "/signal");
    let answer = harness.post(&signal, r#"{"signal":"sigterm"}"#).await;
    assert_eq!(answer.json(), json!({ "success": true }));
    let answer = harness.post(&signal, r#"{"signal":"SEGV"}"#).await;
    assert_eq!((answer.status, &*answer.code()), (400, "invalid_signal"));
    assert_eq!(harness.done(), ["signal Term"]);
}

#[tokio::test]
async fn pages_of_the_list_are_linked() {
    let harness = Harness::start(Mode::Required).await;
    for _ in 0..4 {
        harness.double.add(Status::Running);
    }
    let (mut target, mut seen) = ("/api/sessions?limit=2".to_owned(), Vec::new());
    loop {
        let page = harness.get(&target).await;
        seen.extend(page.json().as_array().unwrap().clone());
        let Some(link) = page.header("link") else { break };
        let query = link.strip_prefix('<').unwrap().split('>').next().unwrap();
        target = format!("/api/sessions{query}");
    }
    assert_eq!(json!(seen), harness.get("/api/sessions").await.json());
}

#[tokio::test]
async fn a_request_with_a_key_creates_one_session() {
    let harness = Harness::start(Mode::Required).await;
    let create = async |key: &str, body: &str| {
        let request = harness.trusted("POST", "/api/sessions").json(body);
        request.header("idempotency-key", key).send(harness.address).await
    };
    let first = create("a", "{}").await;
    let again = create("a", "{}").await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!(harness.double.state().created.len(), 1);
    let other = create("a", r#"{"cols":90}"#).await;
    assert_eq!((other.status, &*other.code()), (422, "idempotency_key_reused"));
    assert_ne!(create("b", "{}").await.json()["id"], first.json()["id"]);
    let empty = create("", "{}").await;
    assert_eq!((empty.status, &*empty.code()), (400, "invalid_idempotency_key"));
    let id = first.json()["id"].as_str().unwrap().to_owned();
    harness.trusted("DELETE", &format!("/api/sessions/{id}")).send(harness.address).await;
    let gone = create("a", "{}").await;
    assert_eq!((gone.status, &*gone.code()), (410, "session_gone"));
}
