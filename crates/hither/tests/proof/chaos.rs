//! Gateways killed at random moments, under floods.

use std::time::Duration;

use hither_testkit::chaos::{Chaos, Report};
use hither_testkit::gateway::Home;
use hither_testkit::{program, random};

const HITHER: &str = env!("CARGO_BIN_EXE_hither");

/// How many kills this run does: as many as the environment says, or `short`.
fn kills(short: u32) -> u32 {
    std::env::var("HITHER_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(short)
}

fn run(home: &Home, kills: u32) -> Report {
    let chaos = Chaos {
        seed: random::seed(),
        kills,
        sessions: 4,
        viewers: 2,
        delay_max: Duration::from_millis(50),
        patience: Duration::from_secs(60),
        testkit: program::testkit(),
    };
    println!("{}={} HITHER_KILLS={kills}", random::SEED_VARIABLE, chaos.seed);
    let report = chaos.run(home).unwrap();
    println!("{report}");
    report
}

#[test]
fn k01_killed_gateways_lose_and_double_nothing() {
    let home = Home::new(HITHER).unwrap().options(&["--history-bytes", "16MiB"]);
    let kills = kills(300);
    let report = run(&home, kills);
    assert_eq!(report.violations, Vec::<String>::new());
    assert_eq!(report.kills, kills);
    assert!(report.connections > u64::from(kills), "viewers came back after kills");
    assert!(report.bytes > report.written, "several viewers were shown the same output");
}
