//! What a gateway keeps in the runtime directory, for itself and for programs of the same user.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hither_auth::{ApiToken, Digest, LoginRecord, TokenRecord, UserId};

/// Name of the file with the API token for programs of the same user.
const TOKEN: &str = "token";
/// Name of the file with the digests of browsers' logins, so that they outlive the gateway.
const LOGINS: &str = "logins";
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

    /// The logins of the last gateway. Lines that are not understood are left out.
    pub(super) fn logins(&self) -> io::Result<Vec<LoginRecord>> {
        let text = self.read(LOGINS)?.unwrap_or_default();
        Ok(text.lines().filter_map(login).collect())
    }

    /// Stores the logins for the next gateway.
    pub(super) fn store_logins(&self, logins: &[LoginRecord]) -> io::Result<()> {
        let lines: Vec<_> = logins.iter().map(|login| line(login) + "\n").collect();
        self.write(LOGINS, &lines.concat())
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

/// A login as one line: digest in hexadecimal, a space, expiry in seconds since 1970.
fn line(login: &LoginRecord) -> String {
    let expires = login.expires.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{} {}", login.digest.to_hex(), expires.as_secs())
}

fn login(line: &str) -> Option<LoginRecord> {
    let (digest, expires) = line.split_once(' ')?;
    let expires = Duration::from_secs(expires.parse().ok()?);
    let expires = SystemTime::UNIX_EPOCH.checked_add(expires)?;
    let digest = Digest::from_hex(digest).ok()?;
    Some(LoginRecord::new(digest, UserId::MACHINE, 0, expires, SystemTime::UNIX_EPOCH))
}
