//! The page's terminal, run by node (see `oracle/`).

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use hither_core::WindowSize;
use serde_json::{Value, json};

/// Set to `1`, a missing oracle is a failure.
const REQUIRED: &str = "HITHER_REQUIRE_ORACLE";

/// A running oracle.
pub(crate) struct Oracle {
    child: Child,
    jobs: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// Something done to a terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op<'a> {
    /// Output comes.
    Write(&'a [u8]),
    /// The window changes.
    Resize(WindowSize),
}

/// Two ways to a terminal.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) size: WindowSize,
    pub(crate) scrollback: usize,
    pub(crate) left: &'a [Op<'a>],
    pub(crate) right: &'a [Op<'a>],
    /// Written to both afterwards; what cannot be seen shows then.
    pub(crate) probe: &'a [u8],
}

/// What was compared, and how much of it differs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) cells: (u64, u64),
    pub(crate) wraps: (u64, u64),
    pub(crate) cursors: (u64, u64),
    pub(crate) modes: (u64, u64),
    pub(crate) differences: Vec<String>,
    pub(crate) replies: String,
    /// The page's terminal threw an exception on the way on the left.
    pub(crate) failed: bool,
}

impl Oracle {
    /// Starts it; `None`, with a word why, when it is not installed and not required.
    #[expect(clippy::disallowed_methods, reason = "make test says that the oracle must be there")]
    pub(crate) fn start() -> Option<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("oracle");
        let installed = folder.join("node_modules").is_dir();
        let started = Command::new("node")
            .arg(folder.join("oracle.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        match started {
            Ok(mut child) if installed => {
                let jobs = child.stdin.take();
                let answers = BufReader::new(child.stdout.take().expect("stdout is piped"));
                Some(Self { child, jobs, answers })
            }
            other => {
                let required = std::env::var(REQUIRED).is_ok_and(|value| value == "1");
                assert!(!required, "the oracle is required: npm ci in {}", folder.display());
                if let Ok(mut child) = other {
                    child.kill().expect("the child is ours");
                    child.wait().expect("the child is ours");
                }
                println!("skipped: node or {}/node_modules is missing", folder.display());
                None
            }
        }
    }

    /// Runs a job.
    pub(crate) fn compare(&mut self, job: &Job<'_>) -> Tally {
        let ops = |ops: &[Op<'_>]| ops.iter().map(op).collect::<Vec<Value>>();
        let line = json!({
            "cols": job.size.cols(),
            "rows": job.size.rows(),
            "scrollback": job.scrollback,
            "left": ops(job.left),
            "right": ops(job.right),
            "probe": if job.probe.is_empty() { Value::Null } else { op(&Op::Write(job.probe)) },
        });
        let jobs = self.jobs.as_mut().expect("the oracle is running");
        writeln!(jobs, "{line}").expect("the oracle reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the oracle answers");
        tally(&serde_json::from_str(&answer).expect("the oracle answers in JSON"))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.jobs = None;
        self.child.wait().expect("the oracle ends with its input");
    }
}

fn op(op: &Op<'_>) -> Value {
    match op {
        Op::Write(bytes) => json!({ "write": base64(bytes) }),
        Op::Resize(size) => json!({ "resize": [size.cols(), size.rows()] }),
    }
}

fn tally(answer: &Value) -> Tally {
    let count = |name: &str| answer[name].as_u64().unwrap_or(0);
    let pair = |all: &str, different: &str| (count(all), count(different));
    let words = answer["differences"].as_array().cloned().unwrap_or_default();
    Tally {
        cells: pair("cells", "cellsDifferent"),
        wraps: pair("wraps", "wrapsDifferent"),
        cursors: pair("cursors", "cursorsDifferent"),
        modes: pair("modes", "modesDifferent"),
        differences: words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        replies: answer["replies"].as_str().unwrap_or_default().to_owned(),
        failed: answer["failed"].is_string(),
    }
}

impl Tally {
    /// Adds another job's.
    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.cells, other.cells),
            (&mut self.wraps, other.wraps),
            (&mut self.cursors, other.cursors),
            (&mut self.modes, other.modes),
        ] {
            *sum = (sum.0 + more.0, sum.1 + more.1);
        }
    }

    /// Whether nothing differs.
    pub(crate) fn is_equal(&self) -> bool {
        [self.cells, self.wraps, self.cursors, self.modes]
            .iter()
            .all(|&(_, different)| different == 0)
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3)
            .fold(0_u32, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * at) & 63).expect("six bits");
            text.push(if at <= chunk.len() { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    text
}
