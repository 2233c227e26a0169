//! Shell integration in real shells: the marks are there, and nothing of the user's is broken.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::running::{Running, Viewer};

/// What bash's user has in a file of theirs: strict, with traps and a prompt command of their own.
const BASHRC: &str = "\
set -u
PS1='user> '
traced=0
trap 'traced=$((traced + 1))' DEBUG
trap 'echo left-$((40 + 2))' EXIT
PROMPT_COMMAND='seen=$?'
MINE=yes
";
/// The same with the other form of prompt commands.
const BASHRC_ARRAY: &str = "\
PS1='user> '
PROMPT_COMMAND=('seen=$?' 'PS1=\"user> \"')
MINE=yes
";
const ZSHRC: &str = "\
setopt no_unset
PS1='user> '
precmd() { seen=$? }
MINE=yes
";
const FISHCONF: &str = "\
set -g fish_greeting
function fish_prompt
    set -g seen $status
    printf 'user> '
end
set -g MINE yes
";

/// A gateway whose user has these files, and a viewer of a shell of theirs.
fn shell(options: &[&str], program: &str, files: &[(&str, &str)]) -> (TempDir, Running, Viewer) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    for (name, text) in files {
        let path = home.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let home = home.to_str().unwrap();
    let environment = [("HOME", home), ("LC_ALL", "C.UTF-8"), ("LANG", "C.UTF-8")];
    let dir = folder.path().join("run");
    let gateway = Running::with_environment(&dir, options, &[program], &environment);
    let id = gateway.new_session(&[program]);
    let mut viewer = gateway.viewer(&id);
    viewer.until(|viewer| viewer.text().contains("user> "));
    (folder, gateway, viewer)
}

/// Types a line and waits for what must come of it.
fn line(viewer: &mut Viewer, line: &str, expect: &str) {
    viewer.seen.clear();
    viewer.type_input(format!("{line}\r").as_bytes());
    viewer.until(|viewer| {
        let text = viewer.text();
        text.find(expect).is_some_and(|at| text[at..].contains("user> "))
    });
}

/// The marks of the commands that were typed, in order. That of the prompt before them stands behind
/// its text, so it may have come late.
fn marks(viewer: &Viewer) -> Vec<String> {
    let text = viewer.text();
    let marks = text.split("\x1b]133;").skip(1);
    let marks = marks.map(|rest| rest.split('\x07').next().unwrap().to_owned());
    marks.skip_while(|mark| mark == "B").collect()
}

/// What every shell must do.
fn check(viewer: &mut Viewer, seen: &str, environment: &str, last: &str, away: &Path) {
    line(viewer, "false", "\x1b]133;D;1\x07");
    let expect: Vec<_> =
        ["C", "D;1", "A"].into_iter().chain((!last.is_empty()).then_some(last)).collect();
    // The prompt comes after its mark, so what is behind it may still be under way.
    viewer.until(|viewer| marks(viewer).len() >= expect.len());
    assert_eq!(marks(viewer), expect, "{:?}", viewer.text());
    line(viewer, "sh -c 'exit 7'", "\x1b]133;D;7\x07");
    // The user's own prompt command sees the exit code too.
    line(viewer, "false", "\x1b]133;D;1\x07");
    line(viewer, seen, "seen-1-yes");
    line(viewer, environment, "[]");
    fs::create_dir(away).unwrap();
    let encoded = away.to_str().unwrap().replace(" é%", "%20%C3%A9%25");
    line(viewer, &format!("cd '{}'", away.display()), &format!("{encoded}\x07"));
}

#[test]
fn bash() {
    for rc in [BASHRC, BASHRC_ARRAY] {
        let (folder, _gateway, mut viewer) = shell(&[], "bash", &[(".bashrc", rc)]);
        let away = folder.path().join("a é%b");
        let environment = "echo \"[${HITHER_ZDOTDIR-}${BASH_ENV-}${ENV-}]\"";
        check(&mut viewer, "echo seen-$seen-$MINE", environment, "B", &away);
        if rc == BASHRC {
            line(&mut viewer, "((traced > 5)) && echo traced-$((1 + 1))", "traced-2");
        }
        // A shell below knows nothing of it.
        viewer.type_input(b"bash --norc\r");
        viewer.until(|viewer| viewer.text().contains("bash-"));
        viewer.seen.clear();
        viewer.type_input(b"true\r");
        viewer.until(|viewer| viewer.text().contains("bash-"));
        assert_eq!(marks(&viewer), [""; 0]);
        viewer.type_input(b"exit\r");
        viewer.until(|viewer| marks(viewer).contains(&"D;0".to_owned()));
        if rc == BASHRC {
            viewer.seen.clear();
            viewer.type_input(b"exit\r");
            viewer.until(|viewer| viewer.text().contains("left-42"));
        }
    }
}

#[test]
fn zsh() {
    let files = [(".zshrc", ZSHRC), (".zshenv", "ENVIRONMENT=read\n")];
    let (folder, _gateway, mut viewer) = shell(&[], "zsh", &files);
    let away = folder.path().join("a é%b");
    let environment = "echo \"[${ZDOTDIR-}${HITHER_ZDOTDIR-}]\"";
    check(&mut viewer, "echo seen-$seen-$MINE", environment, "B", &away);
    line(&mut viewer, "echo env-$ENVIRONMENT", "env-read");
    // What zsh shows at the end of an unfinished line is not the command's, and stays the user's.
    line(&mut viewer, "printf unfinished", "unfinished\x1b]133;D;0\x07");
    line(&mut viewer, "echo \"[${PROMPT_EOL_MARK-none}]\"", "[%{");
    line(&mut viewer, "unsetopt prompt_sp; false", "\x1b]133;D;1\x07");
    assert_eq!(marks(&viewer)[..2], ["C", "D;1"], "{:?}", viewer.text());
    line(&mut viewer, "setopt prompt_sp; PROMPT_EOL_MARK='(user)'", "\x1b]133;D;0\x07");
    line(&mut viewer, "printf more", "more\x1b]133;D;0\x07(user)");
}

#[test]
fn fish() {
    let files = [(".config/fish/config.fish", FISHCONF)];
    let (folder, _gateway, mut viewer) = shell(&[], "fish", &files);
    let away = folder.path().join("a é%b");
    check(&mut viewer, "echo seen-$seen-$MINE", "echo \"[$XDG_DATA_DIRS]\"", "", &away);
}

#[test]
fn it_can_be_switched_off() {
    let files = [(".bashrc", "PS1='user> '\n")];
    let (_folder, gateway, mut viewer) = shell(&["--no-shell-integration"], "bash", &files);
    line(&mut viewer, "echo without-$((40 + 2))", "without-42");
    assert_eq!(marks(&viewer), [""; 0]);
    assert!(!gateway.dir.join("shell").exists());
}
