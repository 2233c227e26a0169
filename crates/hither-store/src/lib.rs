//! The store: users, API tokens, logins, levels and share links, in one SQLite file.
//!
//! Requests are judged by an image of it in memory ([`Store::people`]); it is only asked when
//! something changes. The gateway and the command line may have it open at the same time:
//! [`Store::version`] tells one that the other has written.
#![forbid(unsafe_code)]

mod error;
mod identities;
mod image;
mod logins;
mod place;
mod schema;
mod sessions;
mod tokens;
mod users;

use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

pub use error::StoreError;
pub use identities::Welcomed;
pub use place::{PlaceError, StateDir};
pub use tokens::{NewToken, TokenInfo};
pub use users::NewUser;

/// How long a writer waits for another one, which never takes long.
const BUSY: Duration = Duration::from_secs(5);
/// Most users.
pub const USERS_MAX: usize = 10_000;
/// Most tokens of one user.
pub const TOKENS_MAX: usize = 256;

/// The open database.
#[derive(Debug)]
pub struct Store {
    db: Connection,
}

impl Store {
    /// Opens the store in a state directory, or makes a new one.
    ///
    /// # Errors
    /// When its files are not what they should be, cannot be used, or come from a later version.
    pub fn open(dir: &StateDir) -> Result<Self, StoreError> {
        let path = dir.database()?;
        let mut db = open_file(&path)?;
        db.busy_timeout(BUSY)?;
        // A reader that becomes a writer does not wait for another one, but fails.
        db.set_transaction_behavior(TransactionBehavior::Immediate);
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "full")?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.pragma_update(None, "trusted_schema", false)?;
        db.pragma_update(None, "secure_delete", true)?;
        schema::migrate(&mut db)?;
        Ok(Self { db })
    }

    /// A number that changes when somebody else has written: another process, or another
    /// connection of this one. What this one has written does not change it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn version(&self) -> Result<i64, StoreError> {
        Ok(self.db.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }
}

fn open_file(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    Connection::open_with_flags(path, flags)
}

/// Seconds since 1970, as times are stored.
fn seconds(time: SystemTime) -> i64 {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// The time of a number of seconds since 1970; nothing stored is older.
fn time(seconds: i64) -> SystemTime {
    let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    SystemTime::UNIX_EPOCH.checked_add(seconds).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A number of ours as SQLite has them.
fn number(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// A number of SQLite's as we have them; negative ones were never given.
fn id(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
