//! Gateways killed between two instructions, while they read and while they take over.

use std::sync::Arc;

use hither_testkit::account::Account;
use hither_testkit::chaos::seqgen;
use hither_testkit::frame::{Exit, Hello};
use hither_testkit::gateway::{Gateway, Home};
use hither_testkit::pattern::{Discipline, Kind, Pattern};
use hither_testkit::program;
use hither_testkit::viewer::Connection;
use hither_testkit::watch::{Progress, Watch, Watched};
use rustix::process::Signal;
use serde_json::Value;

use crate::stage::{HITHER, PATIENCE, read_out, words};

const OUTPUT: u64 = 100_000;
/// Sessions that get no reader but the last one.
const PATTERN: Pattern = Pattern { seed: 7, kind: Kind::Records, discipline: Discipline::Raw };

/// A home whose first gateway has died with the first output of a flood in its journal's pipe.
fn home_after_a_death(more: &[&str]) -> (Home, Account) {
    home_after("HITHER_DEATH", "spliced", more)
}

/// The same when something else made it die there.
fn home_after(variable: &str, reason: &str, more: &[&str]) -> (Home, Account) {
    let mut home = Home::new(HITHER).unwrap().options(&["--workers", "1"]);
    let path = home.path().join("account");
    let account = Account::create(&path, OUTPUT).unwrap();
    home = home.variable(variable, reason);
    let mut first = home.start().unwrap();
    for line in more {
        first.create(&words(&["sh", "-c", line])).unwrap();
    }
    // It may die before it can answer.
    drop(first.create(&seqgen(&program::testkit(), PATTERN, &path)));
    first.wait().unwrap();
    (home, account)
}

/// What a viewer is shown of a session to its end.
fn watch(home: &Home, session: String) -> Watched {
    let watch =
        Watch { session, client: 1, features: vec!["raw"], pattern: PATTERN, patience: PATIENCE };
    let progress = Arc::new(Progress::default());
    let entered = progress.enter();
    watch.run(home.place(), &progress, entered)
}

/// The sessions of a gateway, oldest first.
fn sessions(gateway: &Gateway) -> Vec<Value> {
    let (_, sessions) = gateway.request("GET", "/api/sessions", &Value::Null).unwrap();
    sessions.as_array().unwrap().clone()
}

fn id(session: &Value) -> String {
    session["id"].as_str().unwrap().to_owned()
}

/// What a viewer sees of a session whose first gateway dies with output in its pipe, and whose
/// second one dies before it has published what it found there.
fn watch_after_two_deaths(mutant: &str) -> (Watched, Account) {
    let (mut home, account) = home_after_a_death(&[]);
    home = home.variable("HITHER_DEATH", "rescued").variable("HITHER_MUTANT", mutant);
    let mut second = home.spawn().unwrap();
    second.wait().unwrap();

    home = home.variable("HITHER_DEATH", "").variable("HITHER_MUTANT", "");
    let last = home.start().unwrap();
    (watch(&home, id(&sessions(&last)[0])), account)
}

/// Every byte that the program wrote was shown.
fn check(watched: &Watched, account: &Account) {
    assert_eq!(watched.violation, None);
    let written = account.written().unwrap();
    watched.ledger.check_end(PATTERN.output_bytes(written.bytes)).unwrap();
    assert_eq!(watched.ledger.bytes(), written.bytes);
}

#[test]
fn k01_a_survivor_that_is_killed_loses_nothing() {
    let (watched, account) = watch_after_two_deaths("");
    check(&watched, &account);
}

/// A gateway that has no memory for the sessions that it should take over says so of each, serves new
/// ones, and leaves the old ones as they are: the next gateway goes on with them.
#[test]
fn k01_sessions_that_cannot_be_taken_over_are_shown_as_lost_and_are_not() {
    let (mut home, account) = home_after_a_death(&["exec sleep 1000"]);
    home = home.variable("HITHER_DEATH", "").variable("HITHER_MUTANT", "maps-nothing");
    let mut poor = home.start().unwrap();
    let listed = sessions(&poor);
    let states: Vec<_> = listed.iter().map(|one| (&one["status"], &one["lost"])).collect();
    assert_eq!(states, [(&"exited".into(), &true.into()); 2], "{listed:?}");
    let address = home.place().address().unwrap();
    let hello = Hello { client: 2, features: vec!["raw"], ..Hello::default() };
    let viewer = Connection::open(address, &id(&listed[1]), &hello, PATIENCE).unwrap();
    let (output, exit) = read_out(viewer);
    let output = String::from_utf8(output).unwrap();
    assert!(output.contains("cannot take this session over: mapping its memory"), "{output}");
    assert!(output.contains("start the gateway again to try once more"), "{output}");
    assert_eq!(exit, Exit::Lost);
    // What is new works, and what is ended stays so.
    let new = poor.create(&words(&["sh", "-c", "echo new"])).unwrap();
    let viewer = Connection::open(address, &new, &hello, PATIENCE).unwrap();
    assert_eq!(read_out(viewer), (b"new\r\n".to_vec(), Exit::Code(0)));
    assert_eq!(poor.delete(&id(&listed[0])).unwrap(), 200);
    poor.signal(Signal::TERM).unwrap();
    assert!(poor.wait().unwrap().success());

    home = home.variable("HITHER_MUTANT", "");
    let last = home.start().unwrap();
    let listed_now: Vec<_> = sessions(&last).iter().map(id).collect();
    assert!(!listed_now.contains(&id(&listed[0])), "{listed_now:?}");
    check(&watch(&home, id(&listed[1])), &account);
}

/// What is in a journal's pipe and cannot be taken out would be taken for output of the next session
/// that is read: the gateway ends, and the next one knows whose it is.
#[test]
fn k05_a_gateway_that_cannot_read_its_journal_ends_and_the_next_one_can() {
    let (mut home, account) = home_after("HITHER_MUTANT", "reads-no-journal", &[]);
    let said = std::fs::read_to_string(home.path().join("gateway.err")).unwrap();
    assert!(said.contains("output in the journal cannot be taken"), "{said}");
    assert!(said.contains("the gateway ends, sessions live on"), "{said}");
    home = home.variable("HITHER_MUTANT", "");
    let last = home.start().unwrap();
    check(&watch(&home, id(&sessions(&last)[0])), &account);
}

/// What a killed reader left cannot be read: its session is shown as lost, the others go on, and the
/// next gateway has all of it.
#[test]
fn k01_a_journal_that_cannot_be_read_is_kept_for_the_next_gateway() {
    let (mut home, account) = home_after_a_death(&["exec sleep 1000"]);
    home = home.variable("HITHER_DEATH", "").variable("HITHER_MUTANT", "reads-no-journal");
    let mut poor = home.start().unwrap();
    let listed = sessions(&poor);
    let states: Vec<_> = listed.iter().map(|one| (&one["status"], &one["lost"])).collect();
    let lost = (&"exited".into(), &true.into());
    assert_eq!((states[0].0, states[1]), (&"running".into(), lost), "{listed:?}");
    let address = home.place().address().unwrap();
    let hello = Hello { client: 2, features: vec!["raw"], ..Hello::default() };
    let viewer = Connection::open(address, &id(&listed[1]), &hello, PATIENCE).unwrap();
    let (output, exit) = read_out(viewer);
    let output = String::from_utf8(output).unwrap();
    assert!(output.contains("its last output cannot be read"), "{output}");
    assert_eq!(exit, Exit::Lost);
    poor.signal(Signal::TERM).unwrap();
    assert!(poor.wait().unwrap().success());

    home = home.variable("HITHER_MUTANT", "");
    let last = home.start().unwrap();
    let listed = sessions(&last);
    assert_eq!(listed[0]["status"], "running", "{listed:?}");
    check(&watch(&home, id(&listed[1])), &account);
}

#[test]
fn control_a_survivor_that_notes_nothing_is_found() {
    let (watched, _) = watch_after_two_deaths("takes-unnoted");
    let violation = watched.violation.expect("a chunk is missing");
    assert!(violation.contains("is wrong"), "{violation}");
}
