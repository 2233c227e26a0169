//! A gateway, sessions and viewers for one test.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hither_testkit::account::Account;
use hither_testkit::chaos::seqgen;
use hither_testkit::frame::{Exit, Hello, ServerFrame};
use hither_testkit::gateway::{Gateway, Home};
use hither_testkit::pattern::{Discipline, Kind, Pattern};
use hither_testkit::process::usage;
use hither_testkit::program;
use hither_testkit::viewer::Connection;
use hither_testkit::watch::{Progress, Watch, Watched};

pub(crate) const HITHER: &str = env!("CARGO_BIN_EXE_hither");
/// How long anything may take before it counts as hung.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running gateway in a home of its own. The gateway ends before its home is cleared.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) gateway: Gateway,
    pub(crate) home: Home,
    pub(crate) testkit: PathBuf,
}

/// A session that writes a known stream.
#[derive(Debug)]
pub(crate) struct Flood {
    pub(crate) session: String,
    pub(crate) account: Account,
    pub(crate) pattern: Pattern,
}

/// `long` in the long form of the tests, `short` otherwise.
pub(crate) fn scaled(short: u64, long: u64) -> u64 {
    if std::env::var_os("HITHER_LONG").is_some() { long } else { short }
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

impl Stage {
    pub(crate) fn open(options: &[&str]) -> Self {
        let home = Home::new(HITHER).unwrap().options(options);
        Self { gateway: home.start().unwrap(), home, testkit: program::testkit() }
    }

    /// Runs a line of shell in a session.
    pub(crate) fn shell(&self, line: &str) -> String {
        self.gateway.create(&words(&["sh", "-c", line])).unwrap()
    }

    /// A viewer; without `features` it wants snapshots.
    pub(crate) fn viewer(
        &self,
        session: &str,
        client: u64,
        features: &[&'static str],
    ) -> Connection {
        let hello = Hello { client, features: features.to_vec(), ..Hello::default() };
        let address = self.home.place().address().unwrap();
        Connection::open(address, session, &hello, PATIENCE).unwrap()
    }

    /// Starts a stream of `bytes`; `before` are words of shell that run in the session first.
    pub(crate) fn flood(&self, name: &str, kind: Kind, bytes: u64, before: &str) -> Flood {
        let discipline = if before.is_empty() { Discipline::Raw } else { Discipline::Cooked };
        let pattern = Pattern { seed: bytes, kind, discipline };
        let path = self.home.path().join(name);
        let account = Account::create(&path, bytes).unwrap();
        let mut command = seqgen(&self.testkit, pattern, &path);
        if !before.is_empty() {
            command = words(&["sh", "-c", &format!("{before}; exec {}", command.join(" "))]);
        }
        let session = self.gateway.create(&command).unwrap();
        Flood { session, account, pattern }
    }

    /// Waits until the gateway holds at most `most` descriptors.
    pub(crate) fn expect_descriptors(&self, most: usize) {
        let until = Instant::now() + PATIENCE;
        loop {
            let now = usage(self.gateway.pid()).unwrap().descriptors;
            if now <= most {
                return;
            }
            assert!(Instant::now() < until, "{now} descriptors, at most {most} are due");
            // Each request is a turn of the control plane, which cleans up behind connections.
            self.gateway.request("GET", "/api/sessions", &serde_json::Value::Null).unwrap();
        }
    }

    /// Watches a flood to its end.
    pub(crate) fn watch(&self, flood: &Flood, features: &[&'static str]) -> Watched {
        let watch = Watch {
            session: flood.session.clone(),
            client: 1,
            features: features.to_vec(),
            pattern: flood.pattern,
            patience: PATIENCE,
        };
        let progress = Arc::new(Progress::default());
        let number = progress.enter();
        watch.run(self.home.place(), &progress, number)
    }
}

impl Flood {
    /// The viewer was shown everything that the program wrote.
    pub(crate) fn check(&self, watched: &Watched) {
        assert_eq!(watched.violation, None);
        let written = self.account.written().unwrap();
        assert!(written.ended, "the program came to its end");
        watched.ledger.check_end(self.pattern.output_bytes(written.bytes)).unwrap();
    }
}

/// Reads to the end of a session: its output and how it ended.
pub(crate) fn read_out(mut viewer: Connection) -> (Vec<u8>, Exit) {
    let mut output = Vec::new();
    let exit = viewer.wait_for(PATIENCE, |frame| match frame {
        ServerFrame::Output { bytes, .. } => {
            output.extend_from_slice(bytes);
            None
        }
        ServerFrame::Exit(exit) => Some(exit.clone()),
        _ => None,
    });
    let exit = exit.unwrap_or_else(|lost| {
        panic!("no exit behind {:?}: {lost}", String::from_utf8_lossy(&output))
    });
    (output, exit)
}

/// Reads until the output contains `text`; gives everything up to there.
pub(crate) fn read_until(viewer: &mut Connection, text: &str) -> String {
    let mut output = Vec::new();
    let found = viewer.wait_for(PATIENCE, |frame| {
        if let ServerFrame::Output { bytes, .. } = frame {
            output.extend_from_slice(bytes);
        }
        String::from_utf8_lossy(&output).contains(text).then_some(())
    });
    let output = String::from_utf8_lossy(&output).into_owned();
    assert!(found.is_ok(), "no {text:?} in {output:?}: {found:?}");
    output
}
