//! `POST /api/sessions/{id}/wait`: until something happens in a session.
//!
//! A wait is a cursor into the session's output: it asks the worker for the next run of output,
//! looks at it here, and asks again. Nothing of it is on the path of a keystroke.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use hither_core::{ExitStatus, Offset, ShellPhase};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::access::Access;
use super::app::App;
use super::body::JsonBody;
use super::handle::{SessionHandle, level};
use super::pattern::{MatchJson, Search, find, pattern};
use super::problem::Problem;
use super::serve::stopped;
use super::session_json::ExitJson;
use super::session_routes::IdInPath;
use crate::sessions::{Output, Patience, SessionError};

/// Longest wait.
const TIMEOUT_MS_MAX: u32 = 600_000;
/// A wait that says nothing about its end.
pub(crate) const TIMEOUT_MS_DEFAULT: u32 = 30_000;
/// Longest silence that can be waited for.
const QUIET_MS_MAX: u32 = 60_000;
/// Time between two looks at a screen that changes all the time.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// What to wait for: the first of these that comes true.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Wait", extend("minProperties" = 1))]
pub(crate) struct WaitJson {
    /// Until this regular expression matches new output, without its control functions; `^` and `$`
    /// are the ends of lines.
    #[schemars(length(min = 1, max = 1024))]
    output: Option<String>,
    /// Until this regular expression matches the text of the screen.
    #[schemars(length(min = 1, max = 1024))]
    screen: Option<String>,
    /// Until there was no output for so many milliseconds.
    #[schemars(range(min = 1, max = 60_000))]
    quiet_ms: Option<u32>,
    /// Until the shell waits for a command, as its marks tell (OSC 133). With `from`: at a prompt
    /// behind that offset.
    prompt: Option<bool>,
    /// Until the program has ended; that ends every other wait too.
    exit: Option<bool>,
    /// Offset from which on output is new; absent: the present end. `input` answers with a good one.
    from: Option<u64>,
    /// Most milliseconds to wait; 30,000 if absent.
    #[schemars(range(max = 600_000))]
    timeout_ms: Option<u32>,
}

/// What came true.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Waited")]
pub(crate) struct WaitedJson {
    /// What ended the wait.
    reason: Reason,
    /// Offset behind the match, or of the end of the output that was looked at: where the next wait
    /// continues.
    offset: u64,
    /// What the expression matches; with `output` and `screen`.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    found: Option<MatchJson>,
    /// Exit code of the shell's last command; with `prompt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_exit_code: Option<i32>,
    #[serde(flatten)]
    exit: Option<ExitJson>,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "WaitReason")]
enum Reason {
    /// The expression matches the output.
    Output,
    /// The expression matches the screen.
    Screen,
    /// There was no output for long enough.
    Quiet,
    /// The shell waits for a command.
    Prompt,
    /// The program has ended.
    Exit,
    /// The time was over.
    Timeout,
}

/// `POST /api/sessions/{id}/wait`
pub(crate) async fn wait(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody<WaitJson>,
) -> Result<Json<WaitedJson>, Problem> {
    let session = app.session(access.principal(), id, level::Read)?;
    let wait = Wait::start(body, session)?;
    let mut stop = app.stop.clone();
    tokio::select! {
        () = stopped(&mut stop) => Err(SessionError::Stopping.into()),
        denied = app.auth.withdrawn(access.principal()) => Err(denied.into()),
        waited = wait.run() => Ok(Json(waited?)),
    }
}

/// A wait that goes on.
struct Wait<'a> {
    session: SessionHandle<'a, level::Read>,
    search: Option<Search>,
    screen: Option<Regex>,
    quiet: Option<Duration>,
    prompt: bool,
    /// The prompt must come behind this offset.
    prompt_behind: Option<Offset>,
    deadline: Instant,
    /// Where the next output is asked for; none at first if that is the end.
    at: Option<Offset>,
    /// When output came last.
    heard: Instant,
    /// When the screen is to be looked at; none when it has not changed.
    look_due: Option<Instant>,
}

impl<'a> Wait<'a> {
    fn start(body: WaitJson, session: SessionHandle<'a, level::Read>) -> Result<Self, Problem> {
        let invalid = |detail: &str| Problem::bad_request("invalid_wait", detail);
        let prompt = body.prompt == Some(true);
        let any = body.output.is_some() || body.screen.is_some() || body.quiet_ms.is_some();
        if !any && !prompt && body.exit != Some(true) {
            return Err(invalid("one of output, screen, quietMs, prompt and exit must be there"));
        }
        if body.quiet_ms.is_some_and(|ms| !(1..=QUIET_MS_MAX).contains(&ms)) {
            return Err(invalid(&format!("quietMs must be 1 to {QUIET_MS_MAX}")));
        }
        let now = Instant::now();
        Ok(Self {
            session,
            search: body.output.map(|text| pattern(&text)).transpose()?.map(Search::new),
            screen: body.screen.as_deref().map(pattern).transpose()?,
            quiet: body.quiet_ms.map(|ms| Duration::from_millis(ms.into())),
            prompt,
            prompt_behind: body.from.map(Offset),
            deadline: now + timeout(body.timeout_ms)?,
            at: body.from.map(Offset),
            heard: now,
            look_due: body.screen.is_some().then_some(now),
        })
    }

    async fn run(mut self) -> Result<WaitedJson, Problem> {
        let mut patience = Patience::Now;
        loop {
            let Some(output) = self.next(patience).await? else {
                let at = self.at.unwrap_or_default();
                let quiet = self.quiet.is_some_and(|quiet| self.heard + quiet <= Instant::now());
                if quiet {
                    return Ok(waited(Reason::Quiet, at));
                }
                if Instant::now() >= self.deadline {
                    return Ok(waited(Reason::Timeout, at));
                }
                if let Some(answer) = self.look().await? {
                    return Ok(answer);
                }
                continue;
            };
            if let Some(answer) = self.handle_output(&output).await? {
                return Ok(answer);
            }
            let all = self.at == Some(output.head);
            if let Some(status) = output.ended.filter(|_| all) {
                return Ok(self.exited(status, output.head));
            }
            if Instant::now() >= self.deadline {
                return Ok(waited(Reason::Timeout, self.at.unwrap_or_default()));
            }
            patience = if all { Patience::Wait } else { Patience::Now };
        }
    }

    /// The next output; `None` when something else is due first.
    async fn next(&self, patience: Patience) -> Result<Option<Output>, Problem> {
        let output = self.session.output(self.at, patience);
        if patience == Patience::Now {
            return Ok(Some(output.await?));
        }
        let quiet_at = self.quiet.map(|quiet| self.heard + quiet);
        let due = [quiet_at, self.look_due].into_iter().flatten().fold(self.deadline, Instant::min);
        match timeout_at(due, output).await {
            Ok(output) => Ok(Some(output?)),
            Err(_elapsed) => Ok(None),
        }
    }

    async fn handle_output(&mut self, output: &Output) -> Result<Option<WaitedJson>, Problem> {
        let now = Instant::now();
        if self.at.is_some_and(|at| at < output.from)
            && let Some(search) = &mut self.search
        {
            search.reset();
        }
        self.at = Some(output.from.plus(output.bytes.len() as u64));
        if !output.bytes.is_empty() {
            self.heard = now;
            if self.screen.is_some() {
                self.look_due = self.look_due.or(Some(now + LOOK_INTERVAL));
            }
        }
        if let Some((found, offset)) =
            self.search.as_mut().and_then(|search| search.feed(&output.bytes, output.from))
        {
            return Ok(Some(WaitedJson { found: Some(found), ..waited(Reason::Output, offset) }));
        }
        if let Some(answer) = self.prompted(output.head)? {
            return Ok(Some(answer));
        }
        let ended = output.ended.is_some() && self.at == Some(output.head);
        if ended || self.look_due.is_some_and(|due| due <= now) {
            return self.look().await;
        }
        Ok(None)
    }

    /// Looks at the screen if it may have changed.
    async fn look(&mut self) -> Result<Option<WaitedJson>, Problem> {
        if self.look_due.take().is_none() {
            return Ok(None);
        }
        let Some(pattern) = &self.screen else { return Ok(None) };
        let look = self.session.look(0).await?;
        Ok(find(pattern, &look.screen.text())
            .map(|found| WaitedJson { found: Some(found), ..waited(Reason::Screen, look.offset) }))
    }

    fn prompted(&self, head: Offset) -> Result<Option<WaitedJson>, Problem> {
        if !self.prompt {
            return Ok(None);
        }
        let shell = self.session.shell()?;
        let waits = shell.phase() == ShellPhase::Prompt
            && self.prompt_behind.is_none_or(|behind| shell.prompt_at() > Some(behind));
        let last_exit_code = shell.last_exit();
        Ok(waits.then(|| WaitedJson { last_exit_code, ..waited(Reason::Prompt, head) }))
    }

    fn exited(&self, status: ExitStatus, head: Offset) -> WaitedJson {
        WaitedJson { exit: Some(status.into()), ..waited(Reason::Exit, head) }
    }
}

/// How long a request may wait.
pub(crate) fn timeout(ms: Option<u32>) -> Result<Duration, Problem> {
    let ms = ms.unwrap_or(TIMEOUT_MS_DEFAULT);
    if ms > TIMEOUT_MS_MAX {
        let detail = format!("timeoutMs must be at most {TIMEOUT_MS_MAX}");
        return Err(Problem::bad_request("invalid_timeout", detail));
    }
    Ok(Duration::from_millis(ms.into()))
}

const fn waited(reason: Reason, offset: Offset) -> WaitedJson {
    WaitedJson { reason, offset: offset.0, found: None, last_exit_code: None, exit: None }
}
