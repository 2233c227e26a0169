//! What can go wrong with the store.

use hither_auth::UserName;

use crate::place::PlaceError;
use crate::{TOKENS_MAX, USERS_MAX};

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its files cannot be trusted or used.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A later version of Hither has written it.
    #[error(
        "the database is of version {found}, and this program knows versions up to {known}; use a \
         newer hither, or choose another --state-dir"
    )]
    Newer {
        /// Version of the file.
        found: i64,
        /// Latest version that is understood.
        known: i64,
    },
    /// There is a user of this name.
    #[error("there is a user {0} already")]
    UserExists(UserName),
    /// The user of this name is somebody else than the person who signs on.
    #[error("user {0} is not the person who has signed on with that name")]
    NameTaken(UserName),
    /// There is no user of this name.
    #[error("there is no user {0}")]
    NoUser(String),
    /// There is no token of this number.
    #[error("there is no token {0}")]
    NoToken(u64),
    /// There are as many users as there may be.
    #[error("limit of {USERS_MAX} users is reached")]
    TooManyUsers,
    /// A user has as many tokens as there may be.
    #[error("limit of {TOKENS_MAX} tokens of one user is reached; revoke one that is not used")]
    TooManyTokens,
    /// SQLite says no.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
}
