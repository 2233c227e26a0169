//! The commands, one file each.

pub(crate) mod attach;
pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod grant;
pub(crate) mod host;
mod host_sessions;
pub(crate) mod kill;
pub(crate) mod logs;
pub(crate) mod ls;
pub(crate) mod new;
pub(crate) mod rename;
pub(crate) mod run;
pub(crate) mod screen;
pub(crate) mod send;
pub(crate) mod serve;
mod sessions;
pub(crate) mod share;
mod table;
pub(crate) mod token;
pub(crate) mod top;
pub(crate) mod upgrade;
pub(crate) mod url;
pub(crate) mod user;
mod version;
pub(crate) mod viewers;
pub(crate) mod wait;
mod watched;
mod when;

use std::process::ExitCode;

use crate::cli::Command;
use crate::failure::Failure;
use crate::settings::Settings;

/// Does what the command line asks for.
pub(crate) fn run(command: Command, settings: &Settings) -> Result<ExitCode, Failure> {
    let exit = match command {
        Command::Bench(args) => return Ok(hither_bench::run(&args, &["bench"])),
        Command::Run(args) => return run::run(&args),
        Command::Attach(args) => attach::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Screen(args) => screen::run(&args),
        Command::Wait(args) => wait::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Rename(args) => rename::run(&args),
        Command::Share(args) => share::run(&args),
        Command::Grant(args) => grant::run(&args),
        Command::Viewers(args) => viewers::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Serve(args) => serve::run(&args, settings),
        Command::Config(args) => config::run(&args, settings),
        Command::Ls(args) => ls::run(&args),
        Command::New(args) => new::run(&args),
        Command::Kill(args) => kill::run(&args),
        Command::Url(args) => url::run(&args),
        Command::Upgrade(args) => upgrade::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::User(args) => user::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Version => version::run(),
        Command::Host(args) => host::run(&args),
    };
    exit.map(ExitCode::from)
}
