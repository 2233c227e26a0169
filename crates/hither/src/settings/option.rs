//! The options of `hither serve` as the file and the environment know them.

use std::error::Error as _;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command, CommandFactory as _};

use crate::cli::Cli;

/// Options that only the command line and the environment can say: which file to read, and where
/// all commands, not the gateway alone, find each other.
const NOT_IN_FILE: [&str; 5] = ["config", "check_config", "reference", "runtime_dir", "state_dir"];
/// Where an option without a heading belongs: the command to serve.
const SECTION_OF_ARGUMENTS: &str = "sessions";

/// An option of `hither serve`.
#[derive(Clone, Debug)]
pub(crate) struct ServeOption(Arg);

/// How often an option can be given, and whether it takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// True or false; on the command line the name alone means true.
    Flag,
    /// One value.
    One,
    /// Any number of values.
    List,
}

impl ServeOption {
    /// All options that can be in the file, section by section.
    pub(crate) fn all() -> Vec<Self> {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").expect("the gateway's own command");
        let arguments =
            serve.get_arguments().filter(|arg| !NOT_IN_FILE.contains(&arg.get_id().as_str()));
        // Hidden ones are for tests of debug builds.
        let arguments = arguments.filter(|arg| !arg.is_hide_set());
        let mut options: Vec<_> = arguments.cloned().map(Self).collect();
        let order: Vec<String> = options.iter().map(Self::section).collect();
        options.sort_by_key(|option| order.iter().position(|name| *name == option.section()));
        options
    }

    /// An option that no command has.
    #[cfg(test)]
    pub(super) const fn of(arg: Arg) -> Self {
        Self(arg)
    }

    /// Name by which clap knows it.
    pub(crate) fn id(&self) -> &str {
        self.0.get_id().as_str()
    }

    /// Name of its table in the file: the heading of its group of options.
    pub(crate) fn section(&self) -> String {
        let heading = self.0.get_help_heading().unwrap_or(SECTION_OF_ARGUMENTS);
        heading.to_ascii_lowercase().replace(' ', "-")
    }

    /// Its key in that table: its name, without the section's name in front of it.
    pub(crate) fn key(&self) -> String {
        let name = self.id().replace('_', "-");
        let prefix = format!("{}-", self.section());
        name.strip_prefix(&prefix).unwrap_or(&name).to_owned()
    }

    /// Section and key, as in `listening.port`.
    pub(crate) fn path(&self) -> String {
        format!("{}.{}", self.section(), self.key())
    }

    /// Its environment variable.
    pub(crate) fn variable(&self) -> String {
        match self.0.get_env() {
            Some(name) => name.to_string_lossy().into_owned(),
            // The word by which it is known everywhere.
            None if self.id() == "log_level" => "HITHER_LOG".to_owned(),
            None => format!("HITHER_{}", self.id().to_ascii_uppercase()),
        }
    }

    /// Its name on the command line.
    pub(crate) fn flag(&self) -> String {
        match self.0.get_long() {
            Some(long) => format!("--{long}"),
            None => "-- COMMAND".to_owned(),
        }
    }

    /// How often it can be given.
    pub(crate) fn shape(&self) -> Shape {
        let several = self.0.get_num_args().is_some_and(|range| range.max_values() > 1);
        let action = self.0.get_action();
        if matches!(action, ArgAction::SetTrue) {
            Shape::Flag
        } else if several || matches!(action, ArgAction::Append) {
            Shape::List
        } else {
            Shape::One
        }
    }

    /// Whether its value must not be seen by others.
    pub(crate) fn is_secret(&self) -> bool {
        let id = self.id();
        ["secret", "password", "token"].iter().any(|word| id.ends_with(word))
    }

    /// What it is for.
    pub(crate) fn help(&self) -> String {
        self.0.get_help().map(ToString::to_string).unwrap_or_default()
    }

    /// What it is when nobody says anything.
    pub(crate) fn defaults(&self) -> Vec<String> {
        let values = self.0.get_default_values().iter();
        values.map(|value| value.to_string_lossy().into_owned()).collect()
    }

    /// The words that it takes, if there is a list of them.
    pub(crate) fn choices(&self) -> Vec<String> {
        let choices = self.0.get_possible_values();
        choices.iter().map(|choice| choice.get_name().to_owned()).collect()
    }

    /// Has the option's own parser judge one value; the error says what was expected.
    pub(crate) fn judge(&self, value: &str) -> Result<(), String> {
        let arg = Arg::new("value").long("value").value_parser(self.parser());
        let parsed = Command::new("judge")
            .no_binary_name(true)
            .arg(arg)
            .try_get_matches_from([format!("--value={value}")]);
        parsed.map(drop).map_err(|error| expectation(&error))
    }

    fn parser(&self) -> ValueParser {
        match self.shape() {
            Shape::Flag => ValueParser::bool(),
            Shape::One | Shape::List => self.0.get_value_parser().clone(),
        }
    }
}

fn expectation(error: &clap::Error) -> String {
    match (error.get(ContextKind::ValidValue), error.source()) {
        (Some(ContextValue::Strings(choices)), _) if !choices.is_empty() => {
            format!("expected {}", choices.join(" or "))
        }
        (_, Some(source)) => source.to_string(),
        _ => "expected a value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_options_share_a_key_or_a_variable() {
        let options = ServeOption::all();
        let mut names: Vec<_> = options.iter().map(ServeOption::path).collect();
        names.extend(options.iter().map(ServeOption::variable));
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
    }

    #[test]
    fn names_follow_from_the_declaration() {
        let options = ServeOption::all();
        for (path, variable, flag, shape) in [
            ("listening.port", "HITHER_PORT", "--port", Shape::One),
            ("listening.bind", "HITHER_BIND", "--bind", Shape::List),
            ("listening.no-auth", "HITHER_NO_AUTH", "--no-auth", Shape::Flag),
            ("sessions.command", "HITHER_COMMAND", "-- COMMAND", Shape::List),
            ("log.form", "HITHER_LOG_FORM", "--log", Shape::One),
            ("log.level", "HITHER_LOG", "--log-level", Shape::One),
        ] {
            let option = options.iter().find(|option| option.path() == path).unwrap();
            assert_eq!((option.variable(), option.flag()), (variable.to_owned(), flag.to_owned()));
            assert_eq!(option.shape(), shape, "{path}");
        }
    }
}
