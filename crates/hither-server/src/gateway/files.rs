//! What a gateway keeps in the runtime directory, for itself and for programs of the same user.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use hither_auth::{ApiToken, Digest, TokenRecord};

/// Name of the file with the API token for programs of the same user.
const TOKEN: &str = "token";
/// More is no file of ours.
const BYTES_MAX: u64 = 1 << 20;

/// Files of one gateway, in a directory that only its user can enter.
#[derive(Clone, Debug)]
pub(super) struct Files(PathBuf);

impl Files {
    pub(super) fn new(dir: &Path) -> Self {
        Self(dir.into())
    }

    /// The token for programs: the one on file, or a new one.
    pub(super) fn token(&self) -> io::Result<TokenRecord> {
        let digest = match self.read(TOKEN)? {
            Some(text) if ApiToken::is_token(text.trim_end()) => Digest::of(text.trim_end()),
            _ => {
                let mut bits = [0; 32];
                getrandom::fill(&mut bits).map_err(io::Error::other)?;
                let token = ApiToken::from_random(bits);
                self.write(TOKEN, &format!("{}\n", token.to_text()))?;
                token.digest()
            }
        };
        Ok(TokenRecord::local("local", digest))
    }

    fn read(&self, name: &str) -> io::Result<Option<String>> {
        let path = self.0.join(name);
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_file() && meta.len() <= BYTES_MAX => {
                Ok(Some(fs::read_to_string(path)?))
            }
            Ok(_) => Err(io::Error::other(format!("{} is not a small file", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces a file as a whole: after a crash there is the old one or the new one.
    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.0.join(name);
        let fresh = self.0.join(format!(".{name}.new"));
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        fs::rename(fresh, path)
    }
}
