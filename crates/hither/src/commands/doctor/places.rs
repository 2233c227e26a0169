//! Files and folders that must be there.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::super::serve::is_program;
use super::Finding;
use crate::runtime_dir::{RuntimeDir, RuntimeDirError};

/// What programs in a session take their terminal for.
const TERM: &str = "xterm-256color";

/// The folder of the gateway's sockets.
pub(super) fn runtime_dir(dir: &RuntimeDir) -> Finding {
    let path = dir.path();
    match dir.examine() {
        Ok(()) => Finding::good(format!("runtime directory {}, closed to others", path.display())),
        Err(RuntimeDirError::Missing(_)) => missing_runtime_dir(path),
        Err(err) => Finding::bad(err.to_string(), err.cure()),
    }
}

/// A runtime directory that `hither serve` will have to make.
fn missing_runtime_dir(path: &Path) -> Finding {
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    let parent = path.parent().filter(|parent| parent.is_dir());
    let writable = parent.is_some_and(|parent| access(parent, wanted).is_ok());
    let what = format!("runtime directory {}", path.display());
    if writable {
        Finding::good(format!("{what}, made when `hither serve` starts"))
    } else {
        Finding::bad(
            format!("{what} cannot be made"),
            "name another one with --runtime-dir DIR or HITHER_RUNTIME_DIR",
        )
    }
}

/// The shell of sessions without a command.
pub(super) fn shell(path: &Path) -> Finding {
    if is_program(path) {
        Finding::good(format!("shell {}", path.display()))
    } else {
        Finding::bad(
            format!("shell {} is not an executable file", path.display()),
            "name another one with --shell PATH or SHELL",
        )
    }
}

/// The description of the terminal that programs look up.
pub(super) fn terminfo() -> Finding {
    let own = std::env::var_os("TERMINFO").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".terminfo"));
    let system = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo"];
    let folders = own.into_iter().chain(home).chain(system.map(PathBuf::from));
    match find_terminfo(folders) {
        Some(path) => Finding::good(format!("terminal description {}", path.display())),
        None => Finding::fair(
            format!("no description of the terminal {TERM}: programs may show no colours"),
            "install ncurses-base (Debian) or ncurses-terminfo-base (Alpine)",
        ),
    }
}

/// The entry, below its first letter or the letter's code (term(5)).
fn find_terminfo(mut folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    folders.find_map(|folder| {
        let places = ["x", "78"].map(|letter| folder.join(letter).join(TERM));
        places.into_iter().find(|place| place.is_file())
    })
}

/// Who will own the sessions.
pub(super) fn user() -> Finding {
    let uid = rustix::process::geteuid();
    if uid.is_root() {
        Finding::fair("you are root, and so is whoever gets in", "run hither as an ordinary user")
    } else {
        Finding::good(format!("sessions will run as user {}", uid.as_raw()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn terminfo_is_found_below_either_name() {
        for letter in ["x", "78"] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join(letter)).unwrap();
            let entry = folder.path().join(letter).join(TERM);
            fs::write(&entry, "").unwrap();
            let folders = [PathBuf::from("/nowhere"), folder.path().to_owned()];
            assert_eq!(find_terminfo(folders.into_iter()), Some(entry));
        }
        assert_eq!(find_terminfo([PathBuf::from("/nowhere")].into_iter()), None);
    }

    #[test]
    fn a_shell_is_an_executable_file() {
        assert_eq!(shell(Path::new("/bin/sh")).verdict, Verdict::Good);
        assert_eq!(shell(Path::new("/etc/passwd")).verdict, Verdict::Bad);
        assert_eq!(shell(Path::new("/bin")).verdict, Verdict::Bad);
    }

    #[test]
    fn a_missing_runtime_directory_is_fine_where_it_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let inside = RuntimeDir::new(folder.path().join("a"));
        assert_eq!(runtime_dir(&inside).verdict, Verdict::Good);
        let deep = RuntimeDir::new(folder.path().join("a/b"));
        assert_eq!(runtime_dir(&deep).verdict, Verdict::Bad);
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let below_a_file = RuntimeDir::new(file.join("hither"));
        assert_eq!(runtime_dir(&below_a_file).verdict, Verdict::Bad);
    }
}
