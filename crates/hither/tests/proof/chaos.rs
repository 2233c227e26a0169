//! Gateways killed at random moments, under floods.

use std::time::Duration;

use hither_testkit::chaos::{Chaos, Report, Strict};
use hither_testkit::fault::Kind;
use hither_testkit::gateway::Home;
use hither_testkit::tracer::Injection;
use hither_testkit::{program, random};

const HITHER: &str = env!("CARGO_BIN_EXE_hither");
/// Runs in which a gateway that is wrong on purpose must be found.
const RUNS_MAX: u64 = 20;

/// How many kills this run does: as many as the environment says, or `short`.
fn kills(short: u32) -> u32 {
    std::env::var("HITHER_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(short)
}

fn chaos(kills: u32) -> Chaos {
    Chaos {
        seed: random::seed(),
        kills,
        faults: vec![Kind::Kill],
        sessions: 4,
        viewers: 2,
        delay_max: Duration::from_millis(50),
        patience: Duration::from_secs(30),
        testkit: program::testkit(),
        strict: match std::env::var_os("HITHER_LONG") {
            Some(_) => Strict::WhenIdle,
            None => Strict::Never,
        },
        through: Vec::new(),
    }
}

fn home() -> Home {
    Home::new(HITHER).unwrap().options(&["--history-bytes", "16MiB"])
}

fn run(chaos: &Chaos, home: &Home) -> Report {
    println!("{}={} HITHER_KILLS={}", random::SEED_VARIABLE, chaos.seed, chaos.kills);
    let report = chaos.run(home).unwrap();
    println!("{report}");
    report
}

/// The same check finds a gateway that is wrong on purpose, and says what is wrong with it: not in
/// every run, as kills must hit the right moment, but soon.
fn finds(mutant: &str, chaos: &Chaos, words: &str) {
    let found = (0..RUNS_MAX).any(|more| {
        let chaos = Chaos { seed: chaos.seed + more, ..chaos.clone() };
        let report = run(&chaos, &home().variable("HITHER_MUTANT", mutant));
        report.violations.iter().any(|violation| violation.contains(words))
    });
    assert!(found, "{mutant} survived {RUNS_MAX} runs of {} kills", chaos.kills);
}

/// Each read of the gateway takes long, so that kills hit what lies just before and behind it.
fn slowly(chaos: Chaos) -> Chaos {
    Chaos { through: Injection::slow("read", 300).words(), ..chaos }
}

#[test]
fn control_a_naive_reader_is_found() {
    finds("naive", &chaos(20), "is wrong");
}

#[test]
fn control_a_recovery_that_skips_is_found() {
    finds("skips-unread", &chaos(20), "is wrong");
}

#[test]
fn control_a_reader_that_forgets_pending_is_found() {
    finds("forgets-pending", &slowly(chaos(40)), "is wrong");
}

#[test]
fn control_a_head_published_too_early_is_found() {
    finds("publishes-first", &slowly(chaos(40)), "is wrong");
}

#[test]
fn control_a_resume_off_by_one_is_found() {
    finds("resumes-beyond", &chaos(5), "must not come now");
}

#[test]
fn control_forgotten_input_is_found() {
    let chaos = Chaos { patience: Duration::from_secs(5), ..chaos(5) };
    finds("forgets-input", &chaos, "typist");
}

/// Gateways that need three seconds to start are found, however much of the machine they get.
#[test]
fn control_gateways_that_come_back_late_are_found() {
    const LATE: [&str; 4] = ["sh", "-c", "sleep 3; exec \"$@\"", "sh"];
    let through = LATE.map(str::to_owned).to_vec();
    // A gateway that is killed while it is still starting does not count.
    let late = Chaos { strict: Strict::Always, through, ..chaos(2) };
    let found = (0..RUNS_MAX).any(|more| {
        let report = run(&Chaos { seed: late.seed + more, ..late.clone() }, &home());
        let longest = report.back.first().is_some_and(|&back| back >= Duration::from_secs(3));
        longest && report.violations.iter().any(|violation| violation.contains("were back after"))
    });
    assert!(found, "late gateways survived {RUNS_MAX} runs");
}

/// The right reader survives what finds the careless ones.
#[test]
fn k01_gateways_killed_around_reads_lose_and_double_nothing() {
    let report = run(&slowly(chaos(40)), &home());
    assert_eq!(report.violations, Vec::<String>::new());
}

#[test]
fn k10_stopped_ended_and_starved_gateways_lose_and_double_nothing() {
    let faults = vec![Kind::Kill, Kind::Terminate, Kind::Pause, Kind::NoDescriptors, Kind::NoSpace];
    let chaos = Chaos { faults, ..chaos(kills(300) / 8) };
    let report = run(&chaos, &home());
    assert_eq!(report.violations, Vec::<String>::new());
    assert_eq!(report.kills, chaos.kills);
}

/// Row K06 at random moments: programs that are replaced, killed while they are, and killed again.
#[test]
fn k06_upgrades_among_kills_lose_and_double_nothing() {
    let faults = vec![Kind::Upgrade, Kind::Upgrade, Kind::Kill, Kind::Terminate];
    let chaos = Chaos { faults, ..chaos(kills(300) / 8) };
    let report = run(&chaos, &home());
    assert_eq!(report.violations, Vec::<String>::new());
    assert_eq!(report.kills, chaos.kills);
    assert!(report.upgrades > 0, "some went through undisturbed");
}

#[test]
fn k01_killed_gateways_lose_and_double_nothing() {
    let chaos = chaos(kills(300));
    let report = run(&chaos, &home());
    assert_eq!(report.violations, Vec::<String>::new());
    assert_eq!(report.kills, chaos.kills);
    assert!(report.connections > u64::from(chaos.kills), "viewers came back after kills");
    assert!(report.bytes > report.written, "several viewers were shown the same output");
}
