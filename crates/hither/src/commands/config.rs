//! `hither config`: the settings that result from file, environment and command line.

use std::fmt::Write as _;

use clap::Args;
use toml::{Table, Value};

use super::serve::ServeArgs;
use crate::escape::Escaped;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::settings::{Effective, Origin, Settings, Shape, reference};

/// Options of `hither config`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Print the reference of all settings instead, in Markdown
    #[arg(long, help_heading = "General")]
    reference: bool,
}

/// Prints them in the form of a configuration file.
pub(crate) fn run(args: &ConfigArgs, settings: &Settings) -> Result<Exit, Failure> {
    if args.reference {
        output::print(&reference())?;
        return Ok(Exit::Success);
    }
    args.serve.check()?;
    settings.profiles(&args.serve.shell())?;
    output::print(&document(settings))?;
    Ok(Exit::Success)
}

fn document(settings: &Settings) -> String {
    let mut text =
        format!("# Settings of `hither serve`; read from {}.\n", Escaped(&settings.file_name()));
    let mut section = String::new();
    for effective in &settings.effective {
        if effective.option.section() != section {
            section = effective.option.section();
            text.push_str(&format!("\n[{section}]\n"));
        }
        // Writing to a String cannot fail.
        writeln!(text, "{}", line(effective)).unwrap_or_default();
    }
    if !settings.profiles.is_empty() {
        let profiles = masked(&settings.profiles);
        writeln!(text, "\n{}", profiles.to_string().trim_end()).unwrap_or_default();
    }
    text
}

/// The profiles, without what their variables hold, which may be secrets.
fn masked(profiles: &Table) -> Table {
    let mut profiles = profiles.clone();
    for (_, profile) in &mut profiles {
        if let Some(Value::Table(env)) = profile.get_mut("env") {
            env.iter_mut().for_each(|(_, value)| *value = Value::from("***"));
        }
    }
    Table::from_iter([("profiles".to_owned(), Value::Table(profiles))])
}

fn line(effective: &Effective) -> String {
    let Effective { option, values, origin } = effective;
    let key = option.key();
    let origin = match origin {
        Origin::Default => "default".to_owned(),
        Origin::File => "file".to_owned(),
        Origin::Variable(name) => name.clone(),
        Origin::CommandLine => "command line".to_owned(),
    };
    let value = match (option.shape(), values.as_slice()) {
        (_, []) => return format!("# {key} is not set"),
        (_, _) if option.is_secret() => Value::String("***".to_owned()),
        (Shape::Flag, [text, ..]) => Value::Boolean(text == "true"),
        (Shape::One, [text, ..]) => scalar(text),
        (Shape::List, texts) => Value::Array(texts.iter().map(|text| scalar(text)).collect()),
    };
    format!("{key} = {value}  # {origin}")
}

fn scalar(text: &str) -> Value {
    text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Integer)
}
