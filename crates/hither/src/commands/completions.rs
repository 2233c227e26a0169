//! `hither completions`: completion scripts for shells.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::output;

const PLACES: &str = "\
Where they go:
  bash  hither completions bash > ~/.local/share/bash-completion/completions/hither
  zsh   hither completions zsh > \"${fpath[1]}/_hither\"
  fish  hither completions fish > ~/.config/fish/completions/hither.fish";

/// Options of `hither completions`.
#[derive(Debug, Args)]
#[command(after_help = PLACES)]
pub(crate) struct CompletionsArgs {
    /// Shell that shall complete
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hither", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
