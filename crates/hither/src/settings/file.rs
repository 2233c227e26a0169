//! The configuration file: where it is, whom it belongs to, what is in it.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use hither_server::http::ProfileTable;
use rustix::process::geteuid;
use toml::{Table, Value};

use super::option::{ServeOption, Shape};
use crate::failure::{Exit, Failure};

/// Most bytes of a configuration file.
const FILE_BYTES_MAX: u64 = 256 << 10;
/// The file of the whole machine.
const SYSTEM_FILE: &str = "/etc/hither.toml";

/// Which file to read.
#[derive(Clone, Debug, Args)]
pub(crate) struct FileArgs {
    /// Configuration file [default: $XDG_CONFIG_HOME/hither/config.toml, else /etc/hither.toml]
    #[arg(
        long,
        value_name = "PATH",
        env = "HITHER_CONFIG",
        hide_env_values = true,
        help_heading = "General"
    )]
    config: Option<PathBuf>,
}

/// The table whose keys are names that its writer has chosen.
pub(super) const PROFILES: &str = "profiles";

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) entries: Vec<Entry>,
    /// The profiles, each of a shape that [`ProfileTable`] has.
    pub(super) profiles: Table,
}

/// What a file says of one option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) values: Vec<String>,
}

impl FileArgs {
    /// What is said without a command line of the gateway's.
    pub(super) fn of_environment() -> Self {
        let named = std::env::var_os("HITHER_CONFIG").filter(|path| !path.is_empty());
        Self { config: named.map(PathBuf::from) }
    }

    /// The file that was named, or the first usual one that is there.
    pub(super) fn find(&self) -> Option<PathBuf> {
        match &self.config {
            Some(path) => Some(path.clone()),
            None => usual_files().into_iter().find(|path| path.exists()),
        }
    }
}

fn usual_files() -> Vec<PathBuf> {
    let variable =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = variable("XDG_CONFIG_HOME").or_else(|| Some(variable("HOME")?.join(".config")));
    let own = folder.map(|folder| folder.join("hither/config.toml"));
    own.into_iter().chain([PathBuf::from(SYSTEM_FILE)]).collect()
}

/// Reads a file and judges every word of it.
pub(super) fn read(path: &Path, options: &[ServeOption]) -> Result<Contents, Failure> {
    let (text, mode) = load(path)?;
    let refuse = |refusal: Refusal| {
        let message = format!("{}: {}", path.display(), refusal.message);
        Failure::new(Exit::Configuration, message).cure(refusal.cure)
    };
    let contents = parse(&text, options).map_err(refuse)?;
    let entries = &contents.entries;
    let secret = options
        .iter()
        .find(|option| option.is_secret() && entries.iter().any(|entry| entry.id == option.id()));
    if let Some(secret) = secret
        && mode & 0o077 != 0
    {
        let message = format!("holds {} and others may read it (mode {mode:04o})", secret.path());
        return Err(refuse(Refusal {
            message,
            cure: format!("run `chmod 600 {}`", path.display()),
        }));
    }
    Ok(contents)
}

/// The text of a file that nobody but its user or root can have written, and its permission bits.
fn load(path: &Path) -> Result<(String, u32), Failure> {
    let failure = |message: String, cure: String| {
        let message = format!("configuration file {} {message}", path.display());
        Err(Failure::new(Exit::Configuration, message).cure(cure))
    };
    let another = "name another one with --config PATH".to_owned();
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = match opened {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return failure("does not exist".to_owned(), another);
        }
        Err(error) => return failure(format!("cannot be read: {error}"), another),
    };
    let mode = metadata.mode() & 0o7777;
    if metadata.is_dir() {
        return failure("is a directory".to_owned(), another);
    }
    if ![0, geteuid().as_raw()].contains(&metadata.uid()) {
        return failure(format!("belongs to user {}", metadata.uid()), another);
    }
    if metadata.is_file() && mode & 0o022 != 0 {
        let cure = format!("run `chmod go-w {}`", path.display());
        return failure(format!("can be written by others (mode {mode:04o})"), cure);
    }
    match read_text(file) {
        Ok(text) => Ok((text, mode)),
        Err(error) => failure(format!("cannot be read: {error}"), another),
    }
}

fn read_text(file: File) -> io::Result<String> {
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it exceeds limit of {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// What is wrong with a file, and the cure.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    message: String,
    cure: String,
}

impl Refusal {
    fn new(message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { message: message.into(), cure: cure.into() }
    }
}

fn parse(text: &str, options: &[ServeOption]) -> Result<Contents, Refusal> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| syntax(text, &error))?;
    let mut contents = Contents::default();
    for (section, content) in &table {
        let Value::Table(content) = content else {
            return Err(unknown(section, options));
        };
        if section == PROFILES {
            contents.profiles = profiles(content)?;
            continue;
        }
        if !options.iter().any(|option| option.section() == *section) {
            return Err(unknown(section, options));
        }
        for (key, value) in content {
            let path = format!("{section}.{key}");
            let option = options.iter().find(|option| option.path() == path);
            let option = option.ok_or_else(|| unknown(&path, options))?;
            contents.entries.push(entry(option, value)?);
        }
    }
    Ok(contents)
}

/// The profiles, each of the right shape. What their members say is judged later, when it is known
/// for which shell.
fn profiles(content: &Table) -> Result<Table, Refusal> {
    for (name, profile) in content {
        if let Err(error) = profile.clone().try_into::<ProfileTable>() {
            let problem = error.message().lines().collect::<Vec<_>>().join(", ");
            return Err(Refusal::new(
                format!("[{PROFILES}.{name}] is wrong: {problem}"),
                "docs/configuration.md describes every key",
            ));
        }
    }
    Ok(content.clone())
}

fn syntax(text: &str, error: &toml::de::Error) -> Refusal {
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    let line = text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    Refusal::new(
        format!("line {line} is not TOML: {message}"),
        "write it as docs/configuration.md says",
    )
}

/// Refuses a name that no option has, and names the nearest that one has.
fn unknown(name: &str, options: &[ServeOption]) -> Refusal {
    let (section, key) = name.split_once('.').unwrap_or(("", name));
    let distance = |option: &ServeOption| {
        let whole = strsim::damerau_levenshtein(name, &option.path());
        let alone = strsim::damerau_levenshtein(key, &option.key());
        let elsewhere = usize::from(option.section() != section);
        whole.min(alone + elsewhere)
    };
    let nearest = options.iter().min_by_key(|option| distance(option));
    let cure = nearest.map_or_else(String::new, |option| {
        format!("the nearest is `{}` in [{}]", option.key(), option.section())
    });
    Refusal::new(format!("there is no setting `{name}`"), cure)
}

fn entry(option: &ServeOption, value: &Value) -> Result<Entry, Refusal> {
    let values = match (option.shape(), value) {
        (Shape::List, Value::Array(values)) => {
            values.iter().map(|value| text_of(option, value)).collect::<Result<_, _>>()?
        }
        _ => vec![text_of(option, value)?],
    };
    for value in &values {
        option.judge(value).map_err(|expected| invalid(option, &expected))?;
    }
    Ok(Entry { id: option.id().to_owned(), values })
}

/// A value as it would be written on the command line.
fn text_of(option: &ServeOption, value: &Value) -> Result<String, Refusal> {
    match (option.shape(), value) {
        (Shape::Flag, Value::Boolean(flag)) => Ok(flag.to_string()),
        (Shape::Flag, _) => Err(invalid(option, "expected true or false")),
        (_, Value::String(text)) => Ok(text.clone()),
        (_, Value::Integer(number)) => Ok(number.to_string()),
        (Shape::One, _) => Err(invalid(option, "expected one text or number")),
        (Shape::List, _) => Err(invalid(option, "expected texts or numbers")),
    }
}

fn invalid(option: &ServeOption, expected: &str) -> Refusal {
    let message = format!("[{}] {} is wrong: {expected}", option.section(), option.key());
    Refusal::new(message, "docs/configuration.md describes every key")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Vec<(String, String)>, String> {
        let entries = parse(text, &ServeOption::all());
        let entries =
            entries.map_err(|refusal| format!("{}; {}", refusal.message, refusal.cure))?;
        Ok(entries.entries.into_iter().map(|entry| (entry.id, entry.values.join(" "))).collect())
    }

    #[test]
    fn values_have_the_types_of_toml() {
        let text = "[listening]\nport = 80\nbind = ['127.0.0.1', '::1']\nno-auth = true\n\
                    [sessions]\nhistory-bytes = '2MiB'\ncommand = ['a', 'b']\nscrollback = '5'\n";
        let mut entries = check(text).unwrap();
        entries.sort();
        let expect = [
            ("bind", "127.0.0.1 ::1"),
            ("command", "a b"),
            ("history_bytes", "2MiB"),
            ("no_auth", "true"),
            ("port", "80"),
            ("scrollback", "5"),
        ];
        assert_eq!(entries, expect.map(|(id, values)| (id.to_owned(), values.to_owned())));
        assert_eq!(check("# nothing\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_file_with_a_secret_is_for_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let secret = clap::Arg::new("door_secret").long("door-secret").help_heading("Door");
        let options = [ServeOption::of(secret)];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "[door]\nsecret = 'x'\n").unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let result = read(&path, &options).map_err(|failure| failure.to_string());
            assert_eq!(result.is_ok(), good, "{mode:o} {result:?}");
            if let Err(message) = result {
                assert!(message.contains("holds door.secret and others may read it"), "{message}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_cure() {
        for (text, parts) in [
            ("[listening]\nprot = 1", &["`listening.prot`", "`port` in [listening]"][..]),
            ("[listenning]\nport = 1", &["`listenning`", "in [listening]"]),
            ("port = 1", &["`port`", "`port` in [listening]"]),
            ("[sessions]\nport = 1", &["`sessions.port`", "`port` in [listening]"]),
            ("[listening]\nport = 65536", &["[listening] port", "65535"]),
            ("[listening]\nport = 1.5", &["[listening] port", "one text or number"]),
            ("[listening]\nport = [1]", &["[listening] port", "one text or number"]),
            ("[listening]\nport = true", &["[listening] port", "one text or number"]),
            ("[listening]\nno-auth = 'yes'", &["[listening] no-auth", "true or false"]),
            ("[listening]\nbind = 'localhost'", &["[listening] bind", "invalid IP"]),
            ("[listening]\nbind = [[1]]", &["[listening] bind", "texts or numbers"]),
            ("[sessions]\nslow-viewer = 'drop'", &["expected skip or wait"]),
            ("[sessions]\nshell = ''", &["[sessions] shell is wrong"]),
            ("[sessions]\nhistory-bytes = '3MiB'", &["power of two"]),
            ("[sessions.shell]\na = 1", &["[sessions] shell", "one text or number"]),
            ("[profiles.p]\ncomand = 'x'", &["[profiles.p]", "comand", "`command`"]),
            ("[profiles]\np = 1", &["[profiles.p]"]),
            ("\n\n[listening", &["line 3 is not TOML"]),
            ("[listening]\nport = 1\nport = 2", &["line 3 is not TOML", "duplicate"]),
        ] {
            let message = check(text).unwrap_err();
            assert!(!message.contains('\n'), "{message:?}");
            for part in parts {
                assert!(message.contains(part), "{part:?} is not in {message:?}");
            }
        }
    }
}
