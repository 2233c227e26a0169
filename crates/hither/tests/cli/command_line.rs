//! Help, usage errors, completions and the checks before serving: the real program is run.

use crate::place::{Place, Run};

#[track_caller]
fn assert_fails(run: &Run, code: i32, words: &[&str]) {
    assert_eq!(run.code, code, "{run:#?}");
    assert_eq!(run.stdout, "", "{run:#?}");
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is not in {run:#?}");
    }
}

#[test]
fn every_command_explains_itself() {
    let place = Place::new();
    for (command, options) in [
        (
            "serve",
            "--port --bind --socket --allow-host --no-auth --shell --cwd --scrollback \
            --history-bytes --slow-viewer --workers --spin --read-buffer --batch-bytes \
            --batch-delay --log --log-level HITHER_LOG --runtime-dir HITHER_RUNTIME_DIR",
        ),
        ("ls", "--json --runtime-dir"),
        ("new", "--cwd --title --runtime-dir [COMMAND]"),
        ("kill", "--all --runtime-dir [SESSION]"),
        ("url", "--runtime-dir"),
        ("doctor", "--shell --runtime-dir"),
        ("completions", "bash zsh fish"),
        ("host", "--runtime-dir"),
    ] {
        let help = place.run(&[command, "--help"]);
        assert_eq!(help.code, 0);
        for option in options.split_whitespace() {
            assert!(help.stdout.contains(option), "{option} is not in\n{}", help.stdout);
        }
    }
}

#[test]
fn the_long_help_lists_commands_examples_and_exit_codes() {
    let help = Place::new().run(&["--help"]);
    assert_eq!(help.code, 0);
    for word in [
        "serve",
        "ls",
        "new",
        "kill",
        "url",
        "doctor",
        "completions",
        "version",
        "Your shell, here",
        "Examples:",
        "Exit codes:",
        "64  ",
        "69  ",
        "70  ",
        "77  ",
        "78  ",
    ] {
        assert!(help.stdout.contains(word), "{word:?} is not in\n{}", help.stdout);
    }
    assert!(!help.stdout.contains("  host"), "the PTY host is not for people");
}

#[test]
fn wrong_command_lines_end_with_64_and_say_what_was_expected() {
    let place = Place::new();
    for (arguments, word) in [
        (&[][..], "Usage"),
        (&["sing"], "sing"),
        (&["serve", "--workers", "0"], "1..=100"),
        (&["serve", "--workers", "101"], "1..=100"),
        (&["serve", "--spin", "51"], "0..=50"),
        (&["serve", "--port", "65536"], "65535"),
        (&["serve", "--bind", "localhost"], "--bind"),
        (&["serve", "--history-bytes", "3MiB"], "power of two"),
        (&["serve", "--read-buffer", "0"], "1KiB to 64KiB"),
        (&["serve", "--batch-delay", "2s"], "0 to 1s"),
        (&["serve", "--scrollback", "100001"], "0..=100000"),
        (&["serve", "--allow-host", "http://box"], "without scheme"),
        (&["serve", "--slow-viewer", "drop"], "skip, wait"),
        (&["serve", "--log", "xml"], "human, json"),
        (&["serve", "--log-level", "=,="], "expected a level"),
        (&["serve", "htop"], "htop"),
        (&["kill"], "<SESSION>"),
        (&["kill", "--all", "abc"], "--all"),
        (&["completions", "cobol"], "bash"),
    ] {
        assert_fails(&place.run(arguments), 64, &[word, "--help"]);
    }
}

#[test]
fn unsafe_and_impossible_settings_end_with_78_and_a_cure() {
    let place = Place::new();
    let long = format!("/tmp/{}", "x".repeat(120));
    for (arguments, message, cure) in [
        (&["--bind", "0.0.0.0"][..], "listening on 0.0.0.0", "ssh -L"),
        (&["--bind", "::1", "--bind", "::"], "listening on ::", "ssh -L"),
        (&["--cwd", "/nowhere"], "/nowhere cannot be entered", "--cwd DIR"),
        (&["--cwd", "/etc/passwd"], "/etc/passwd cannot be entered", "--cwd DIR"),
        (&["--shell", "/etc/passwd"], "not an executable file", "--shell PATH"),
        (&["--socket", &long], "exceeds limit of 107", "--socket"),
        (&["--runtime-dir", &long], "exceeds limit of 107", "--runtime-dir"),
    ] {
        let arguments = [&["serve"], arguments].concat();
        let run = place.run(&arguments);
        assert_fails(&run, 78, &[message, cure]);
        assert_eq!(run.stderr.lines().count(), 1, "{run:#?}");
    }
}

#[test]
fn completions_are_made_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = place.run(&["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        for word in ["serve", "history-bytes", "doctor"] {
            assert!(run.stdout.contains(word), "{word} is not completed in {shell}");
        }
        for word in ["testkit", "Keep the PTYs"] {
            assert!(!run.stdout.contains(word), "{word} is for no one, and completed in {shell}");
        }
    }
}

#[test]
fn the_version_names_the_protocol() {
    let run = Place::new().run(&["version"]);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(run.stdout, format!("hither {version} (protocol hither.v1)\n"));
    assert_eq!(Place::new().run(&["--version"]).stdout, format!("hither {version}\n"));
}

#[test]
fn the_doctor_finds_a_good_machine_good() {
    let run = Place::new().run(&["doctor"]);
    assert_eq!(run.code, 0, "{run:#?}");
    assert!(run.stdout.ends_with("This machine is ready.\n"), "{run:#?}");
    for what in ["Linux", "PTYs can be opened", "memfd", "pidfd", "closed to others", "/bin/sh"] {
        let fine = |line: &str| line.starts_with(['✓', '!']) && line.contains(what);
        assert!(run.stdout.lines().any(fine), "{what:?} is not fine in {run:#?}");
    }
}

#[test]
fn the_doctor_finds_an_open_runtime_directory_and_names_the_cure() {
    let place = Place::new();
    place.set_mode(0o755);
    let run = place.run(&["doctor"]);
    assert_eq!(run.code, 1, "{run:#?}");
    let path = place.path().display();
    for line in [
        format!("✗ runtime directory {path} is open to others (mode 0755)\n"),
        format!("    → run `chmod 700 {path}`\n"),
        "\nOne thing must be changed.\n".to_owned(),
    ] {
        assert!(run.stdout.contains(&line), "{line:?} is not in {run:#?}");
    }
}

#[test]
fn the_doctor_counts_what_is_bad() {
    let place = Place::new();
    let missing = place.path().join("\u{1b}[31mshell");
    place.set_mode(0o777);
    let run = place.run(&["doctor", "--shell", missing.to_str().unwrap()]);
    assert_eq!(run.code, 1, "{run:#?}");
    assert!(run.stdout.contains("\\x1b[31mshell is not an executable file"), "{run:#?}");
    assert!(run.stdout.ends_with("2 things must be changed.\n"), "{run:#?}");
}
