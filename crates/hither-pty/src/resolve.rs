//! From the name of a program to the file that will be executed.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

/// Where programs are searched when the child's environment has no `PATH`.
pub const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Why a program cannot be executed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The name is empty.
    #[error("program name is empty")]
    Empty,
    /// No file of that name is there.
    #[error("program {} not found", .0.display())]
    NotFound(OsString),
    /// There is a file, but it is a directory or may not be executed.
    #[error("{} is not an executable file", .0.display())]
    NotExecutable(PathBuf),
}

/// Finds the file to execute for `program`, as a shell in `cwd` with this `PATH` would.
///
/// A name with a slash is a path, relative to `cwd`; any other is searched in `path`
/// ([`DEFAULT_PATH`] if `None`), where an empty entry means `cwd`. `cwd` should be absolute, then
/// the result is.
///
/// # Errors
/// When nothing executable is found; a file that is there but cannot be executed is named.
pub fn resolve_program(
    program: &OsStr,
    path: Option<&OsStr>,
    cwd: &Path,
) -> Result<PathBuf, ResolveError> {
    if program.is_empty() {
        return Err(ResolveError::Empty);
    }
    if program.as_bytes().contains(&b'/') {
        return check(cwd.join(program))
            .unwrap_or_else(|| Err(ResolveError::NotFound(program.into())));
    }
    let mut first_refusal = None;
    let path = path.unwrap_or_else(|| OsStr::new(DEFAULT_PATH));
    for directory in path.as_bytes().split(|&byte| byte == b':') {
        let candidate = cwd.join(OsStr::from_bytes(directory)).join(program);
        match check(candidate) {
            Some(Ok(found)) => return Ok(found),
            Some(Err(refusal)) => first_refusal = first_refusal.or(Some(refusal)),
            None => {}
        }
    }
    Err(first_refusal.unwrap_or_else(|| ResolveError::NotFound(program.into())))
}

/// `None` when there is no such file.
fn check(file: PathBuf) -> Option<Result<PathBuf, ResolveError>> {
    let meta = file.metadata().ok()?;
    // With the effective ids, as execve decides (access(2) uses the real ones).
    let executable =
        meta.is_file() && accessat(CWD, &file, Access::EXEC_OK, AtFlags::EACCESS).is_ok();
    Some(if executable { Ok(file) } else { Err(ResolveError::NotExecutable(file)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(program: &str, path: Option<&str>, cwd: &str) -> Result<String, String> {
        resolve_program(program.as_ref(), path.map(OsStr::new), cwd.as_ref())
            .map(|found| found.to_str().unwrap().into())
            .map_err(|err| err.to_string())
    }

    #[test]
    fn searches_the_path_of_the_child() {
        for (program, path, cwd, expect) in [
            ("sh", Some("/nowhere:/bin"), "/", Ok("/bin/sh")),
            ("sh", Some(""), "/bin", Ok("/bin/sh")),
            ("env", None, "/", Ok("/usr/bin/env")),
            ("sh", Some("/nowhere"), "/bin", Err("program sh not found")),
            ("./sh", Some("/nowhere"), "/bin", Ok("/bin/./sh")),
            ("/bin/sh", None, "/", Ok("/bin/sh")),
            ("passwd", Some("/etc"), "/", Err("/etc/passwd is not an executable file")),
            ("passwd", Some("/etc:/usr/bin"), "/", Ok("/usr/bin/passwd")),
            ("etc/", None, "/", Err("/etc/ is not an executable file")),
            ("no/such", None, "/", Err("program no/such not found")),
            ("", None, "/", Err("program name is empty")),
        ] {
            let expect = expect.map(String::from).map_err(String::from);
            assert_eq!(resolve(program, path, cwd), expect, "{program} in {path:?}");
        }
    }
}
