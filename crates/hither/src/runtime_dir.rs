//! The folder in which gateways, PTY hosts and this command line find each other.
//!
//! Who may enter it may do everything, so it belongs to the user and has mode 0700.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf, absolute};

use rustix::process::geteuid;

/// Path of the runtime directory, which need not be there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuntimeDir(PathBuf);

/// Why a runtime directory cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RuntimeDirError {
    /// Nothing is there.
    #[error("runtime directory {} does not exist", .0.display())]
    Missing(PathBuf),
    /// Something is there, but no directory; a symbolic link is none.
    #[error("runtime directory {} is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// It belongs to somebody else.
    #[error("runtime directory {} belongs to user {owner}", path.display())]
    Owner {
        /// The directory.
        path: PathBuf,
        /// User id of its owner.
        owner: u32,
    },
    /// Others may enter.
    #[error("runtime directory {} is open to others (mode {mode:04o})", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The system does not say.
    #[error("runtime directory {} cannot be examined: {cause}", path.display())]
    Unreadable {
        /// The directory.
        path: PathBuf,
        /// What the system answered.
        cause: io::Error,
    },
}

impl RuntimeDir {
    /// The directory at `path`, seen from the current directory.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(absolute(&path).unwrap_or(path))
    }

    /// Where it is when nobody says otherwise: below `$XDG_RUNTIME_DIR`, or what systemd would
    /// have made of it, or else in `/tmp` under a name with the user's id.
    pub(crate) fn usual() -> Self {
        let uid = geteuid().as_raw();
        let session = std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| {
                Some(PathBuf::from(format!("/run/user/{uid}"))).filter(|path| path.is_dir())
            });
        Self(match session {
            Some(folder) => folder.join("hither"),
            None => PathBuf::from(format!("/tmp/hither-{uid}")),
        })
    }

    /// The path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The socket on which the gateway answers HTTP requests of its own user.
    pub(crate) fn gateway_socket(&self) -> PathBuf {
        self.0.join("gateway.sock")
    }

    /// Makes sure that the directory is there, ours, and closed to others.
    pub(crate) fn examine(&self) -> Result<(), RuntimeDirError> {
        let path = self.0.clone();
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(err) if err.kind() == ErrorKind::NotFound => {
                return Err(RuntimeDirError::Missing(path));
            }
            Err(cause) => return Err(RuntimeDirError::Unreadable { path, cause }),
        };
        if !metadata.is_dir() {
            return Err(RuntimeDirError::NotADirectory(path));
        }
        let owner = metadata.uid();
        if owner != geteuid().as_raw() {
            return Err(RuntimeDirError::Owner { path, owner });
        }
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(RuntimeDirError::Open { path, mode });
        }
        Ok(())
    }
}

impl RuntimeDirError {
    /// What the reader can do about it, in the imperative.
    pub(crate) fn cure(&self) -> String {
        match self {
            Self::Missing(_) => "start a gateway with `hither serve`".to_owned(),
            Self::Open { path, .. } => format!("run `chmod 700 {}`", path.display()),
            Self::NotADirectory(_) | Self::Owner { .. } | Self::Unreadable { .. } => {
                "name another one with --runtime-dir DIR or HITHER_RUNTIME_DIR".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn with_mode(mode: u32) -> (tempfile::TempDir, RuntimeDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hither");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, RuntimeDir::new(path))
    }

    #[test]
    fn a_closed_directory_of_ours_is_trusted() {
        for mode in [0o700, 0o2700] {
            let (_folder, dir) = with_mode(mode);
            dir.examine().unwrap();
        }
    }

    #[test]
    fn open_missing_and_linked_directories_are_not() {
        for mode in [0o755, 0o770, 0o707, 0o701] {
            let (_folder, dir) = with_mode(mode);
            let err = dir.examine().unwrap_err();
            assert!(
                err.to_string().contains(&format!("open to others (mode {mode:04o})")),
                "{err}"
            );
        }
        let (folder, dir) = with_mode(0o700);
        let link = folder.path().join("link");
        symlink(dir.path(), &link).unwrap();
        let linked = RuntimeDir::new(link).examine();
        assert!(matches!(linked, Err(RuntimeDirError::NotADirectory(_))));
        let missing = RuntimeDir::new(folder.path().join("no")).examine();
        assert!(matches!(missing, Err(RuntimeDirError::Missing(_))));
    }
}
