//! Gateways killed between two instructions, while they read and while they take over.

use std::sync::Arc;

use hither_testkit::account::Account;
use hither_testkit::chaos::seqgen;
use hither_testkit::gateway::Home;
use hither_testkit::pattern::{Discipline, Kind, Pattern};
use hither_testkit::program;
use hither_testkit::watch::{Progress, Watch, Watched};
use serde_json::Value;

use crate::stage::{HITHER, PATIENCE};

const OUTPUT: u64 = 100_000;
/// Sessions that get no reader but the last one.
const PATTERN: Pattern = Pattern { seed: 7, kind: Kind::Records, discipline: Discipline::Raw };

/// What a viewer sees of a session whose first gateway dies with output in its pipe, and whose
/// second one dies before it has published what it found there.
fn watch_after_two_deaths(mutant: &str) -> (Watched, Account) {
    let mut home = Home::new(HITHER).unwrap().options(&["--workers", "1"]);
    let path = home.path().join("account");
    let account = Account::create(&path, OUTPUT).unwrap();

    home = home.variable("HITHER_DEATH", "spliced");
    let mut first = home.start().unwrap();
    // It may die before it can answer.
    drop(first.create(&seqgen(&program::testkit(), PATTERN, &path)));
    first.wait().unwrap();

    home = home.variable("HITHER_DEATH", "rescued").variable("HITHER_MUTANT", mutant);
    let mut second = home.spawn().unwrap();
    second.wait().unwrap();

    home = home.variable("HITHER_DEATH", "").variable("HITHER_MUTANT", "");
    let last = home.start().unwrap();
    let (_, sessions) = last.request("GET", "/api/sessions", &Value::Null).unwrap();
    let session = sessions[0]["id"].as_str().unwrap().to_owned();
    let watch =
        Watch { session, client: 1, features: vec!["raw"], pattern: PATTERN, patience: PATIENCE };
    let progress = Arc::new(Progress::default());
    let entered = progress.enter();
    (watch.run(home.place(), &progress, entered), account)
}

#[test]
fn k01_a_survivor_that_is_killed_loses_nothing() {
    let (watched, account) = watch_after_two_deaths("");
    assert_eq!(watched.violation, None);
    let written = account.written().unwrap();
    watched.ledger.check_end(PATTERN.output_bytes(written.bytes)).unwrap();
    assert_eq!(watched.ledger.bytes(), written.bytes);
}

#[test]
fn control_a_survivor_that_notes_nothing_is_found() {
    let (watched, _) = watch_after_two_deaths("takes-unnoted");
    let violation = watched.violation.expect("a chunk is missing");
    assert!(violation.contains("is wrong"), "{violation}");
}
