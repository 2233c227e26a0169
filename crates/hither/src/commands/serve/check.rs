//! Settings that are wrong or unsafe, found before anything is opened.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::ServeArgs;
use crate::failure::{Exit, Failure};

/// Longest path of a Unix socket: `sun_path` less its final NUL (unix(7)).
const SOCKET_PATH_LEN_MAX: usize = 107;

impl ServeArgs {
    /// Refuses settings under which the gateway cannot run, or should not.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.listen.check(&self.tls)?;
        self.tls.check()?;
        self.oidc.provider(self.listen.no_auth)?;
        self.traces.check()?;
        self.check_sockets()?;
        check_directory(self.session.cwd.as_deref())?;
        check_shell(&self.shell())
    }

    /// What is allowed and still deserves a word.
    pub(crate) fn warnings(&self) -> Vec<&'static str> {
        let mut warnings = self.listen.warnings(&self.tls);
        if rustix::process::geteuid().is_root() {
            warnings.push("running as root: whoever gets in is root; run as an ordinary user");
        }
        warnings
    }

    /// The shell of sessions without a command.
    pub(crate) fn shell(&self) -> PathBuf {
        self.session.shell.clone().unwrap_or_else(usual_shell)
    }

    fn check_sockets(&self) -> Result<(), Failure> {
        let own = self.runtime_dir.resolve().gateway_socket();
        for (path, option) in
            [(Some(&own), "--runtime-dir"), (self.listen.socket.as_ref(), "--socket")]
        {
            let len = path.map_or(0, |path| path.as_os_str().len());
            if len > SOCKET_PATH_LEN_MAX {
                let message =
                    format!("socket path of {len} bytes exceeds limit of {SOCKET_PATH_LEN_MAX}");
                let cure = format!("give a shorter path to {option}");
                return Err(Failure::new(Exit::Configuration, message).cure(cure));
            }
        }
        Ok(())
    }
}

/// The user's own shell, else the one that every system has.
pub(crate) fn usual_shell() -> PathBuf {
    let own = std::env::var_os("SHELL").filter(|shell| shell.as_bytes().starts_with(b"/"));
    PathBuf::from(own.as_deref().unwrap_or_else(|| OsStr::new("/bin/sh")))
}

/// Whether `path` is a file that may be executed.
pub(crate) fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

fn check_directory(cwd: Option<&Path>) -> Result<(), Failure> {
    match cwd {
        Some(path) if !path.is_dir() || access(path, Access::EXEC_OK).is_err() => {
            let message = format!("directory {} cannot be entered", path.display());
            Err(Failure::new(Exit::Configuration, message).cure("name another one with --cwd DIR"))
        }
        _ => Ok(()),
    }
}

fn check_shell(shell: &Path) -> Result<(), Failure> {
    if is_program(shell) {
        return Ok(());
    }
    let message = format!("shell {} is not an executable file", shell.display());
    let cure = "name another one with --shell PATH or SHELL";
    Err(Failure::new(Exit::Configuration, message).cure(cure))
}
