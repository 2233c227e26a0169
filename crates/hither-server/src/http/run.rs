//! `POST /api/sessions/{id}/run`: a command for the session's shell, and what came of it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::State;
use hither_core::{Offset, SessionId, ShellPhase};
use hither_screen::PlainText;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::access::Access;
use super::app::App;
use super::body::JsonBody;
use super::handle::{SessionHandle, level};
use super::problem::Problem;
use super::serve::stopped;
use super::session_json::ExitJson;
use super::session_routes::IdInPath;
use super::wait::timeout;
use crate::sessions::{Patience, SessionError};

type Session<'a> = SessionHandle<'a, level::Write>;

/// Longest command in bytes: a line of a terminal in canonical mode has 4,095 (termios(3)).
const COMMAND_BYTES_MAX: usize = 4000;
/// Most output of a command in an answer, in bytes as written; the beginning is left out.
const OUTPUT_BYTES_MAX: u64 = 1 << 20;
/// Ctrl-U: whatever somebody had begun to type is not part of the command.
const KILL_LINE: &str = "\x15";

/// A command for the shell.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CommandLine")]
pub(crate) struct RunJson {
    /// One line, as somebody would type it.
    #[schemars(required, length(min = 1, max = 4000))]
    command: Option<String>,
    /// Most milliseconds to wait for its end; 30,000 if absent. It goes on running after that.
    #[schemars(range(max = 600_000))]
    timeout_ms: Option<u32>,
}

/// What came of a command.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Ran")]
pub(crate) struct RanJson {
    /// Why the answer comes now.
    reason: Reason,
    /// Its exit code, when it has ended and the shell said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    command_exit_code: Option<i32>,
    /// Its output without control functions.
    output: String,
    /// Whether the beginning of the output is left out, because it is more than 1 MiB or not kept.
    truncated: bool,
    /// Offset at which its output begins.
    from: u64,
    /// Offset at which its output ends, so far.
    offset: u64,
    #[serde(flatten)]
    exit: Option<ExitJson>,
}

/// Why a run is answered.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "RunReason")]
enum Reason {
    /// The command has ended.
    Done,
    /// The program of the session has ended.
    Exit,
    /// The time was over; the command goes on.
    Timeout,
}

/// The sessions in which a command runs that somebody waits for.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<HashSet<SessionId>>);

/// A place among them, for as long as it lives.
struct Place<'a> {
    runs: &'a Runs,
    id: SessionId,
}

impl Runs {
    fn enter(&self, id: SessionId) -> Option<Place<'_>> {
        // Not `then_some`: a place that is dropped gives up what another one holds.
        let is_free = self.held().insert(id);
        is_free.then(|| Place { runs: self, id })
    }

    fn held(&self) -> MutexGuard<'_, HashSet<SessionId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.runs.held().remove(&self.id);
    }
}

/// `POST /api/sessions/{id}/run`
pub(crate) async fn run(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody<RunJson>,
) -> Result<Json<RanJson>, Problem> {
    let command = command(body.command.unwrap_or_default())?;
    let deadline = Instant::now() + timeout(body.timeout_ms)?;
    let session = app.session(access.principal(), id, level::Write)?;
    let _place = app.runs.enter(id).ok_or_else(busy)?;
    let mut stop = app.stop.clone();
    tokio::select! {
        () = stopped(&mut stop) => Err(SessionError::Stopping.into()),
        denied = app.auth.withdrawn(access.principal()) => Err(denied.into()),
        ran = carry_out(&session, &command, deadline) => Ok(Json(ran?)),
    }
}

async fn carry_out(
    session: &Session<'_>,
    command: &str,
    deadline: Instant,
) -> Result<RanJson, Problem> {
    await_prompt(session, deadline).await?;
    let before = session.head().await?;
    session.input(format!("{KILL_LINE}{command}\r").into_bytes()).await?;
    follow(session, before, deadline).await
}

/// Between the end of a command and the next prompt a shell is not busy: the prompt is waited for.
async fn await_prompt(session: &Session<'_>, deadline: Instant) -> Result<(), Problem> {
    loop {
        let head = session.head().await?;
        let shell = session.shell()?;
        let runs = shell.last_command().is_some_and(|command| command.end.is_none());
        match shell.phase() {
            ShellPhase::Prompt => return Ok(()),
            ShellPhase::Unknown => return Err(no_integration()),
            ShellPhase::Running if runs => return Err(busy()),
            ShellPhase::Running => {}
        }
        let waited = timeout_at(deadline, session.output(Some(head), Patience::Wait)).await;
        if waited.map_err(|_| busy())??.ended.is_some() {
            return Err(SessionError::Exited.into());
        }
    }
}

fn command(command: String) -> Result<String, Problem> {
    let is_good = !command.trim().is_empty()
        && command.len() <= COMMAND_BYTES_MAX
        && !command.chars().any(char::is_control);
    is_good.then_some(command).ok_or_else(|| {
        let detail = format!(
            "command must be one line of 1 to {COMMAND_BYTES_MAX} bytes without control characters"
        );
        Problem::bad_request("invalid_command_line", detail)
    })
}

fn busy() -> Problem {
    let detail = "the shell runs a command; wait for its prompt first";
    Problem::new(StatusCode::CONFLICT, "shell_busy", detail)
}

fn no_integration() -> Problem {
    let detail = "the session's program does not mark its prompts (OSC 133): it is no shell, or has \
                  no shell integration; use input and wait";
    Problem::new(StatusCode::CONFLICT, "no_shell_integration", detail)
}

/// Waits until the command that starts behind `before` has ended.
async fn follow(
    session: &Session<'_>,
    before: Offset,
    deadline: Instant,
) -> Result<RanJson, Problem> {
    let mut at = before;
    loop {
        let started = session.shell()?.first_command_behind(before);
        if let Some((end, code)) = started.and_then(|command| command.end) {
            let from = started.map_or(before, |command| command.start);
            let ran = answer(session, Reason::Done, from..end).await?;
            return Ok(RanJson { command_exit_code: code, ..ran });
        }
        let from = started.map_or(before, |command| command.start);
        let waited = timeout_at(deadline, session.output(Some(at), Patience::Wait)).await;
        let Ok(output) = waited else {
            return answer(session, Reason::Timeout, from..at).await;
        };
        let output = output?;
        at = output.head;
        if let Some(status) = output.ended {
            let ran = answer(session, Reason::Exit, from..at).await?;
            return Ok(RanJson { exit: Some(ExitJson::from(status)), ..ran });
        }
    }
}

async fn answer(
    session: &Session<'_>,
    reason: Reason,
    range: std::ops::Range<Offset>,
) -> Result<RanJson, Problem> {
    let (from, end) = (range.start, range.end);
    let wanted = from.max(Offset(end.0.saturating_sub(OUTPUT_BYTES_MAX)));
    let (start, bytes) = read(session, wanted, end).await?;
    let mut text = String::new();
    PlainText::new().feed(command_output(&bytes), &mut |piece, _| text += piece);
    Ok(RanJson {
        reason,
        command_exit_code: None,
        output: text,
        truncated: start > from,
        from: from.0,
        offset: end.0,
        exit: None,
    })
}

/// The output from `from` to `end`, or as much of it as is kept.
async fn read(
    session: &Session<'_>,
    from: Offset,
    end: Offset,
) -> Result<(Offset, Vec<u8>), Problem> {
    let (mut start, mut at, mut bytes) = (None, from, Vec::new());
    while at < end {
        let output = session.output(Some(at), Patience::Now).await?;
        if output.from > at {
            // What was read so far is no longer followed by what comes now.
            (start, bytes) = (None, Vec::new());
        }
        start = start.or(Some(output.from));
        at = output.from.plus(output.bytes.len() as u64);
        bytes.extend(output.bytes);
        if at >= output.head {
            break;
        }
    }
    let beyond = usize::try_from(at.since(end)).unwrap_or(usize::MAX);
    bytes.truncate(bytes.len().saturating_sub(beyond));
    Ok((start.unwrap_or(from), bytes))
}

/// What is between the marks: without the rest of the mark before it, and the mark behind it.
fn command_output(bytes: &[u8]) -> &[u8] {
    const MARK: &[u8] = b"\x1b]133;D";
    let bytes = bytes.strip_prefix(b"\\").unwrap_or(bytes);
    let tail = bytes.len().saturating_sub(MARK.len() + 64);
    let mark = bytes[tail..].windows(MARK.len()).rposition(|window| window == MARK);
    mark.map_or(bytes, |at| &bytes[..tail + at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_is_what_lies_between_the_marks() {
        for (bytes, expect) in [
            (b"hi\r\n\x1b]133;D;0\x07".as_slice(), b"hi\r\n".as_slice()),
            (b"\\hi\r\n\x1b]133;D;0\x1b", b"hi\r\n"),
            (b"\x1b]133;D\x07", b""),
            (b"no mark", b"no mark"),
            (b"", b""),
        ] {
            assert_eq!(command_output(bytes), expect, "{bytes:?}");
        }
    }

    #[test]
    fn a_command_is_one_line() {
        for text in ["", " ", "a\nb", "a\rb", "\x03", "a\tb", &"x".repeat(COMMAND_BYTES_MAX + 1)] {
            assert!(command(text.to_owned()).is_err(), "{text:?}");
        }
        assert!(command("ls -l | wc".to_owned()).is_ok());
    }

    #[test]
    fn one_run_at_a_time() {
        let runs = Runs::default();
        let id = SessionId::from_random([1; 10]);
        let place = runs.enter(id);
        assert!(place.is_some() && runs.enter(id).is_none());
        drop(place);
        assert!(runs.enter(id).is_some());
    }
}
