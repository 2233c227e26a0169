//! The reference of all settings, docs/configuration.md.

use std::fmt::Write as _;

use super::option::{ServeOption, Shape};

const INTRODUCTION: &str = "\
# Configuration

<!-- Made by `hither config --reference > docs/configuration.md`; a test compares them. -->

Everything that can be said to `hither serve` can be said in a file, in the environment and on the
command line. The later one is stronger, in this order:

1. the default;
2. the configuration file: the one that `--config PATH` or `HITHER_CONFIG` names, else
   `$XDG_CONFIG_HOME/hither/config.toml` (`~/.config` when the variable is not set) if it is there,
   else `/etc/hither.toml` if it is there;
3. the environment: `HITHER_PORT=8080`; a list is separated by commas, the words of
   `HITHER_COMMAND` by spaces, an empty variable says nothing;
4. the command line: `--port 8080`; a flag is taken back by `--no-auth=false`.

A list is replaced as a whole by the stronger one. `hither config` prints the settings that result
and where each comes from, in the form of a file; `hither serve --check-config` checks them and
starts nothing.

The file is TOML, a table for each group of options:

```toml
[listening]
port = 8080
bind = [\"127.0.0.1\", \"::1\"]

[sessions]
shell = \"/bin/bash\"
```

A key that does not exist, a value that cannot be understood and an unsafe combination end the start
with exit code 78 and one sentence that names the cure; nothing has been opened by then. (A command
line that cannot be understood ends with 64.) The file must belong to you or to root, and others may
not write it; if it holds a secret, others may not read it either.

A **profile** is a session that is described once and started by its name, with `hither new
--profile build` or `{\"profile\":\"build\"}` in the API; it can be in the file only:

```toml
[profiles.build]
command = [\"make\", \"-j2\"]     # or a text, as in the API: one word, or a line for the shell
cwd = \"/src/project\"           # absolute
title = \"Build\"
cols = 132
rows = 50
on-close = \"kill\"
env = { MAKEFLAGS = \"-s\" }     # any variable: whoever writes the file may set them all
labels = { team = \"a\" }
users = [\"ann\"]                # only they, and admins, see it; absent: whoever may start sessions
```

Every member may be absent. What a request says itself is stronger, but for the command; labels and
variables of both count. There are at most 64 profiles; a name has up to 63 letters, digits and `._-`.
`hither config` shows the names of a profile's variables, not what they hold.

Only on the command line and in the environment: `--runtime-dir` (`HITHER_RUNTIME_DIR`), by which
all commands find each other, and `--config` (`HITHER_CONFIG`).
";

/// The document.
pub(crate) fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    let mut section = String::new();
    for option in ServeOption::all() {
        if option.section() != section {
            section = option.section();
            let heading = format!(
                "\n## [{section}]\n\n| key | option | variable | default | meaning |\n\
                 |---|---|---|---|---|\n"
            );
            text.push_str(&heading);
        }
        // Writing to a String cannot fail.
        writeln!(text, "{}", row(&option)).unwrap_or_default();
    }
    text
}

fn row(option: &ServeOption) -> String {
    let (help, stated) = split_default(&option.help());
    let default = match (stated, option.shape()) {
        (Some(stated), _) => stated,
        (None, Shape::Flag) => "`false`".to_owned(),
        (None, Shape::One | Shape::List) => match option.defaults().join(", ") {
            none if none.is_empty() => "–".to_owned(),
            some => format!("`{some}`"),
        },
    };
    let list = if option.shape() == Shape::List { " (list)" } else { "" };
    let choices = match option.choices() {
        words if words.is_empty() || option.shape() == Shape::Flag => String::new(),
        words => format!(": `{}`", words.join("`, `")),
    };
    format!(
        "| `{}`{list} | `{}` | `{}` | {default} | {}{choices} |",
        option.key(),
        option.flag(),
        option.variable(),
        help.replace('|', "\\|")
    )
}

/// Help that ends with `[default: …]` says in words what the default is.
fn split_default(help: &str) -> (String, Option<String>) {
    match help.strip_suffix(']').and_then(|help| help.split_once(" [default: ")) {
        Some((help, default)) => (help.to_owned(), Some(default.to_owned())),
        None => (help.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn the_document_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        if std::env::var_os("HITHER_UPDATE").is_some() {
            std::fs::write(path, reference()).unwrap();
        }
        let document = std::fs::read_to_string(path).unwrap();
        assert!(
            document == reference(),
            "docs/configuration.md is not what the options say; \
             run `HITHER_UPDATE=1 cargo test -p hither document`"
        );
    }
}
