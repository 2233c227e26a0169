//! Where the store lies: a directory and files that only their user can touch.

use std::fs::{self, DirBuilder, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const DATABASE: &str = "hither.db";
/// What SQLite keeps beside the database.
const BESIDE: [&str; 2] = ["hither.db-wal", "hither.db-shm"];

/// The state directory, which was found good.
#[derive(Clone, Debug)]
pub struct StateDir(PathBuf);

/// Why the state directory, or a file in it, is not used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It is something else than it should be.
    #[error("{} must be a {expected}, and no link; remove it or choose another --state-dir", path.display())]
    Kind {
        /// What was found.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
    /// It belongs to somebody else.
    #[error("{} belongs to another user; choose another --state-dir", path.display())]
    Owner {
        /// What was found.
        path: PathBuf,
    },
    /// Others may use it.
    #[error("{} may be used by other users (mode {mode:04o}); run `chmod go-rwx {}`", path.display(), path.display())]
    Mode {
        /// What was found.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It has several names.
    #[error("{} has a second name (a hard link); remove one of them", path.display())]
    Linked {
        /// What was found.
        path: PathBuf,
    },
    /// The system does not allow it.
    #[error("{}: {cause}", path.display())]
    Io {
        /// What was asked for.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

impl StateDir {
    /// Opens the directory, or makes it, with mode 0700. Parents that are missing are made too.
    ///
    /// # Errors
    /// When it is a link, belongs to another user or may be used by others.
    pub fn open(path: &Path) -> Result<Self, PlaceError> {
        let failed = |cause| PlaceError::Io { path: path.to_owned(), cause };
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
            Ok(_) => {}
        }
        let meta = fs::symlink_metadata(path).map_err(failed)?;
        if !meta.is_dir() {
            return Err(PlaceError::Kind { path: path.to_owned(), expected: "directory" });
        }
        check(path, &meta)?;
        // SQLite follows no link anywhere in a path, and parents may well be links.
        Ok(Self(path.canonicalize().map_err(failed)?))
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The database file, which is there, empty if it is new, with mode 0600.
    pub(crate) fn database(&self) -> Result<PathBuf, PlaceError> {
        let path = self.0.join(DATABASE);
        let failed = |cause| PlaceError::Io { path: path.clone(), cause };
        let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match created {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            Ok(_) | Err(_) => {}
        }
        check_file(&path)?;
        for name in BESIDE {
            let beside = self.0.join(name);
            match fs::symlink_metadata(&beside) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                _ => check_file(&beside)?,
            }
        }
        Ok(path)
    }
}

fn check_file(path: &Path) -> Result<(), PlaceError> {
    let failed = |cause| PlaceError::Io { path: path.to_owned(), cause };
    let meta = fs::symlink_metadata(path).map_err(failed)?;
    if !meta.is_file() {
        return Err(PlaceError::Kind { path: path.to_owned(), expected: "file" });
    }
    check(path, &meta)?;
    if meta.nlink() != 1 {
        return Err(PlaceError::Linked { path: path.to_owned() });
    }
    Ok(())
}

fn check(path: &Path, meta: &Metadata) -> Result<(), PlaceError> {
    let path = path.to_owned();
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(PlaceError::Owner { path });
    }
    let mode = meta.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(PlaceError::Mode { path, mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn state(dir: &tempfile::TempDir) -> PathBuf {
        dir.path().join("a/state")
    }

    #[test]
    fn p15_makes_what_only_its_user_can_touch() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&state(&dir)).unwrap();
        let database = state.database().unwrap();
        assert_eq!(fs::metadata(state.path()).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(&database).unwrap().mode() & 0o777, 0o600);
        // Again, now that all is there.
        assert_eq!(state.database().unwrap(), database);
    }

    #[test]
    fn p15_a_directory_of_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = state(&dir);
        StateDir::open(&path).unwrap();
        for bits in [0o755, 0o770, 0o701] {
            mode(&path, bits);
            let refused = StateDir::open(&path).unwrap_err();
            assert!(refused.to_string().contains("chmod go-rwx"), "{refused}");
        }
        mode(&path, 0o700);
        let link = dir.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(matches!(StateDir::open(&link), Err(PlaceError::Kind { .. })));
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(StateDir::open(&file), Err(PlaceError::Kind { .. })));
    }

    #[test]
    fn p15_planted_files_are_refused() {
        type Plant = fn(&Path, &Path);
        let link: Plant = |path, other| symlink(other, path).unwrap();
        let hard: Plant = |path, other| fs::hard_link(other, path).unwrap();
        let open: Plant = |path, _| {
            fs::write(path, "").unwrap();
            mode(path, 0o640);
        };
        let folder: Plant = |path, _| fs::create_dir(path).unwrap();
        for name in [DATABASE, BESIDE[0], BESIDE[1]] {
            for plant in [link, hard, open, folder] {
                let dir = tempfile::tempdir().unwrap();
                let other = dir.path().join("other");
                fs::write(&other, "theirs").unwrap();
                mode(&other, 0o600);
                let state = StateDir::open(&state(&dir)).unwrap();
                plant(&state.path().join(name), &other);
                assert!(state.database().is_err(), "{name}");
                assert_eq!(fs::read_to_string(&other).unwrap(), "theirs");
            }
        }
    }
}
