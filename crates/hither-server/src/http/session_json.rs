//! The JSON forms of sessions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use hither_core::{ExitStatus, ShellPhase, WindowSize, signal_name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::new_session::{invalid_size, is_plain};
use super::problem::Problem;
use super::time::Rfc3339;
use crate::sessions::{SessionInfo, Signal, Status};

/// A session.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Session")]
pub(crate) struct SessionJson<'a> {
    /// Its name, in every path below `/api/sessions`.
    pub(crate) id: &'a str,
    /// What the program, or somebody, called it: a text, never markup.
    pub(crate) title: &'a str,
    /// What was executed, as one would type it into a shell.
    pub(crate) command: String,
    /// Directory that it was started in.
    cwd: Cow<'a, str>,
    /// Columns of its window.
    cols: u16,
    /// Rows of its window.
    rows: u16,
    /// When it was started (RFC 3339).
    created_at: Rfc3339,
    /// When it last read input, wrote output or changed size (RFC 3339).
    updated_at: Rfc3339,
    /// Whether its program runs.
    status: StatusJson,
    /// Whether its program runs.
    active: bool,
    /// Attached viewers.
    clients: usize,
    /// Bytes of output so far: the offset at which it ends.
    output_bytes: u64,
    /// Milliseconds between a keystroke and its echo inside of the server's machine, as of the last
    /// few that were timed; absent if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    echo_ms: Option<f64>,
    /// Milliseconds of the network's round trip to whoever typed last; absent if not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    round_trip_ms: Option<f64>,
    /// Program and arguments, as they were executed.
    argv: &'a [String],
    /// Labels, by name.
    labels: &'a BTreeMap<String, String>,
    /// What its shell is doing, as far as it tells.
    shell: ShellJson,
    /// Exit code of the last command of its shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_exit_code: Option<i32>,
    /// Directory that its shell is in, as it says itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<&'a str>,
    #[serde(flatten)]
    exit: Option<ExitJson>,
}

/// Whether a program runs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Status")]
pub(crate) enum StatusJson {
    /// It runs.
    Running,
    /// It has ended; history and screen are still there.
    Exited,
}

/// What a shell is doing.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Shell")]
enum ShellJson {
    /// It never said: it is no shell, or one without integration.
    Unknown,
    /// It waits for a command.
    Prompt,
    /// It runs a command.
    Running,
}

/// How a child ended. All absent: its status could not be learned.
#[derive(Clone, Debug, Default, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Exit")]
pub(crate) struct ExitJson {
    /// Status that it exited with.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    /// Name of the signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_signal: Option<String>,
    /// It cannot be reached: the PTY host died, or could not hand it over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lost: bool,
}

/// A window size.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "Size")]
pub(crate) struct SizeJson {
    /// Columns.
    #[schemars(required, range(min = 2, max = 1000))]
    cols: Option<u32>,
    /// Rows.
    #[schemars(required, range(min = 1, max = 500))]
    rows: Option<u32>,
}

/// A signal, by its name.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Signal")]
pub(crate) struct SignalJson {
    /// `HUP`, `INT`, `QUIT`, `KILL`, `USR1`, `USR2`, `TERM`, `CONT`, `STOP` or `TSTP`, with or
    /// without `SIG` before it.
    #[schemars(required)]
    signal: Option<String>,
}

impl<'a> From<&'a SessionInfo> for SessionJson<'a> {
    fn from(info: &'a SessionInfo) -> Self {
        let (status, exit) = match info.status {
            Status::Running => (StatusJson::Running, None),
            Status::Exited(status) => (StatusJson::Exited, Some(status.into())),
        };
        Self {
            id: info.id.as_str(),
            title: &info.title,
            command: command_line(&info.command),
            cwd: info.cwd.to_string_lossy(),
            cols: info.size.cols(),
            rows: info.size.rows(),
            created_at: Rfc3339::of(info.created),
            updated_at: Rfc3339::of(info.updated),
            status,
            active: info.status == Status::Running,
            clients: info.viewers,
            output_bytes: info.output_bytes,
            echo_ms: info.echo.map(milliseconds),
            round_trip_ms: info.round_trip.map(milliseconds),
            argv: &info.command,
            labels: &info.labels,
            shell: match info.shell {
                ShellPhase::Unknown => ShellJson::Unknown,
                ShellPhase::Prompt => ShellJson::Prompt,
                ShellPhase::Running => ShellJson::Running,
            },
            last_exit_code: info.last_exit,
            directory: info.directory.as_deref(),
            exit,
        }
    }
}

impl From<ExitStatus> for ExitJson {
    fn from(status: ExitStatus) -> Self {
        let none = Self::default();
        match status {
            ExitStatus::Code(code) => Self { exit_code: Some(code), ..none },
            ExitStatus::Signal(number) => Self { exit_signal: Some(signal_name(number)), ..none },
            ExitStatus::Unknown => none,
            ExitStatus::Lost => Self { lost: true, ..none },
        }
    }
}

impl ExitJson {
    /// An event, which is an object, with these members.
    pub(crate) fn added_to(&self, mut event: Value) -> Value {
        let members = serde_json::to_value(self).ok();
        for (name, value) in members.as_ref().and_then(Value::as_object).into_iter().flatten() {
            event[name] = value.clone();
        }
        event
    }
}

impl SignalJson {
    /// The signal.
    pub(crate) fn parse(self) -> Result<Signal, Problem> {
        let named = self.signal.and_then(|name| Signal::from_name(&name));
        named.ok_or_else(|| {
            let names = Signal::ALL.map(|(_, name)| name).join(", ");
            Problem::bad_request("invalid_signal", format!("signal must be one of {names}"))
        })
    }
}

impl SizeJson {
    /// The size, of which both sides must be there.
    pub(crate) fn parse(self) -> Result<WindowSize, Problem> {
        match (self.cols, self.rows) {
            (Some(cols), Some(rows)) => WindowSize::new(cols, rows).map_err(invalid_size),
            _ => Err(invalid_size("cols and rows must be there")),
        }
    }
}

/// Milliseconds, to the microsecond.
fn milliseconds(time: Duration) -> f64 {
    Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)).as_secs_f64() * 1e3
}

/// Program and arguments as a line for a POSIX shell.
fn command_line(argv: &[String]) -> String {
    let word = |word: &String| {
        if !word.is_empty() && word.chars().all(|char| is_plain(char) || "=,".contains(char)) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_commands_as_a_shell_reads_them() {
        for (argv, expect) in [
            (vec!["ls", "-l"], "ls -l"),
            (vec!["sh", "-c", "echo it's $HOME"], r"sh -c 'echo it'\''s $HOME'"),
            (vec!["x", "", "--a=b"], "x '' --a=b"),
        ] {
            let argv: Vec<_> = argv.into_iter().map(str::to_owned).collect();
            assert_eq!(command_line(&argv), expect);
        }
    }

    #[test]
    fn shows_how_it_ended() {
        for (status, expect) in [
            (ExitStatus::Code(3), r#"{"exitCode":3}"#),
            (ExitStatus::Signal(9), r#"{"exitSignal":"SIGKILL"}"#),
            (ExitStatus::Unknown, "{}"),
            (ExitStatus::Lost, r#"{"lost":true}"#),
        ] {
            assert_eq!(serde_json::to_string(&ExitJson::from(status)).unwrap(), expect);
        }
    }
}
