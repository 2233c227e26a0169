//! The directory in which a user's host and gateway meet.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::process::geteuid;

/// A directory that nobody but its user can enter, held open.
///
/// Everything in it is reached through the open directory, so replacing its path does not lead
/// anybody elsewhere.
#[derive(Debug)]
pub struct RuntimeDir {
    path: PathBuf,
    fd: OwnedFd,
}

/// Why a runtime directory cannot be used, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeDirError {
    /// The path is not absolute.
    #[error("runtime directory {} must be an absolute path", .0.display())]
    Relative(PathBuf),
    /// It cannot be created or opened.
    #[error("cannot open runtime directory {}: {cause}; create it with mode 0700 or choose another", path.display())]
    Unusable {
        /// Its path.
        path: PathBuf,
        /// The kernel's word.
        cause: io::Error,
    },
    /// A symbolic link or a file is in its place.
    #[error("{} is not a directory; remove it or choose another runtime directory", .0.display())]
    NotADirectory(PathBuf),
    /// It belongs to somebody else.
    #[error("runtime directory {} belongs to user {owner}, not to user {user}; remove it or choose another", path.display())]
    Foreign {
        /// Its path.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who wants to use it.
        user: u32,
    },
    /// Others can enter it.
    #[error("runtime directory {} is open to others (mode {mode:04o}); run chmod 700 on it", path.display())]
    Open {
        /// Its path.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl RuntimeDir {
    /// Name of the socket on which the host listens.
    pub const HOST_SOCKET: &str = "host.sock";
    /// Name of the file that is locked while a host starts or ends. The directory itself is locked
    /// for as long as the host lives, which also keeps systemd-tmpfiles from cleaning it up.
    pub const HOST_LOCK: &str = "host.lock";
    /// Name of the gateway's own socket.
    pub const GATEWAY_SOCKET: &str = "gateway.sock";

    /// Where the directory is: `hither` in `$XDG_RUNTIME_DIR`, given as `runtime_dir`, if that is
    /// an absolute path (XDG Base Directory Specification), else `/tmp/hither-UID`.
    #[must_use]
    pub fn default_path(runtime_dir: Option<&OsStr>) -> PathBuf {
        match runtime_dir.map(Path::new) {
            Some(base) if base.is_absolute() => base.join("hither"),
            _ => PathBuf::from(format!("/tmp/hither-{}", geteuid().as_raw())),
        }
    }

    /// Opens the directory, and creates it with mode 0700 if it is not there.
    ///
    /// # Errors
    /// When it could not keep others out: it is a link, belongs to somebody else or is open to
    /// others. It is never repaired, since what is in it may have been put there by others.
    pub fn open(path: &Path) -> Result<Self, RuntimeDirError> {
        if !path.is_absolute() {
            return Err(RuntimeDirError::Relative(path.into()));
        }
        let unusable = |errno: rustix::io::Errno| RuntimeDirError::Unusable {
            path: path.into(),
            cause: errno.into(),
        };
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(errno) => return Err(unusable(errno)),
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let fd = match rustix::fs::open(path, flags, Mode::empty()) {
            Err(rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {
                return Err(RuntimeDirError::NotADirectory(path.into()));
            }
            opened => opened.map_err(unusable)?,
        };
        let stat = rustix::fs::fstat(&fd).map_err(unusable)?;
        check(path, &stat)?;
        let path = path.into();
        Ok(Self { path, fd })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Path of the gateway's own socket.
    #[must_use]
    pub fn gateway_socket(&self) -> PathBuf {
        self.path.join(Self::GATEWAY_SOCKET)
    }

    /// A path to `name` in this very directory, valid in this process while `self` lives, and
    /// short enough for a socket's address however long the directory's path is.
    pub(crate) fn within(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.fd.as_raw_fd()))
    }
}

impl AsFd for RuntimeDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn check(path: &Path, stat: &rustix::fs::Stat) -> Result<(), RuntimeDirError> {
    let path = path.to_path_buf();
    let user = geteuid().as_raw();
    let mode = stat.st_mode & 0o7777;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        Err(RuntimeDirError::NotADirectory(path))
    } else if stat.st_uid != user {
        let owner = stat.st_uid;
        Err(RuntimeDirError::Foreign { path, owner, user })
    } else if mode & 0o077 != 0 {
        Err(RuntimeDirError::Open { path, mode })
    } else {
        Ok(())
    }
}
