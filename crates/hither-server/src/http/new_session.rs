//! The body of `POST /api/sessions`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hither_core::WindowSize;
use schemars::JsonSchema;
use serde::Deserialize;

use super::names::{check_title, labels};
use super::problem::Problem;
use crate::sessions::{Life, NewSession, OnClose};

/// Most variables that a client may set.
const VARIABLES_MAX: usize = 64;
/// Longest name of a variable in bytes.
const VARIABLE_NAME_BYTES_MAX: usize = 128;
/// Longest value of a variable in bytes.
const VARIABLE_BYTES_MAX: usize = 4096;
/// Variables that a client may set; a `*` at the end stands for anything. None of them makes a
/// program run, find or load something else. A command can set others for itself:
/// `["env", "NAME=value", "program"]`.
pub(crate) const VARIABLES: [&str; 21] = [
    "APP_*",
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLORFGBG",
    "COLORTERM",
    "COLUMNS",
    "DEBIAN_FRONTEND",
    "DEBUG",
    "DISPLAY",
    "FORCE_COLOR",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LINES",
    "NODE_ENV",
    "NO_COLOR",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "TERM",
    "TZ",
];

/// What a new session shall be. Empty texts and zeros count as absent, and members that are not
/// listed are ignored, as clients of other servers send them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "NewSession")]
pub(crate) struct NewSessionJson {
    /// A profile of the server's settings, which has what the other members do not say; not
    /// together with a command.
    #[schemars(length(max = 63))]
    profile: Option<String>,
    /// What to run; absent: what the server was started with.
    command: Option<CommandJson>,
    /// Directory to start in.
    cwd: Option<String>,
    /// Title until the program sets one.
    #[schemars(length(max = 256))]
    title: Option<String>,
    /// Columns of the window until a viewer has one: 2 to 1,000.
    #[schemars(range(max = 1000), extend("not" = { "const": 1 }))]
    cols: Option<u32>,
    /// Rows of the window until a viewer has one: 1 to 500.
    #[schemars(range(max = 500))]
    rows: Option<u32>,
    /// What becomes of processes that the program leaves behind; absent or empty: as the server is set.
    #[serde(rename = "onClose")]
    #[schemars(extend("enum" = ["hup", "kill", "keep", "", null]))]
    on_close: Option<String>,
    /// Variables of the environment, by name; only those that the server allows.
    env: Option<BTreeMap<String, String>>,
    /// Labels, by name.
    #[schemars(length(max = 16))]
    labels: Option<BTreeMap<String, String>>,
}

/// A command: a line, or a program and its arguments.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Command")]
pub(crate) enum CommandJson {
    /// One plain word is the program; anything else is given to the shell.
    Line(String),
    /// Program and arguments, executed as they are.
    Argv(Vec<String>),
}

impl NewSessionJson {
    /// The profile that is named, if one is.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref().filter(|name| !name.is_empty())
    }

    /// What is asked for, over what a profile says.
    pub(crate) fn parse_over(
        self,
        profile: &NewSession,
        shell: &Path,
    ) -> Result<NewSession, Problem> {
        let new = self.parse(shell)?;
        if new.command.is_some() {
            let detail = "give a profile or a command, not both";
            return Err(Problem::bad_request("invalid_profile", detail));
        }
        let new = new.over(profile);
        Ok(NewSession { labels: labels(new.labels)?, ..new })
    }

    /// What is asked for.
    pub(crate) fn parse(self, shell: &Path) -> Result<NewSession, Problem> {
        let command = self.command.and_then(|command| command.argv(shell));
        if command.iter().flatten().any(|word| word.contains('\0')) {
            return Err(invalid_text("command"));
        }
        let cwd = self.cwd.filter(|cwd| !cwd.is_empty());
        if cwd.as_ref().is_some_and(|cwd| cwd.contains('\0')) {
            return Err(invalid_text("cwd"));
        }
        Ok(NewSession {
            command,
            cwd: cwd.map(PathBuf::from),
            title: self.title.filter(|title| !title.is_empty()).map(check_title).transpose()?,
            size: size(self.cols, self.rows)?,
            labels: labels(self.labels.unwrap_or_default())?,
            environment: environment(self.env.unwrap_or_default())?,
            life: Life::Lasting,
            on_close: on_close(self.on_close.as_deref())?,
        })
    }
}

impl CommandJson {
    /// Program and arguments. A single word is the program; a line goes to the shell.
    pub(crate) fn argv(self, shell: &Path) -> Option<Vec<String>> {
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

pub(crate) fn on_close(text: Option<&str>) -> Result<Option<OnClose>, Problem> {
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

/// A size of which each side may be left out.
pub(crate) fn size(cols: Option<u32>, rows: Option<u32>) -> Result<Option<WindowSize>, Problem> {
    let [cols, rows] = [cols, rows].map(|side| side.filter(|side| *side != 0));
    if cols.is_none() && rows.is_none() {
        return Ok(None);
    }
    let default = WindowSize::DEFAULT;
    let cols = cols.unwrap_or_else(|| default.cols().into());
    let rows = rows.unwrap_or_else(|| default.rows().into());
    WindowSize::new(cols, rows).map(Some).map_err(invalid_size)
}

fn environment(env: BTreeMap<String, String>) -> Result<Vec<(String, String)>, Problem> {
    let invalid = |detail: String| Err(Problem::bad_request("invalid_env", detail));
    if env.len() > VARIABLES_MAX {
        return invalid(format!("env exceeds limit of {VARIABLES_MAX} variables"));
    }
    for (name, value) in &env {
        if !is_allowed(name) {
            let allowed = VARIABLES.join(", ");
            return invalid(format!("env may hold these variables only: {allowed}"));
        }
        check_variable_bytes(name, value)?;
    }
    Ok(env.into_iter().collect())
}

/// Whether a variable is within its limits.
pub(crate) fn check_variable_bytes(name: &str, value: &str) -> Result<(), Problem> {
    if name.len() > VARIABLE_NAME_BYTES_MAX
        || value.len() > VARIABLE_BYTES_MAX
        || value.contains('\0')
    {
        let detail =
            format!("a variable must have at most {VARIABLE_BYTES_MAX} bytes and no NUL character");
        return Err(Problem::bad_request("invalid_env", detail));
    }
    Ok(())
}

fn is_allowed(name: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.len() <= VARIABLE_NAME_BYTES_MAX
        && name.bytes().all(is_name)
        && VARIABLES.iter().any(|allowed| match allowed.strip_suffix('*') {
            Some(start) => name.len() > start.len() && name.starts_with(start),
            None => name == *allowed,
        })
}

fn invalid_text(what: &str) -> Problem {
    Problem::bad_request("invalid_text", format!("{what} must not contain a NUL character"))
}

pub(crate) fn invalid_size(detail: impl ToString) -> Problem {
    Problem::bad_request("invalid_size", detail.to_string())
}

/// Whether a character means nothing special to any shell.
pub(crate) fn is_plain(char: char) -> bool {
    char.is_alphanumeric() || "/._-+:@%".contains(char)
}

#[cfg(test)]
#[path = "new_session_tests.rs"]
mod tests;
