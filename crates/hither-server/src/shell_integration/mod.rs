//! Shell integration: shells that the gateway starts mark their prompts and commands (OSC 133) and
//! tell their directory (OSC 7), which `wait` and `run` of the API need.
//!
//! No file of the user is touched. The scripts lie in the runtime directory, and each kind of shell
//! is pointed to its own in a way of its own: bash by `--rcfile`, zsh by `ZDOTDIR`, fish by
//! `XDG_DATA_DIRS`. Each script undoes that and reads what the shell would have read, so that
//! programs and shells below know nothing of it.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Folder in the runtime directory.
const FOLDER: &str = "shell";
const BASH: &str = "hither.bash";
/// The scripts, by their path in the folder.
const SCRIPTS: [(&str, &str); 3] = [
    (BASH, include_str!("hither.bash")),
    ("zsh/.zshenv", include_str!("zsh/zshenv")),
    ("fish/vendor_conf.d/hither.fish", include_str!("fish/hither.fish")),
];
/// Where fish looks when the variable is not set (XDG base directory specification).
const DATA_DIRS: &str = "/usr/local/share:/usr/share";

/// The scripts, where shells find them.
#[derive(Clone, Debug)]
pub(crate) struct ShellIntegration {
    folder: PathBuf,
}

/// Writes a file that only its user may read, whatever the umask is.
fn write_own(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// What is changed about a program that is started, so that it reads a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dressed {
    /// Its arguments.
    pub(crate) argv: Vec<String>,
    /// Variables besides those that it gets anyway.
    pub(crate) environment: Vec<(String, String)>,
}

impl ShellIntegration {
    /// Writes the scripts into `dir`, which only the user can enter.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn install(dir: &Path) -> io::Result<Self> {
        let folder = dir.join(FOLDER);
        for (name, script) in SCRIPTS {
            let path = folder.join(name);
            let parent = path.parent().unwrap_or(&folder);
            fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
            // Shells that start just now read the old one or the new one, never half of one.
            let fresh = path.with_extension("new");
            write_own(&fresh, script)?;
            fs::rename(fresh, path)?;
        }
        Ok(Self { folder })
    }

    /// What a session's command is started as. Only a shell without arguments is interactive for
    /// sure; everything else is left alone.
    pub(crate) fn dress(&self, argv: &[String]) -> Dressed {
        let mut dressed = Dressed { argv: argv.to_vec(), environment: Vec::new() };
        let [program] = argv else { return dressed };
        let mut variable = |name: &str, value: String| {
            dressed.environment.push((name.to_owned(), value));
        };
        match Path::new(program).file_name().and_then(|name| name.to_str()) {
            Some("bash") => {
                let script = self.folder.join(BASH).display().to_string();
                dressed.argv.extend(["--rcfile".to_owned(), script]);
            }
            Some("zsh") => variable("ZDOTDIR", self.folder.join("zsh").display().to_string()),
            Some("fish") => {
                variable("XDG_DATA_DIRS", format!("{}:{DATA_DIRS}", self.folder.display()));
            }
            _ => {}
        }
        dressed
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_shells_without_arguments_are_dressed() {
        let integration = ShellIntegration { folder: "/run/h/shell".into() };
        let dress = |words: &[&str]| {
            let argv: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            integration.dress(&argv)
        };
        let bash = dress(&["/bin/bash"]);
        assert_eq!(bash.argv, ["/bin/bash", "--rcfile", "/run/h/shell/hither.bash"]);
        let zsh = dress(&["zsh"]);
        let variable = ("ZDOTDIR".to_owned(), "/run/h/shell/zsh".to_owned());
        assert_eq!((zsh.argv, zsh.environment), (vec!["zsh".to_owned()], vec![variable]));
        let fish = dress(&["/usr/bin/fish"]).environment;
        assert_eq!(fish[0].1, "/run/h/shell:/usr/local/share:/usr/share");
        for words in [&["bash", "-c", "ls"][..], &["/bin/sh"], &["rbash"], &["vim"], &[]] {
            assert_eq!(dress(words).argv, words, "{words:?}");
            assert!(dress(words).environment.is_empty(), "{words:?}");
        }
    }

    #[test]
    fn the_scripts_are_installed_for_the_user_alone() {
        let dir = std::env::temp_dir().join(format!("hither-shell-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        let installed = [(), ()].map(|()| ShellIntegration::install(&dir).unwrap());
        let folder = &installed[1].folder;
        for (name, script) in SCRIPTS {
            assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), script);
        }
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        fs::remove_dir_all(dir).unwrap();
    }
}
