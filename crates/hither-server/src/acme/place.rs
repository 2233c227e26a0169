//! What is kept of an authority: the account and the certificate, in files of their own user.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use super::AcmeError;

/// Key of the account, and its address.
const ACCOUNT: &str = "account.json";
/// The certificate, those between it and its root, and its private key: in one file, so that they
/// always belong together.
const CERTIFICATE: &str = "certificate.pem";
/// More is no file of ours.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A folder in the state directory for one authority: what one has issued is not asked of another,
/// nor served when the settings name another.
#[derive(Clone, Debug)]
pub(super) struct Place(PathBuf);

impl Place {
    /// The folder of the authority with this directory, made if it is not there.
    pub(super) fn open(state_dir: &Path, directory: &str) -> Result<Self, AcmeError> {
        let digest = Sha256::digest(directory);
        let name: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let path = state_dir.join("acme").join(name);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|cause| AcmeError::Keeping { path: path.clone(), cause })?;
        Ok(Self(path))
    }

    /// The account, if there is one.
    pub(super) fn account(&self) -> Result<Option<Vec<u8>>, AcmeError> {
        self.read(ACCOUNT)
    }

    pub(super) fn keep_account(&self, account: &[u8]) -> Result<(), AcmeError> {
        self.write(ACCOUNT, account)
    }

    /// The certificate and its key in PEM, if there is one.
    pub(super) fn certificate(&self) -> Result<Option<Vec<u8>>, AcmeError> {
        self.read(CERTIFICATE)
    }

    pub(super) fn keep_certificate(&self, pem: &[u8]) -> Result<(), AcmeError> {
        self.write(CERTIFICATE, pem)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, AcmeError> {
        let path = self.0.join(name);
        let read = || -> io::Result<Vec<u8>> {
            let no_link = OFlags::NOFOLLOW.bits().cast_signed();
            let file = OpenOptions::new().read(true).custom_flags(no_link).open(&path)?;
            let mut bytes = Vec::new();
            file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(AcmeError::Keeping { path, cause }),
        }
    }

    /// Replaces a file as a whole, on the disk: after a crash there is the old one or the new one.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), AcmeError> {
        let path = self.0.join(name);
        let fresh = self.0.join(format!(".{name}.new"));
        let write = || {
            match fs::remove_file(&fresh) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            File::open(&self.0)?.sync_all()
        };
        write().map_err(|cause| AcmeError::Keeping { path: path.clone(), cause })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[test]
    fn what_is_kept_is_for_its_user_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(folder.path(), "https://one.test/dir").unwrap();
        assert_eq!(place.account().unwrap(), None);
        place.keep_account(b"key").unwrap();
        place.keep_certificate(b"one").unwrap();
        place.keep_certificate(b"two").unwrap();
        assert_eq!(place.certificate().unwrap().unwrap(), b"two");
        for entry in fs::read_dir(&place.0).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::metadata(&place.0).unwrap().mode() & 0o777, 0o700);
        // Another authority has nothing of this one.
        let other = Place::open(folder.path(), "https://two.test/dir").unwrap();
        assert_eq!(other.account().unwrap(), None);
        symlink(place.0.join(ACCOUNT), other.0.join(ACCOUNT)).unwrap();
        assert!(other.account().is_err());
    }
}
