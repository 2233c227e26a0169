//! What a run of chaos came to, and whether viewers were back in time.

use std::time::Duration;

use crate::typist::Typed;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Kills and other faults that were done.
    pub kills: u32,
    /// Kills while the gateway was still starting, or its successor.
    pub early_kills: u32,
    /// Upgrades after which every viewer was shown output before anything else happened.
    pub upgrades: u32,
    /// Bytes that viewers were shown, all of them checked.
    pub bytes: u64,
    /// Bytes that the programs wrote.
    pub written: u64,
    /// Connections on which viewers were welcomed.
    pub connections: u64,
    /// Gaps that were announced to viewers for whom nobody waits.
    pub gaps: u64,
    /// From each kill or upgrade until the last viewer was shown new output, longest first.
    pub back: Vec<Duration>,
    /// How many times longer than on an idle machine everything took.
    pub contention: f64,
    /// Records of input that arrived.
    pub input: u64,
    /// Records of input that a gateway took with it unacknowledged.
    pub input_lost_in_doubt: u64,
    /// Everything that broke a promise.
    pub violations: Vec<String>,
}

/// Viewers are back within this time after 99 of 100 kills: the promise of docs/reliability.md.
const BACK_MAX: Duration = Duration::from_secs(2);

impl Report {
    /// Holds the gateways to the time within which viewers have to be back.
    pub(super) fn check_back(&mut self, strict: bool) {
        self.back.sort_by(|a, b| b.cmp(a));
        let allowed = if strict { BACK_MAX } else { BACK_MAX.mul_f64(self.contention) };
        let back = self.back_within(1);
        if back > allowed {
            let text = format!("99 of 100 were back after {back:?}, {allowed:?} is allowed");
            self.violations.push(text);
        }
    }

    /// The time within which viewers were back after all but so many of 100 kills.
    fn back_within(&self, but: usize) -> Duration {
        self.back.get(self.back.len() * but / 100).copied().unwrap_or_default()
    }

    /// What the typist with this client id came to.
    pub(super) fn add_input(&mut self, typed: &Typed, client: u64, log: &[u8]) {
        if let Some(violation) = &typed.violation {
            self.violations.push(format!("typist: {violation}"));
            return;
        }
        match typed.check(client, log) {
            Ok(sunk) if sunk.lost_in_doubt > self.kills.into() => {
                let text = format!("{} records in doubt are lost", sunk.lost_in_doubt);
                self.violations.push(text);
            }
            Ok(sunk) => (self.input, self.input_lost_in_doubt) = (sunk.arrived, sunk.lost_in_doubt),
            Err(text) => self.violations.push(format!("input: {text}")),
        }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} faults ({} while starting), {} upgrades, {} connections, {} bytes written, {} bytes \
             checked, {} gaps announced",
            self.kills,
            self.early_kills,
            self.upgrades,
            self.connections,
            self.written,
            self.bytes,
            self.gaps
        )?;
        writeln!(
            f,
            "back after a fault: longest {:?}, 99 of 100 within {:?}, 9 of 10 within {:?}, half within \
             {:?}; contention {:.1}",
            self.back_within(0),
            self.back_within(1),
            self.back_within(10),
            self.back_within(50),
            self.contention
        )?;
        writeln!(
            f,
            "input: {} records arrived once and in order, {} in doubt when a gateway died did not",
            self.input, self.input_lost_in_doubt
        )?;
        for violation in &self.violations {
            writeln!(f, "VIOLATION: {violation}")?;
        }
        write!(f, "{} violations", self.violations.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_are_back_too_late_are_found() {
        let times = |late: usize, count: usize, millis: u64| -> Vec<Duration> {
            let soon = std::iter::repeat_n(Duration::from_millis(80), count - late);
            soon.chain(std::iter::repeat_n(Duration::from_millis(millis), late)).collect()
        };
        for (back, contention, strict, found) in [
            (times(0, 300, 0), 1.0, true, false),
            (times(1, 1, 2_001), 1.0, true, true),
            (times(1, 1, 2_000), 1.0, true, false),
            // One in a hundred may be late.
            (times(3, 300, 9_000), 1.0, true, false),
            (times(4, 300, 9_000), 1.0, true, true),
            // On a busy machine as much more time is allowed, unless it has to be in full.
            (times(4, 300, 5_000), 3.0, false, false),
            (times(4, 300, 5_000), 3.0, true, true),
            (times(4, 300, 6_001), 3.0, false, true),
            // Without a kill there is nothing to be late for.
            (Vec::new(), 1.0, true, false),
        ] {
            let text = format!("{} of {}, {contention}, {strict}", back.len(), back.len());
            let mut report = Report { back, contention, ..Report::default() };
            report.check_back(strict);
            assert_eq!(!report.violations.is_empty(), found, "{text}: {:?}", report.violations);
        }
    }
}
