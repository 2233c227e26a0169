//! A session that floods, and what its viewers were shown of it.

use std::io;
use std::thread::JoinHandle;

use super::Report;
use crate::account::Account;
use crate::pattern::{self, Discipline, Pattern};
use crate::watch::Watched;

/// One session that floods.
#[derive(Debug)]
pub(super) struct Flood {
    pub(super) account: Account,
    pub(super) pattern: Pattern,
    pub(super) viewers: Vec<JoinHandle<Watched>>,
}

impl Flood {
    /// Lets the program end and compares its account with what each viewer was shown.
    pub(super) fn finish(self, number: usize, report: &mut Report) -> io::Result<()> {
        self.account.limit(0)?;
        let watched: Vec<_> = self.viewers.into_iter().map(JoinHandle::join).collect();
        let written = self.account.written()?;
        report.written += written.bytes;
        for watched in watched {
            let Ok(watched) = watched else {
                report.violations.push(format!("a viewer of session {number} panicked"));
                continue;
            };
            report.bytes += watched.ledger.bytes();
            report.connections += watched.connections;
            report.gaps += watched.ledger.gaps().len() as u64;
            if let Some(violation) = watched.violation {
                report.violations.push(violation);
                continue;
            }
            let output = self.pattern.output_bytes(written.bytes);
            if let Err(violation) = watched.ledger.check_end(output) {
                report.violations.push(format!("session {number}: {violation}"));
            }
        }
        Ok(())
    }
}

/// The command of a session that writes this pattern and notes it at `account`.
#[must_use]
pub fn seqgen(
    testkit: &std::path::Path,
    pattern: Pattern,
    account: &std::path::Path,
) -> Vec<String> {
    let mut words = vec![testkit.display().to_string(), "seqgen".to_owned()];
    words.extend(["--seed".to_owned(), pattern.seed.to_string(), "--account".to_owned()]);
    words.push(account.display().to_string());
    if pattern.kind == pattern::Kind::Noise {
        words.push("--noise".to_owned());
    }
    if pattern.discipline == Discipline::Cooked {
        words.push("--cooked".to_owned());
    }
    words
}
