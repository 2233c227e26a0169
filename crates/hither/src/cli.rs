//! The command line as a whole; each command's own options are beside the command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use hither_bench::BenchArgs;

use crate::commands::attach::AttachArgs;
use crate::commands::audit::AuditArgs;
use crate::commands::completions::CompletionsArgs;
use crate::commands::config::ConfigArgs;
use crate::commands::doctor::DoctorArgs;
use crate::commands::grant::GrantArgs;
use crate::commands::host::HostArgs;
use crate::commands::kill::KillArgs;
use crate::commands::logs::LogsArgs;
use crate::commands::ls::LsArgs;
use crate::commands::new::NewArgs;
use crate::commands::rename::RenameArgs;
use crate::commands::run::RunArgs;
use crate::commands::screen::ScreenArgs;
use crate::commands::send::SendArgs;
use crate::commands::serve::ServeArgs;
use crate::commands::share::ShareArgs;
use crate::commands::token::TokenArgs;
use crate::commands::top::TopArgs;
use crate::commands::upgrade::UpgradeArgs;
use crate::commands::url::UrlArgs;
use crate::commands::user::UserArgs;
use crate::commands::viewers::ViewersArgs;
use crate::commands::wait::WaitArgs;
use crate::runtime_dir::RuntimeDir;

const EXAMPLES: &str = "\
Examples:
  hither serve                      your shell in a browser tab; prints the address to open
  hither serve -- htop              one program instead of a shell
  hither ls                         the sessions that are alive
  hither new -- make -j2            start a session without a browser
  hither attach SESSION             the same session in this terminal
  hither run SESSION -- make        a command in its shell, with output and exit code
  hither kill --all                 end them all
  hither doctor                     is this machine ready?";

const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  `hither doctor` found something that must be changed, `hither audit verify` a flaw
  64  the command line is wrong, or the gateway says so of what it asked for
  69  no gateway is running, or it has no such session
  70  something inside went wrong
  75  the time was over before what `hither wait` or `hither run` waited for
  77  refused: the gateway or the system does not allow it
  78  a setting is wrong or unsafe, so nothing was started";

/// Your shell, here: terminals of this machine in a browser, that outlive the tab, the network
/// and the server.
#[derive(Debug, Parser)]
#[command(
    name = "hither",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"),
    arg_required_else_help = true,
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the gateway: serve sessions to browsers and programs
    Serve(Box<ServeArgs>),
    /// Print the settings that `hither serve` would have, and where each comes from
    Config(Box<ConfigArgs>),
    /// List the sessions of the running gateway
    Ls(LsArgs),
    /// Start a session and print its id
    New(NewArgs),
    /// Show a session in this terminal, and type into it
    Attach(AttachArgs),
    /// Type text, paste or press keys in a session
    Send(SendArgs),
    /// Print what a session shows
    Screen(ScreenArgs),
    /// Wait until something happens in a session
    Wait(WaitArgs),
    /// Run a command in a session's shell, print its output and end with its exit code
    Run(RunArgs),
    /// Print what a session has written
    Logs(LogsArgs),
    /// Give a session a title
    Rename(RenameArgs),
    /// Make a link that lets others into a session, list and withdraw such links
    Share(ShareArgs),
    /// Let other users of the gateway watch a session or type in it, and list who may
    Grant(GrantArgs),
    /// List who is attached to a session, change their roles, send them away
    Viewers(ViewersArgs),
    /// Show the sessions, their viewers, traffic and echo latency, again and again
    Top(TopArgs),
    /// End sessions for everybody
    Kill(KillArgs),
    /// Print a fresh address to open in a browser; it works once
    Url(UrlArgs),
    /// Replace the running gateway by this program, without refusing a connection
    Upgrade(UpgradeArgs),
    /// Add, list and remove users, and set their passwords
    User(UserArgs),
    /// Make, list and revoke API tokens
    Token(TokenArgs),
    /// List what is written down of who did what, and check that nobody changed it
    Audit(AuditArgs),
    /// Check whether this machine is ready, and say what to change
    Doctor(DoctorArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the version and the protocol spoken
    Version,
    /// Measure a web terminal, this one or another, beside the physical floor
    Bench(Box<BenchArgs>),
    /// Keep the PTYs while gateways come and go; started by `hither serve`
    #[command(hide = true)]
    Host(HostArgs),
}

/// Where to find, or put, the gateway's sockets.
#[derive(Clone, Debug, Args)]
pub(crate) struct RuntimeDirArgs {
    /// Folder of the gateway's sockets, mode 0700 [default: $XDG_RUNTIME_DIR/hither]
    #[arg(
        long,
        value_name = "DIR",
        env = "HITHER_RUNTIME_DIR",
        hide_env_values = true,
        help_heading = "General"
    )]
    runtime_dir: Option<PathBuf>,
}

/// Where users, tokens and share links are stored.
#[derive(Clone, Debug, Args)]
pub(crate) struct StateDirArgs {
    /// Folder of users, tokens and share links, mode 0700 [default: $XDG_STATE_HOME/hither, or
    /// the folder `state` in a --runtime-dir that was chosen]
    #[arg(
        long,
        value_name = "DIR",
        env = "HITHER_STATE_DIR",
        hide_env_values = true,
        help_heading = "General"
    )]
    state_dir: Option<PathBuf>,
}

impl StateDirArgs {
    /// The folder that was asked for, or the usual one. Gateways with runtime directories of their
    /// own have users of their own.
    pub(crate) fn resolve(&self, runtime_dir: &RuntimeDirArgs) -> PathBuf {
        let runtime = runtime_dir.resolve();
        let below_runtime = || runtime.path().join("state");
        match (&self.state_dir, &runtime_dir.runtime_dir) {
            (Some(chosen), _) => std::path::absolute(chosen).unwrap_or_else(|_| chosen.clone()),
            (None, Some(_)) => below_runtime(),
            (None, None) => {
                usual_state_home().map_or_else(below_runtime, |home| home.join("hither"))
            }
        }
    }
}

/// `$XDG_STATE_HOME`, or what it is when it is not set; none without a home.
fn usual_state_home() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))
}

impl RuntimeDirArgs {
    /// The folder that was asked for, or the usual one.
    pub(crate) fn resolve(&self) -> RuntimeDir {
        let chosen = self.runtime_dir.clone().map(RuntimeDir::new);
        chosen.unwrap_or_else(RuntimeDir::usual)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
