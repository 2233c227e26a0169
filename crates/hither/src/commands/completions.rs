//! `hither completions`: completion scripts for shells.

use std::collections::BTreeSet;

use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::output;

const PLACES: &str = "\
Where they go:
  bash  hither completions bash > ~/.local/share/bash-completion/completions/hither
  zsh   hither completions zsh > \"${fpath[1]}/_hither\"
  fish  hither completions fish > ~/.config/fish/completions/hither.fish

In these three, sessions are completed, too: those that `hither ls` lists.";

/// What is completed with ids of sessions, as help pages call it.
const SESSION: &str = "SESSION";

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
    output::print(&script(args.shell))?;
    Ok(Exit::Success)
}

fn script(shell: Shell) -> String {
    let mut command = visible(&Cli::command());
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "hither", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => {
            let commands = of_sessions(&command).join("|");
            script
                + &BASH.replace("COMMANDS", &commands).replace("FLAGS", &flags(&command).join("|"))
        }
        Shell::Fish => script + &FISH.replace("COMMANDS", &of_sessions(&command).join(" ")),
        Shell::Zsh => with_sessions_in_zsh(&script, &command),
        Shell::Elvish | Shell::PowerShell | _ => script,
    }
}

/// The command without what is not for people.
fn visible(command: &Command) -> Command {
    let below = command.get_subcommands().filter(|below| !below.is_hide_set()).map(visible);
    let mut visible = Command::new(command.get_name().to_owned())
        .about(command.get_about().cloned().unwrap_or_default())
        .disable_help_subcommand(true)
        .args(command.get_arguments().cloned())
        .groups(command.get_groups().cloned())
        .subcommands(below);
    if let Some(version) = command.get_version() {
        visible = visible.version(version.to_owned());
    }
    visible
}

/// The commands that take a session.
fn of_sessions(command: &Command) -> Vec<&str> {
    let takes = |command: &&Command| positional(command).is_some();
    command.get_subcommands().filter(takes).map(Command::get_name).collect()
}

/// Their options behind which no value follows.
fn flags(command: &Command) -> Vec<String> {
    let takes = command.get_subcommands().filter(|command| positional(command).is_some());
    let arguments = takes.flat_map(Command::get_arguments);
    let flags = arguments.filter(|argument| !argument.get_action().takes_values());
    let names: BTreeSet<&str> = flags.filter_map(clap::Arg::get_long).collect();
    names.into_iter().map(|name| format!("--{name}")).collect()
}

/// The id of the argument that is a session.
fn positional(command: &Command) -> Option<&str> {
    let mut positionals = command.get_positionals();
    let session = positionals.find(|argument| {
        argument.get_value_names().is_some_and(|names| names.iter().any(|name| name == SESSION))
    })?;
    Some(session.get_id().as_str())
}

/// Behind the script's own function; it may have no words for what is a session.
const BASH: &str = r#"
_hither_or_sessions() {
    _hither "$@"
    local word ids given=
    # Behind it comes another command line.
    for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
        [[ $word == -- ]] && COMPREPLY=() && return
    done
    case ${COMP_WORDS[1]} in COMMANDS) ;; *) return ;; esac
    [[ $COMP_CWORD -ge 2 && $2 != -* ]] || return
    case $3 in FLAGS) ;; -*) return ;; esac
    ids=$("${COMP_WORDS[0]}" ls --brief 2>/dev/null | cut -f 1)
    for word in "${COMP_WORDS[@]:2:COMP_CWORD - 2}"; do
        [[ -n $word && $'\n'$ids == *$'\n'"$word"* ]] && given=1
    done
    [[ -n $given && ${COMP_WORDS[1]} != kill ]] && return
    COMPREPLY=($(compgen -W "$ids" -- "$2"))
}
complete -F _hither_or_sessions -o bashdefault -o default hither
"#;

const FISH: &str = r#"complete -c hither -n "__fish_hither_using_subcommand COMMANDS" -f -a "(hither ls --brief 2>/dev/null)"
"#;

const ZSH: &str = r#"(( $+functions[_hither_sessions] )) ||
_hither_sessions() {
    local -a sessions
    sessions=(${(f)"$(_call_program sessions hither ls --brief 2>/dev/null)"})
    sessions=("${(@)${(@)sessions//:/\\:}/$'\t'/:}")
    _describe -t sessions session sessions
}

"#;

/// The arguments that are sessions get a function of their own, in front of the call at the end.
fn with_sessions_in_zsh(script: &str, command: &Command) -> String {
    let names = command.get_subcommands().filter_map(positional);
    let starts: Vec<String> =
        names.flat_map(|name| [format!("':{name} -- "), format!("'*::{name} -- ")]).collect();
    let mut out = String::with_capacity(script.len() + ZSH.len());
    for line in script.split_inclusive('\n') {
        if line.starts_with("if [ \"$funcstack[1]\"") {
            out += ZSH;
        }
        if starts.iter().any(|start| line.starts_with(start)) {
            out += &line.replace(":_default'", ":_hither_sessions'");
        } else {
            out += line;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_are_not_for_people_are_left_out() {
        let hidden: Vec<String> = Cli::command()
            .get_subcommands()
            .filter(|command| command.is_hide_set())
            .map(|command| command.get_name().to_owned())
            .collect();
        assert_eq!(hidden, ["host"]);
        let visible = visible(&Cli::command());
        assert!(visible.get_subcommands().all(|command| command.get_name() != "host"));
    }

    #[test]
    fn the_commands_that_take_a_session_are_known_in_every_script() {
        let command = Cli::command();
        let names = of_sessions(&command);
        let expect = [
            "attach", "send", "screen", "wait", "run", "logs", "rename", "share", "grant",
            "viewers", "kill",
        ];
        assert_eq!(names, expect);
        assert_eq!(script(Shell::Zsh).matches(":_hither_sessions'").count(), expect.len());
        assert!(script(Shell::Bash).contains(&format!("{}) ;;", expect.join("|"))));
        assert!(script(Shell::Fish).contains(&expect.join(" ")));
    }
}
