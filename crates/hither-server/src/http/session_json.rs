//! The JSON forms of sessions.

use std::path::{Path, PathBuf};

use hither_core::{ExitStatus, WindowSize, signal_name};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::problem::Problem;
use super::time::rfc3339;
use crate::sessions::{Life, NewSession, OnClose, SessionInfo, Status};

/// Most characters of a title that a client may set.
const TITLE_CHARS_MAX: usize = 256;

/// A session in answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionJson {
    pub(crate) id: String,
    pub(crate) title: String,
    /// As one would type it into a shell.
    pub(crate) command: String,
    argv: Vec<String>,
    cwd: String,
    cols: u16,
    rows: u16,
    created_at: String,
    updated_at: String,
    status: &'static str,
    active: bool,
    clients: usize,
    #[serde(flatten)]
    exit: Option<ExitJson>,
}

/// How a child ended. All absent: its status could not be learned.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExitJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    /// Name of the signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_signal: Option<String>,
    /// The PTY host died and took it along.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lost: bool,
}

/// The body of `POST /api/sessions`. Members of other servers' clients are ignored.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct NewSessionJson {
    command: Option<CommandJson>,
    cwd: Option<String>,
    title: Option<String>,
    cols: Option<u32>,
    rows: Option<u32>,
    #[serde(rename = "onClose")]
    on_close: Option<String>,
}

/// A command: a line, or a program and its arguments.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum CommandJson {
    Line(String),
    Argv(Vec<String>),
}

/// The body of `POST /api/sessions/{id}/resize`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SizeJson {
    cols: Option<u32>,
    rows: Option<u32>,
}

/// The body of `POST /api/sessions/{id}/input`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct InputJson {
    pub(crate) data: Option<String>,
}

impl From<SessionInfo> for SessionJson {
    fn from(info: SessionInfo) -> Self {
        let (status, exit) = match info.status {
            Status::Running => ("running", None),
            Status::Exited(status) => ("exited", Some(status.into())),
        };
        Self {
            id: info.id.to_string(),
            title: info.title,
            command: command_line(&info.command),
            argv: info.command,
            cwd: info.cwd.to_string_lossy().into_owned(),
            cols: info.size.cols(),
            rows: info.size.rows(),
            created_at: rfc3339(info.created),
            updated_at: rfc3339(info.updated),
            status,
            active: info.status == Status::Running,
            clients: info.viewers,
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

fn on_close(text: Option<&str>) -> Result<Option<OnClose>, Problem> {
    match text.unwrap_or_default() {
        "" => Ok(None),
        "hup" => Ok(Some(OnClose::Hup)),
        "kill" => Ok(Some(OnClose::Kill)),
        "keep" => Ok(Some(OnClose::Keep)),
        _ => {
            let detail = "onClose must be hup, kill or keep";
            Err(Problem::bad_request("invalid_on_close", detail))
        }
    }
}

impl NewSessionJson {
    /// What is asked for. Empty texts and zeros count as absent, as other servers' clients send
    /// them.
    pub(crate) fn parse(self, shell: &Path) -> Result<NewSession, Problem> {
        let command = self.command.and_then(|command| command.argv(shell));
        let invalid = |what: &str| {
            Problem::bad_request("invalid_text", format!("{what} must not contain a NUL character"))
        };
        if command.iter().flatten().any(|word| word.contains('\0')) {
            return Err(invalid("command"));
        }
        let cwd = self.cwd.filter(|cwd| !cwd.is_empty());
        if cwd.as_ref().is_some_and(|cwd| cwd.contains('\0')) {
            return Err(invalid("cwd"));
        }
        Ok(NewSession {
            command,
            cwd: cwd.map(PathBuf::from),
            title: title(self.title)?,
            size: size(self.cols, self.rows)?,
            life: Life::Lasting,
            on_close: on_close(self.on_close.as_deref())?,
        })
    }
}

impl CommandJson {
    /// Program and arguments. A single word is the program; a line goes to the shell.
    fn argv(self, shell: &Path) -> Option<Vec<String>> {
        match self {
            Self::Argv(argv) if argv.is_empty() => None,
            Self::Argv(argv) => Some(argv),
            Self::Line(line) if line.trim().is_empty() => None,
            Self::Line(line) if line.chars().all(is_plain) => Some(vec![line]),
            Self::Line(line) => {
                let shell = shell.to_string_lossy().into_owned();
                Some(vec![shell, "-c".to_owned(), line])
            }
        }
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

fn title(title: Option<String>) -> Result<Option<String>, Problem> {
    let title = title.filter(|title| !title.is_empty());
    let is_good = |title: &String| {
        title.chars().count() <= TITLE_CHARS_MAX && !title.chars().any(char::is_control)
    };
    match title {
        Some(title) if !is_good(&title) => Err(Problem::bad_request(
            "invalid_title",
            format!("title must have at most {TITLE_CHARS_MAX} characters and none of control"),
        )),
        title => Ok(title),
    }
}

/// A size of which each side may be left out.
fn size(cols: Option<u32>, rows: Option<u32>) -> Result<Option<WindowSize>, Problem> {
    let [cols, rows] = [cols, rows].map(|side| side.filter(|side| *side != 0));
    if cols.is_none() && rows.is_none() {
        return Ok(None);
    }
    let default = WindowSize::DEFAULT;
    let cols = cols.unwrap_or_else(|| default.cols().into());
    let rows = rows.unwrap_or_else(|| default.rows().into());
    WindowSize::new(cols, rows).map(Some).map_err(invalid_size)
}

fn invalid_size(detail: impl ToString) -> Problem {
    Problem::bad_request("invalid_size", detail.to_string())
}

/// Whether a character means nothing special to any shell.
fn is_plain(char: char) -> bool {
    char.is_alphanumeric() || "/._-+:@%".contains(char)
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

    fn parse(body: &str) -> Result<NewSession, String> {
        let parsed: NewSessionJson = serde_json::from_str(body).map_err(|e| e.to_string())?;
        let shell = Path::new("/bin/sh");
        parsed.parse(shell).map_err(|problem| format!("{problem:?}"))
    }

    fn argv(body: &str) -> Option<Vec<String>> {
        parse(body).unwrap().command
    }

    #[test]
    fn a_word_is_executed_and_a_line_goes_to_the_shell() {
        let argv_of = |words: &[&str]| Some(words.iter().map(|&w| w.to_owned()).collect());
        for (body, expect) in [
            (r#"{"command":"bash"}"#, argv_of(&["bash"])),
            (r#"{"command":"/usr/bin/x-1.2"}"#, argv_of(&["/usr/bin/x-1.2"])),
            (r#"{"command":"ls -l"}"#, argv_of(&["/bin/sh", "-c", "ls -l"])),
            (r#"{"command":"a;b"}"#, argv_of(&["/bin/sh", "-c", "a;b"])),
            (r#"{"command":"$X"}"#, argv_of(&["/bin/sh", "-c", "$X"])),
            (r#"{"command":["a b","$(c)"]}"#, argv_of(&["a b", "$(c)"])),
            (r#"{"command":["-x"]}"#, argv_of(&["-x"])),
            (r#"{"command":""}"#, None),
            (r#"{"command":" "}"#, None),
            (r#"{"command":[]}"#, None),
            (r#"{"command":null}"#, None),
            ("{}", None),
        ] {
            assert_eq!(argv(body), expect, "{body}");
        }
    }

    #[test]
    fn zeros_and_empty_texts_are_absent() {
        let new = parse(r#"{"cwd":"","title":"","cols":0,"rows":0,"args":[],"env":{}}"#).unwrap();
        assert_eq!((new.cwd, new.title, new.size), (None, None, None));
        let new = parse(r#"{"cols":132}"#).unwrap();
        assert_eq!(new.size, Some(WindowSize::new(132, 24).unwrap()));
    }

    #[test]
    fn refuses_what_cannot_be() {
        let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(TITLE_CHARS_MAX + 1));
        for body in [
            r#"{"command":"a\u0000b"}"#,
            r#"{"command":["a","\u0000"]}"#,
            r#"{"cwd":"/\u0000"}"#,
            r#"{"title":"\u001b]0;x"}"#,
            &long,
            r#"{"cols":1}"#,
            r#"{"cols":1001}"#,
            r#"{"rows":501}"#,
            r#"{"cols":-1}"#,
            r#"{"cols":1e400}"#,
            r#"{"cols":80.5}"#,
            r#"{"cols":"80"}"#,
            r#"{"command":1}"#,
            r#"{"command":[1]}"#,
            r#"{"title":[]}"#,
            r#"{"title":"\ud800"}"#,
            r#"{"title":"a","title":"b"}"#,
            "",
            "null x",
            r#"{"cols":4294967296}"#,
            &format!(r#"{{"x":{}}}"#, "[".repeat(10_000)),
        ] {
            assert!(parse(body).is_err(), "{body:.80}");
        }
    }

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
