//! `hither share`, `hither grant` and `hither viewers`: what they ask for, and what comes of it on a real gateway.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::place::{PATH, Place, Run, asks};
use crate::running::Running;

#[test]
fn share_asks_for_the_link_that_is_described() {
    let url = r#"{"url":"http://h/s/a#share=x"}"#;
    for (arguments, body) in [
        (&["share", "aaaa"][..], json!({})),
        (
            &["share", "aaaa", "--write", "--expires", "2h", "--viewers-max", "3"],
            json!({"level":"write","expiresIn":7200,"viewersMax":3}),
        ),
        (
            &["share", "aaaa", "--no-login", "--label", "pairing"],
            json!({"needsLogin":false,"label":"pairing"}),
        ),
        (&["share", "aaaa", "--needs-login"], json!({"needsLogin":true})),
    ] {
        let (asked, code, printed) = asks(arguments, (201, url));
        assert_eq!(asked.line, format!("POST {PATH}/shares"));
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), body);
        assert_eq!((code, printed.as_str()), (0, "http://h/s/a#share=x\n"));
    }
    let missing = (404, r#"{"code":"not_found","detail":"there is nothing here"}"#);
    let (_, code, printed) = asks(&["share", "aaaa", "--revoke", "7"], missing);
    let told = "hither: there is no link 7; see `hither share SESSION --list`\n";
    assert_eq!((code, printed.as_str()), (69, told));
    let (asked, code, printed) = asks(&["share", "aaaa", "--revoke", "7"], (204, ""));
    assert_eq!(asked.line, format!("DELETE {PATH}/shares/7"));
    assert_eq!((code, printed.as_str()), (0, "withdrew link 7\n"));
    for wrong in [
        &["share", "aaaa", "--list", "--write"][..],
        &["share", "aaaa", "--revoke", "1", "--list"],
        &["share", "aaaa", "--expires", "31d"],
        &["share", "aaaa", "--needs-login", "--no-login"],
        &["viewers", "aaaa", "--kick", "1", "--observer", "1"],
    ] {
        assert_eq!(Place::new().run(wrong).code, 64, "{wrong:?}");
    }
}

#[test]
fn viewers_are_listed_changed_and_sent_away() {
    let list = json!([{"viewer": 3, "name": "ada\u{9b}", "via": "login", "role": "operator",
        "protocol": "hither.v1", "since": "9999-11-24T02:17:00Z", "address": "192.0.2.1"},
        {"viewer": 4, "name": "link 2", "via": "link", "share": 2, "role": "observer",
        "protocol": "tty", "since": "an hour ago", "address": null}]);
    let (asked, code, printed) = asks(&["viewers", "aaaa"], (200, &list.to_string()));
    assert_eq!((asked.line, code), (format!("GET {PATH}/viewers"), 0));
    let expect = "\
NUMBER  NAME     ROLE      BY      PROTOCOL   CAME         ADDRESS
3       ada\\x9b  operator  login   hither.v1  0s ago       192.0.2.1
4       link 2   observer  link 2  tty        an hour ago  -
";
    assert_eq!(printed, expect);
    let role = r#"{"viewer":3,"role":"observer"}"#;
    let (asked, code, printed) = asks(&["viewers", "aaaa", "--observer", "3"], (200, role));
    assert_eq!(asked.line, format!("PATCH {PATH}/viewers/3"));
    assert_eq!((asked.body.as_str(), code), (r#"{"level":"read"}"#, 0));
    assert_eq!(printed, "viewer 3 is observer\n");
    let (asked, ..) = asks(&["viewers", "aaaa", "--operator", "3"], (200, role));
    assert_eq!(asked.body, r#"{"level":"write"}"#);
    let missing = (404, r#"{"code":"viewer_not_found","detail":"viewer not found"}"#);
    for option in ["--kick", "--operator"] {
        let (_, code, printed) = asks(&["viewers", "aaaa", option, "3"], missing);
        let told = "hither: there is no viewer 3; see `hither viewers SESSION`\n";
        assert_eq!((code, printed.as_str()), (69, told));
    }
    let (asked, code, _) = asks(&["viewers", "aaaa", "--kick", "3"], (204, ""));
    assert_eq!((asked.line, code), (format!("DELETE {PATH}/viewers/3"), 0));
}

#[test]
fn grant_gives_lists_and_takes_away() {
    let list = r#"[{"user":"ada","level":"write"},{"user":"bob\u009b","level":"read"}]"#;
    let (asked, code, printed) = asks(&["grant", "aaaa"], (200, list));
    assert_eq!((asked.line, code), (format!("GET {PATH}/grants"), 0));
    assert_eq!(printed, "USER     MAY\nada      type\nbob\\x9b  watch\n");
    let (_, _, printed) = asks(&["grant", "aaaa", "--json"], (200, list));
    let told: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(told, serde_json::from_str::<Value>(list).unwrap());
    let (_, _, printed) = asks(&["grant", "aaaa"], (200, "[]"));
    assert!(printed.contains("hither grant SESSION USER"), "{printed}");
    for (option, level, may) in [(None, "read", "watch"), (Some("--write"), "write", "type")] {
        let arguments: Vec<&str> = ["grant", "aaaa", "bob"].into_iter().chain(option).collect();
        let answer = json!({"user": "bob", "level": level}).to_string();
        let (asked, code, printed) = asks(&arguments, (200, &answer));
        assert_eq!(asked.line, format!("PUT {PATH}/grants/bob"));
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), json!({"level": level}));
        assert_eq!((code, printed), (0, format!("bob may {may}\n")));
    }
    let (asked, code, printed) = asks(&["grant", "aaaa", "bob", "--remove"], (204, ""));
    assert_eq!(asked.line, format!("DELETE {PATH}/grants/bob"));
    assert_eq!((code, printed.as_str()), (0, "took away what bob was given\n"));
    for wrong in [
        &["grant", "aaaa", "--write"][..],
        &["grant", "aaaa", "--remove"],
        &["grant", "aaaa", "bob", "--remove", "--write"],
        &["grant", "aaaa", "bob", "--remove", "--json"],
        &["grant", "aaaa", "no/body"],
    ] {
        assert_eq!(Place::new().run(wrong).code, 64, "{wrong:?}");
    }
}

/// What bob sees of a session follows what its owner grants, here and with a token from elsewhere.
#[test]
fn a_user_gets_what_was_granted_and_loses_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let id = gateway.new_session(&["cat"]);
    let nobody = gateway.hither(&["grant", &id, "bob"]);
    assert_eq!(nobody.code, 69, "{nobody:?}");
    assert!(
        nobody.stderr.contains("no user bob here") && nobody.stderr.contains("hither user list")
    );
    let mut add = gateway.command(&["user", "add", "bob", "--password-stdin"]);
    assert_eq!(with_input(&mut add, "correct horse\n").code, 0);
    let scopes = "session:read,session:write";
    let token = gateway.hither(&["token", "create", "--user", "bob", "--scope", scopes]).stdout;
    let address = format!("http://127.0.0.1:{}", gateway.port);
    let elsewhere = |token: &str, arguments: &[&str]| -> Run {
        let mut command = gateway.command(arguments);
        command.env("HITHER_TOKEN", token.trim()).env("HITHER_URL", &address);
        command.output().unwrap().into()
    };
    let sees = || elsewhere(&token, &["ls", "--json"]).stdout.contains(&id);
    assert!(!sees());
    assert_eq!(gateway.hither(&["grant", &id, "bob"]).stdout, "bob may watch\n");
    assert!(sees());
    let typing = || elsewhere(&token, &["send", &id, "x"]).code;
    assert_eq!(typing(), 77);
    let write = elsewhere(&gateway.token(), &["grant", &id, "bob", "--write"]);
    assert_eq!(write.stdout, "bob may type\n", "{write:?}");
    assert_eq!(typing(), 0);
    assert_eq!(gateway.hither(&["grant", &id]).stdout, "USER  MAY\nbob   type\n");
    let own = elsewhere(&token, &["grant", &id, "bob", "--write"]);
    assert_eq!(own.code, 77, "{own:?}");
    assert_eq!(gateway.hither(&["grant", &id, "bob", "--remove"]).code, 0);
    assert!(!sees());
    assert_eq!(gateway.hither(&["grant", &id, "bob", "--remove"]).code, 69);
}

/// Links and viewers on the real gateway, on the Unix socket and with a token.
#[test]
fn a_session_is_shared_and_its_viewers_are_governed() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let id = gateway.new_session(&["cat"]);
    let url = gateway.hither(&["share", &id, "--label", "first", "--viewers-max", "2"]);
    assert_eq!(url.code, 0, "{url:?}");
    assert!(url.stdout.starts_with("http://127.0.0.1:"), "{url:?}");
    assert!(url.stdout.contains(&format!("/s/{id}#share=")), "{url:?}");
    let secret = url.stdout.trim().rsplit('=').next().unwrap();
    let second = with_passphrase(&gateway, &id, "open sesame\n");
    assert_eq!(second.code, 0, "{second:?}");
    let list = gateway.hither(&["share", &id, "--list"]);
    assert!(list.stdout.contains("0 of 2   nothing") && list.stdout.contains("first"), "{list:?}");
    assert!(list.stdout.contains("passphrase") && !list.stdout.contains(secret), "{list:?}");
    let links = gateway.hither(&["share", &id, "--list", "--json"]);
    let links: Value = serde_json::from_str(&links.stdout).unwrap();
    assert_eq!(links.as_array().unwrap().len(), 2);
    let number = links[0]["id"].to_string();
    let ask = format!(r#"{{"secret":"{secret}"}}"#);
    assert!(gateway.http("POST /api/share", &ask).starts_with("HTTP/1.1 200"));
    assert_eq!(gateway.hither(&["share", &id, "--revoke", &number]).code, 0);
    assert!(gateway.http("POST /api/share", &ask).starts_with("HTTP/1.1 401"));
    assert_eq!(gateway.hither(&["share", &id, "--revoke", &number]).code, 69);

    let mut viewer = gateway.viewer(&id);
    let viewers = gateway.hither(&["viewers", &id, "--json"]);
    let viewers: Value = serde_json::from_str(&viewers.stdout).unwrap();
    assert_eq!(viewers[0]["role"], "operator");
    let number = viewers[0]["viewer"].to_string();
    let observer = gateway.hither(&["viewers", &id, "--observer", &number]);
    assert_eq!(observer.stdout, format!("viewer {number} is observer\n"), "{observer:?}");
    let address = format!("http://127.0.0.1:{}", gateway.port);
    let mut remote = gateway.command(&["viewers", &id, "--url", &address]);
    let remote = Run::from(remote.env("HITHER_TOKEN", gateway.token()).output().unwrap());
    assert!(remote.stdout.contains("observer"), "{remote:?}");
    assert_eq!(gateway.hither(&["viewers", &id, "--kick", &number]).code, 0);
    viewer.until(|viewer| viewer.events.iter().any(|event| event.contains("closed")));
    assert!(viewer.events.iter().any(|event| event.contains("4403")), "{:?}", viewer.events);
}

/// The address of a link is where browsers come, whoever asked for it.
#[test]
fn links_are_below_the_base_path() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--base-path", "/term"];
    let gateway = Running::start(&folder.path().join("run"), &options, &["cat"]);
    let id = gateway.new_session(&["cat"]);
    let url = gateway.hither(&["share", &id]).stdout;
    let expect = format!("http://127.0.0.1:{}/term/s/{id}#share=", gateway.port);
    assert!(url.starts_with(&expect), "{url}");
}

fn with_passphrase(gateway: &Running, id: &str, passphrase: &str) -> Run {
    with_input(&mut gateway.command(&["share", id, "--passphrase-stdin"]), passphrase)
}

/// Runs a command that reads `input`.
pub(crate) fn with_input(command: &mut Command, input: &str) -> Run {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}
