//! Puts file, environment and command line on top of each other.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};
use hither_server::http::{ProfileTable, Profiles};

use super::file::{self, Contents, Entry, FileArgs, PROFILES};
use super::option::{ServeOption, Shape};
use crate::cli::Cli;
use crate::failure::{Exit, Failure};

/// Commands whose options can be set in the file and the environment.
const CONFIGURED: [&str; 2] = ["serve", "config"];

/// Why a command line is not carried out.
#[derive(Debug)]
pub(crate) enum ParseError {
    /// It is wrong, or asks for help.
    CommandLine(Box<clap::Error>),
    /// The file or the environment is wrong.
    Setting(Failure),
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File,
    Variable(String),
    CommandLine,
}

/// The value of one option.
#[derive(Clone, Debug)]
pub(crate) struct Effective {
    pub(crate) option: ServeOption,
    pub(crate) values: Vec<String>,
    pub(crate) origin: Origin,
}

/// All settings of the gateway; none when the command is about something else.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) file: Option<PathBuf>,
    pub(crate) effective: Vec<Effective>,
    /// The profiles of the file, as they are written there.
    pub(crate) profiles: toml::Table,
}

impl Settings {
    /// Which file was read, to be told to people.
    pub(crate) fn file_name(&self) -> String {
        let path = self.file.as_deref().map(Path::display);
        path.map_or_else(|| "no file".to_owned(), |path| path.to_string())
    }

    /// The profiles; their lines of command are for `shell`.
    pub(crate) fn profiles(&self, shell: &Path) -> Result<Profiles, Failure> {
        let wrong = |problem: String| {
            let message = format!("{}: [{PROFILES}] is wrong: {problem}", self.file_name());
            let cure = "docs/configuration.md describes every key";
            Failure::new(Exit::Configuration, message).cure(cure)
        };
        let tables = self.profiles.clone().try_into::<BTreeMap<String, ProfileTable>>();
        let tables = tables.map_err(|error| wrong(error.message().to_owned()))?;
        Profiles::read(tables, shell).map_err(|error| wrong(error.to_string()))
    }
}

impl From<clap::Error> for ParseError {
    fn from(error: clap::Error) -> Self {
        Self::CommandLine(Box::new(error))
    }
}

impl From<Failure> for ParseError {
    fn from(failure: Failure) -> Self {
        Self::Setting(failure)
    }
}

/// Understands a command line, with what file and environment say below it.
pub(crate) fn parse(args: Vec<OsString>) -> Result<(Cli, Settings), ParseError> {
    let command = with_flag_values(Cli::command());
    let matches = command.clone().try_get_matches_from(&args)?;
    let Some((name, given)) = matches.subcommand().filter(|(name, _)| CONFIGURED.contains(name))
    else {
        return Ok((Cli::from_arg_matches(&matches)?, Settings::default()));
    };
    let options = ServeOption::all();
    let file = FileArgs::from_arg_matches(given)?.find();
    let Contents { entries: from_file, profiles } = match &file {
        Some(path) => file::read(path, &options)?,
        None => Contents::default(),
    };
    let from_environment = read_environment(&options)?;
    let layers: Vec<_> = from_file.iter().chain(&from_environment).collect();
    let command = layers.iter().fold(command, |command, entry| set_default(command, name, entry));
    let matches = command.try_get_matches_from(&args)?;
    let (_, given) = matches.subcommand().expect("there was one before");
    let origin = |option: &ServeOption| {
        let says = |layer: &[Entry]| layer.iter().any(|entry| entry.id == option.id());
        if given.value_source(option.id()) == Some(ValueSource::CommandLine) {
            Origin::CommandLine
        } else if says(&from_environment) {
            Origin::Variable(option.variable())
        } else if says(&from_file) {
            Origin::File
        } else {
            Origin::Default
        }
    };
    let effective = options.into_iter().map(|option| Effective {
        values: values(given, &option),
        origin: origin(&option),
        option,
    });
    let effective = effective.collect();
    Ok((Cli::from_arg_matches(&matches)?, Settings { file, effective, profiles }))
}

/// What environment and file say of a setting of the gateway, for commands that go by it.
pub(crate) fn without_command_line(id: &str) -> Result<Option<String>, Failure> {
    let options = ServeOption::all();
    let of_this = |option: &&ServeOption| option.id() == id;
    let wanted: Vec<_> = options.iter().filter(of_this).cloned().collect();
    let mut entries = read_environment(&wanted)?;
    if entries.is_empty()
        && let Some(path) = FileArgs::of_environment().find()
    {
        entries = file::read(&path, &options)?.entries;
    }
    let found = entries.into_iter().find(|entry| entry.id == id);
    Ok(found.and_then(|entry| entry.values.into_iter().next()))
}

/// Lets flags be taken back: `--no-auth=false` is stronger than a file that says true.
fn with_flag_values(command: Command) -> Command {
    CONFIGURED.iter().fold(command, |command, name| {
        command.mut_subcommand(*name, |command| {
            command.mut_args(|arg| {
                if matches!(arg.get_action(), ArgAction::SetTrue) { with_value(arg) } else { arg }
            })
        })
    })
}

fn with_value(flag: Arg) -> Arg {
    flag.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .value_name("BOOL")
        .value_parser(clap::value_parser!(bool))
        .hide_possible_values(true)
        .hide_default_value(true)
        .default_value("false")
        .default_missing_value("true")
}

fn read_environment(options: &[ServeOption]) -> Result<Vec<Entry>, Failure> {
    let set = options.iter().filter_map(|option| {
        let value = std::env::var_os(option.variable())?;
        // As for a shell, an empty variable is one that is not set.
        (!value.is_empty()).then_some((option, value))
    });
    set.map(|(option, value)| from_variable(option, value)).collect()
}

fn from_variable(option: &ServeOption, value: OsString) -> Result<Entry, Failure> {
    let wrong = |expected: &str| {
        let message = format!("variable {} is wrong: {expected}", option.variable());
        let cure = format!("mend or unset it, or give {}", option.flag());
        Failure::new(Exit::Configuration, message).cure(cure)
    };
    let text = value.into_string().map_err(|_| wrong("expected UTF-8"))?;
    let separator = if option.id() == "command" { ' ' } else { ',' };
    let values: Vec<String> = match option.shape() {
        Shape::List => text.split(separator).map(str::trim).map(str::to_owned).collect(),
        Shape::Flag | Shape::One => vec![text],
    };
    for value in &values {
        option.judge(value).map_err(|expected| wrong(&expected))?;
    }
    Ok(Entry { id: option.id().to_owned(), values })
}

fn set_default(command: Command, name: &str, entry: &Entry) -> Command {
    command.mut_subcommand(name, |command| {
        command.mut_arg(&entry.id, |arg| arg.default_values(entry.values.clone()))
    })
}

fn values(matches: &ArgMatches, option: &ServeOption) -> Vec<String> {
    let raw = matches.get_raw(option.id()).into_iter().flatten();
    raw.map(|value| value.to_string_lossy().into_owned()).collect()
}
