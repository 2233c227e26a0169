use super::*;
use crate::http::names::TITLE_CHARS_MAX;

fn parse(body: &str) -> Result<NewSession, String> {
    let parsed: NewSessionJson = serde_json::from_str(body).map_err(|e| e.to_string())?;
    let shell = Path::new("/bin/sh");
    parsed.parse(shell).map_err(|problem| format!("{problem:?}"))
}

fn argv(body: &str) -> Option<Vec<String>> {
    parse(body).unwrap().command
}

#[test]
fn a_word_is_executed_and_a_line_goes_to_the_shell() {
    let argv_of = |words: &[&str]| Some(words.iter().map(|&w| w.to_owned()).collect());
    for (body, expect) in [
        (r#"{"command":"bash"}"#, argv_of(&["bash"])),
        (r#"{"command":"/usr/bin/x-1.2"}"#, argv_of(&["/usr/bin/x-1.2"])),
        (r#"{"command":"ls -l"}"#, argv_of(&["/bin/sh", "-c", "ls -l"])),
        (r#"{"command":"a;b"}"#, argv_of(&["/bin/sh", "-c", "a;b"])),
        (r#"{"command":"$X"}"#, argv_of(&["/bin/sh", "-c", "$X"])),
        (r#"{"command":["a b","$(c)"]}"#, argv_of(&["a b", "$(c)"])),
        (r#"{"command":["-x"]}"#, argv_of(&["-x"])),
        (r#"{"command":""}"#, None),
        (r#"{"command":" "}"#, None),
        (r#"{"command":[]}"#, None),
        (r#"{"command":null}"#, None),
        ("{}", None),
    ] {
        assert_eq!(argv(body), expect, "{body}");
    }
}

#[test]
fn zeros_and_empty_texts_are_absent() {
    let new =
        parse(r#"{"cwd":"","title":"","cols":0,"rows":0,"args":[],"env":{},"labels":{}}"#).unwrap();
    assert_eq!((new.cwd, new.title, new.size), (None, None, None));
    let new = parse(r#"{"cols":132}"#).unwrap();
    assert_eq!(new.size, Some(WindowSize::new(132, 24).unwrap()));
}

#[test]
fn refuses_what_cannot_be() {
    let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(TITLE_CHARS_MAX + 1));
    for body in [
        r#"{"command":"a\u0000b"}"#,
        r#"{"command":["a","\u0000"]}"#,
        r#"{"cwd":"/\u0000"}"#,
        r#"{"title":"\u001b]0;x"}"#,
        &long,
        r#"{"cols":1}"#,
        r#"{"cols":1001}"#,
        r#"{"rows":501}"#,
        r#"{"cols":-1}"#,
        r#"{"cols":1e400}"#,
        r#"{"cols":80.5}"#,
        r#"{"cols":"80"}"#,
        r#"{"command":1}"#,
        r#"{"command":[1]}"#,
        r#"{"title":[]}"#,
        r#"{"title":"\ud800"}"#,
        r#"{"title":"a","title":"b"}"#,
        "",
        "null x",
        r#"{"cols":4294967296}"#,
        r#"{"env":{"LD_PRELOAD":"x"}}"#,
        r#"{"env":{"PATH":"x"}}"#,
        r#"{"env":{"LC_":"x"}}"#,
        r#"{"env":{"APP_A=B":"x"}}"#,
        r#"{"env":{"TZ":"\u0000"}}"#,
        r#"{"labels":{"a b":"x"}}"#,
        &format!(r#"{{"x":{}}}"#, "[".repeat(10_000)),
    ] {
        assert!(parse(body).is_err(), "{body:.80}");
    }
}

#[test]
fn takes_labels_and_allowed_variables() {
    let new = parse(r#"{"env":{"LC_ALL":"C","APP_X":"a=b"},"labels":{"team":"é"}}"#).unwrap();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(new.environment, [pair("APP_X", "a=b"), pair("LC_ALL", "C")]);
    assert_eq!(new.labels, BTreeMap::from([pair("team", "é")]));
}
