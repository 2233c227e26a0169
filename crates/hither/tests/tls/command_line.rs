//! The command line as a client from elsewhere: over TLS, below a base path, with a token.

use std::process::{Command, Output};

use crate::certificates::{Authority, replace};
use crate::gateway::Gateway;

const HITHER: &str = env!("CARGO_BIN_EXE_hither");

/// A gateway below `/term`, and what its clients need.
struct Remote {
    gateway: Gateway,
    url: String,
}

struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Remote {
    fn start(options: &[&str]) -> Self {
        let gateway = Gateway::with(&[options, &["--base-path", "/term"]].concat(), |_| {});
        replace(&gateway.folder().join("ca.pem"), &gateway.authority.pem());
        let url = format!("https://{}/term", gateway.host());
        Self { gateway, url }
    }

    /// Runs the program in the gateway's folder, with nothing in the environment that leads there.
    fn hither(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(HITHER);
        command.args(arguments).current_dir(self.gateway.folder());
        command.env("HITHER_RUNTIME_DIR", self.gateway.folder().join("nowhere"));
        command.output().unwrap().into()
    }

    /// The same with all that opens the gateway.
    fn ask(&self, arguments: &[&str]) -> Run {
        let (command, rest) = arguments.split_first().unwrap();
        let opening = ["--url", &self.url, "--ca", "ca.pem", "--token-file", "run/token"];
        self.hither(&[&[*command][..], &opening, rest].concat())
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code();
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

#[track_caller]
fn assert_fails(run: &Run, code: i32, words: &[&str]) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{}", run.stderr);
    assert!(run.stderr.lines().count() == 1, "{}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is not in {}", run.stderr);
    }
}

#[test]
fn the_command_line_drives_a_gateway_over_tls_below_a_base_path() {
    let remote = Remote::start(&[]);
    let made = remote.ask(&["new", "--", "sh", "-c", "echo ready; exec cat"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let id = made.stdout.trim();
    let waited = remote.ask(&["wait", id, "--screen", "ready", "--timeout", "1m"]);
    assert_eq!(waited.code, Some(0), "{}", waited.stderr);
    assert!(remote.ask(&["ls"]).stdout.contains(id));
    assert!(remote.ask(&["screen", id]).stdout.contains("ready"));
    // The address of the page does as well.
    let page = format!("{}/s/{id}", remote.url);
    let ls = ["ls", "--url", &page, "--ca", "ca.pem", "--token-file", "run/token"];
    assert!(remote.hither(&ls).stdout.contains(id));
    // What a browser opens has the name by which it was asked for.
    let launch = remote.ask(&["url"]);
    assert!(
        launch.stdout.starts_with(&format!("{}/#", remote.url)),
        "{}{}",
        launch.stdout,
        launch.stderr
    );
    let link = remote.ask(&["share", id]);
    assert!(link.stdout.starts_with(&format!("{page}#")), "{}{}", link.stdout, link.stderr);
    assert_eq!(remote.ask(&["kill", id]).code, Some(0));
}

#[test]
fn a_session_is_attached_to_over_tls_below_a_base_path() {
    let remote = Remote::start(&[]);
    let inner = remote.ask(&["new", "--", "sh", "-c", "echo welcome; exec cat"]);
    let inner = inner.stdout.trim();
    let folder = remote.gateway.folder().to_str().unwrap();
    let attach = format!(
        "cd {folder}; {HITHER} attach {}/s/{inner} --ca ca.pem --token-file run/token; \
         echo code-$?; exec cat",
        remote.url
    );
    let outer = remote.ask(&["new", "--", "sh", "-c", &attach]).stdout;
    let outer = outer.trim();
    let until = |text: &str| {
        let run = remote.ask(&["wait", outer, "--screen", text, "--timeout", "1m"]);
        assert_eq!(run.code, Some(0), "{text}: {}", remote.ask(&["screen", outer]).stdout);
    };
    until("welcome");
    assert_eq!(remote.ask(&["send", outer, "over there", "--key", "Enter"]).code, Some(0));
    until("over there\\s+over there");
    assert_eq!(remote.ask(&["send", outer, "--key", "C-c"]).code, Some(0));
    until("signal SIGINT\\s+code-0");
}

#[test]
fn what_does_not_fit_is_said_with_its_cure() {
    let remote = Remote::start(&[]);
    let token = ["--token-file", "run/token"];
    let ls = |options: &[&str]| remote.hither(&[&["ls"], options, &token].concat());
    let url = remote.url.as_str();
    let stranger = Authority::new("a stranger").pem();
    replace(&remote.gateway.folder().join("stranger.pem"), &stranger);
    assert_fails(&ls(&["--url", url, "--ca", "stranger.pem"]), 77, &["not trusted", "--ca"]);
    assert_fails(&ls(&["--url", url, "--ca", "nowhere.pem"]), 64, &["nowhere.pem", "--ca"]);
    assert_fails(&ls(&["--url", url, "--ca", "key.pem"]), 64, &["key.pem", "no certificate"]);
    let bare = url.trim_end_matches("/term");
    assert_fails(&ls(&["--url", bare, "--ca", "ca.pem"]), 69, &["refused"]);
    let plain = url.replace("https", "http");
    assert_fails(&ls(&["--url", &plain]), 69, &["does not speak HTTP", "https"]);
    let closed = remote.hither(&["ls", "--url", url, "--ca", "ca.pem"]);
    assert_fails(&closed, 77, &["HITHER_TOKEN"]);
}

#[test]
fn a_gateway_without_tls_is_not_mistaken_for_one() {
    let folder = tempfile::tempdir().unwrap();
    replace(&folder.path().join("ca.pem"), &Authority::new("anybody").pem());
    let mut gateway = Command::new(HITHER)
        .args(["serve", "--port", "0", "--runtime-dir", "run"])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut greeting = String::new();
    let out = gateway.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut greeting).unwrap();
    let port = greeting.split("http://127.0.0.1:").nth(1).unwrap().split('/').next().unwrap();
    let url = format!("https://localhost:{port}");
    let mut asked = Command::new(HITHER);
    asked.args(["ls", "--url", &url, "--ca", "ca.pem"]).current_dir(folder.path());
    let run = asked.output().unwrap().into();
    gateway.kill().unwrap();
    gateway.wait().unwrap();
    assert_fails(&run, 77, &["does not speak TLS", "http"]);
}
