//! The table of `hither top`.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::commands::sessions::Session;
use crate::commands::table::{columns, shown};

/// The line of headings in a table.
pub(super) const HEADINGS_AT: usize = 2;

/// What was counted last, to tell how fast it grows.
#[derive(Debug, Default)]
pub(super) struct Rates {
    bytes: HashMap<String, u64>,
    at: Option<Instant>,
}

impl Rates {
    /// Bytes that have come since; none for a session that was not there.
    fn grown(&self, session: &Session) -> Option<u64> {
        let before = self.bytes.get(&session.id)?;
        Some(session.output_bytes.saturating_sub(*before))
    }
}

/// A summary, an empty line, headings, and a line for each session, those that write most first.
pub(super) fn table(sessions: &[Session], rates: &mut Rates, now: Instant) -> Vec<String> {
    let headings = ["SESSION", "STATE", "VIEWERS", "OUTPUT", "RATE", "ECHO", "NETWORK", "COMMAND"];
    let elapsed = rates.at.map(|at| now.saturating_duration_since(at));
    let mut busiest: Vec<&Session> = sessions.iter().collect();
    busiest.sort_by_key(|session| Reverse(rates.grown(session)));
    let rows = busiest.into_iter().map(|session| row(session, rates, elapsed));
    let lines = columns(headings.map(str::to_owned), rows);
    let bytes = sessions.iter().map(|session| (session.id.clone(), session.output_bytes));
    *rates = Rates { bytes: bytes.collect(), at: Some(now) };
    [summary(sessions), String::new()].into_iter().chain(lines).collect()
}

fn summary(sessions: &[Session]) -> String {
    let running = sessions.iter().filter(|session| session.status == "running").count();
    let viewers: u32 = sessions.iter().map(|session| session.clients).sum();
    let plural = if viewers == 1 { "" } else { "s" };
    format!("{running} running, {} ended, {viewers} viewer{plural}", sessions.len() - running)
}

fn row(session: &Session, rates: &Rates, elapsed: Option<Duration>) -> [String; 8] {
    let grown = rates.grown(session).zip(elapsed.filter(|time| !time.is_zero()));
    let rate = grown.map_or_else(
        || "-".to_owned(),
        |(grown, elapsed)| {
            let micros = elapsed.as_micros().max(1);
            let rate = u128::from(grown) * 1_000_000 / micros;
            format!("{}/s", size(u64::try_from(rate).unwrap_or(u64::MAX)))
        },
    );
    let time = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}ms"));
    [
        shown(&session.id),
        shown(if session.lost { "lost" } else { &session.status }),
        session.clients.to_string(),
        size(session.output_bytes),
        rate,
        time(session.echo_ms),
        time(session.round_trip_ms),
        shown(&session.command),
    ]
}

/// A number of bytes with at most four digits and its unit.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut unit = 0;
    let mut rest = bytes;
    while rest >= 10_000 && unit + 1 < units.len() {
        rest /= 1024;
        unit += 1;
    }
    format!("{rest}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::sessions;

    #[test]
    fn the_rate_is_what_came_since_the_last_table() {
        let list = |bytes: u64| {
            let list = json!([{"id": "aaaa", "status": "running", "clients": 2, "command": "cat\u{1b}",
                "outputBytes": bytes, "echoMs": 0.25}]);
            sessions::read(&list).unwrap()
        };
        let (mut rates, start) = (Rates::default(), Instant::now());
        let first = table(&list(1000), &mut rates, start);
        assert_eq!(first[0], "1 running, 0 ended, 2 viewers");
        assert!(first[3].contains("1000B") && first[3].contains(" - "), "{first:?}");
        let second = table(&list(41_960), &mut rates, start + Duration::from_secs(2));
        assert!(second[3].contains("40KiB"), "{second:?}");
        let rest = second[3].split("40KiB").nth(1).unwrap();
        let cells: Vec<_> = rest.split_whitespace().collect();
        assert_eq!(cells, ["20KiB/s", "0.2ms", "-", "cat\\x1b"]);
    }

    #[test]
    fn sizes_have_few_digits() {
        for (bytes, expect) in
            [(0, "0B"), (9999, "9999B"), (10_240, "10KiB"), (u64::MAX, "16383PiB")]
        {
            assert_eq!(size(bytes), expect);
        }
    }
}
