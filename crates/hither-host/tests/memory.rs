//! What the host costs at 1,000 sessions.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::Instant;

use hither_core::SessionId;
use support::{Host, request};

/// Proportional and private memory of the host, in KiB.
fn memory_kib(host: &Host) -> (u64, u64) {
    let rollup = host.proc("smaps_rollup");
    let value = |name: &str| -> u64 {
        let fields = support::field(&rollup, name);
        fields.trim_end_matches(" kB").trim().parse().unwrap()
    };
    (value("Pss"), value("Private_Dirty"))
}

#[test]
#[ignore = "starts 1,000 processes; meant for cargo test --release -- --ignored --nocapture"]
fn a_thousand_sessions_fit_into_two_mebibytes() {
    let host = Host::start();
    let mut client = host.claim();
    println!("empty: PSS and private dirty {:?} KiB", memory_kib(&host));
    let start = Instant::now();
    let sessions: Vec<_> = (0..1000_u16)
        .map(|number| {
            let mut request = request(1, &["/bin/sleep", "1000"]);
            let [high, low] = number.to_be_bytes();
            request.session = SessionId::from_random([0, 0, 0, 0, 0, 0, 0, 0, high, low]);
            client.spawn(request)
        })
        .collect();
    println!("{} spawns in {:?}", sessions.len(), start.elapsed());
    let (pss, dirty) = memory_kib(&host);
    println!("1,000 sessions: PSS {pss} KiB, private dirty {dirty} KiB");
    let start = Instant::now();
    drop((client, sessions));
    let adopted = host.connect().claim().unwrap().len();
    println!("{adopted} sessions adopted in {:?}", start.elapsed());
    assert_eq!(adopted, 1000);
    assert!(pss < 2048, "{pss}");
}
