//! Completion of sessions, in the shells themselves.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::running::Running;

/// A gateway with a session, and a folder with each shell's script.
fn gateway() -> (TempDir, Running, String) {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let id = gateway.new_session(&["cat"]);
    for shell in ["bash", "zsh", "fish"] {
        let script = gateway.hither(&["completions", shell]).stdout;
        fs::write(folder.path().join(shell), script).unwrap();
    }
    (folder, gateway, id)
}

/// What a shell prints when it runs `line`, with the program in its path.
fn said_by(gateway: &Running, shell: &[&str], line: &str) -> String {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg(line);
    command.env("PATH", path()).env("HITHER_RUNTIME_DIR", &gateway.dir).env("HOME", &gateway.dir);
    let output = command.output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_hither"));
    format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap())
}

#[test]
fn bash_completes_sessions_where_one_is_wanted() {
    let (folder, gateway, id) = gateway();
    let script = folder.path().join("bash");
    let complete = |words: &[&str]| {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let (last, before) = (words.len() - 1, words.len() - 2);
        let line = format!(
            ". {}; COMP_WORDS=({}); COMP_CWORD={last}; \
             _hither_or_sessions hither \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{before}]}}\"; \
             echo \"${{COMPREPLY[*]}}\"",
            script.display(),
            quoted.join(" "),
        );
        said_by(&gateway, &["bash", "--norc", "--noprofile", "-c"], &line).trim().to_owned()
    };
    assert_eq!(complete(&["hither", "attach", ""]), id);
    assert_eq!(complete(&["hither", "attach", "--read-only", &id[..2]]), id);
    assert_eq!(complete(&["hither", "attach", "--detach-key", &id[..2]]), "");
    assert_eq!(complete(&["hither", "kill", &id, ""]), id);
    assert_eq!(complete(&["hither", "attach", "!"]), "");
    assert_eq!(complete(&["hither", "run", &id, "--", ""]), "");
    assert_eq!(complete(&["hither", "comp"]), "completions");
    assert!(complete(&["hither", "attach", "--re"]).contains("--read-only"));
    // One is enough.
    assert!(!complete(&["hither", "rename", &id, ""]).contains(&id));
}

#[test]
fn fish_completes_sessions_and_says_what_runs_in_them() {
    let (folder, gateway, id) = gateway();
    let complete = |line: &str| {
        let line = format!("source {}; complete -C '{line}'", folder.path().join("fish").display());
        said_by(&gateway, &["fish", "--no-config", "-c"], &line)
    };
    assert!(complete("hither attach ").contains(&format!("{id}\tcat\n")));
    assert!(!complete("hither doctor ").contains(&id));
    assert!(complete("hither comp").starts_with("completions\t"));
}

#[test]
fn zsh_completes_sessions_at_its_prompt() {
    let (folder, gateway, id) = gateway();
    let runtime = gateway.dir.display().to_string();
    let script = folder.path().join("zsh").display().to_string();
    // zsh asks for completions only at a prompt: it gets one, in a session.
    let environment = [
        ("PATH", path()),
        ("HITHER_RUNTIME_DIR", runtime),
        ("ZDOTDIR", folder.path().display().to_string()),
    ];
    let mut words = vec!["env".to_owned()];
    words.extend(environment.iter().map(|(name, value)| format!("{name}={value}")));
    words.extend(["zsh".to_owned(), "-f".to_owned()]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let shell = gateway.new_session(&words);
    let mut viewer = gateway.viewer(&shell);
    viewer.type_input(
        format!("PS1='re''ady> '; autoload -U compinit; compinit -u -D; . {script}\r").as_bytes(),
    );
    viewer.until(|viewer| viewer.text().contains("ready> "));
    viewer.seen.clear();
    viewer.type_input(format!("hither attach {}\t", &id[..15]).as_bytes());
    viewer.until(|viewer| viewer.text().contains(&id));
}
