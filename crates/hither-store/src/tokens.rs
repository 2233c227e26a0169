//! API tokens.

use std::time::SystemTime;

use hither_auth::{Digest, Scopes, TokenId, TokenRecord, UserId};
use rusqlite::{Row, params};

use crate::{Store, StoreError, TOKENS_MAX, id, number, seconds, time};

/// A token to be added.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// Digest of its text.
    pub digest: Digest,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it ends by itself.
    pub expires: SystemTime,
}

/// A stored token and when it was last used.
#[derive(Clone, Debug)]
pub struct TokenInfo {
    /// What is stored of it.
    pub record: TokenRecord,
    /// When it was last used, to within a minute or so; none if it never was.
    pub used: Option<SystemTime>,
}

impl Store {
    /// Adds a token.
    ///
    /// # Errors
    /// When its user does not exist or has too many tokens.
    pub fn add_token(&mut self, new: &NewToken, now: SystemTime) -> Result<TokenId, StoreError> {
        self.generation(new.user)?;
        let step = self.db.transaction()?;
        step.execute("DELETE FROM token WHERE expires <= ?1", [seconds(now)])?;
        let user = number(new.user.0);
        let count: i64 =
            step.query_row("SELECT count(*) FROM token WHERE user = ?1", [user], |row| row.get(0))?;
        if usize::try_from(count).is_ok_and(|count| count >= TOKENS_MAX) {
            return Err(StoreError::TooManyTokens);
        }
        step.execute(
            "INSERT INTO token (user, name, digest, scopes, created, expires) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                user,
                new.name,
                new.digest.to_hex(),
                new.scopes.to_string(),
                seconds(now),
                seconds(new.expires)
            ],
        )?;
        let added = TokenId(id(step.last_insert_rowid()));
        step.commit()?;
        Ok(added)
    }

    /// Withdraws a token.
    ///
    /// # Errors
    /// When there is none of this number.
    pub fn revoke_token(&mut self, token: TokenId) -> Result<(), StoreError> {
        let removed = self.db.execute("DELETE FROM token WHERE id = ?1", [number(token.0)])?;
        if removed == 0 { Err(StoreError::NoToken(token.0)) } else { Ok(()) }
    }

    /// Notes when tokens were last used.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn note_uses(&mut self, uses: &[(TokenId, SystemTime)]) -> Result<(), StoreError> {
        let step = self.db.transaction()?;
        for (token, when) in uses {
            step.execute(
                "UPDATE token SET used = max(?2, coalesce(used, 0)) WHERE id = ?1",
                [number(token.0), seconds(*when)],
            )?;
        }
        step.commit()?;
        Ok(())
    }

    /// All tokens, in the order in which they were made.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn tokens(&self) -> Result<Vec<TokenInfo>, StoreError> {
        let mut all = self.db.prepare(
            "SELECT id, user, name, digest, scopes, created, expires, used FROM token ORDER BY id",
        )?;
        let rows = all.query_map([], read)?;
        let all: Vec<Option<TokenInfo>> = rows.collect::<Result<_, _>>()?;
        // What is not understood opens nothing.
        Ok(all.into_iter().flatten().collect())
    }
}

fn read(row: &Row<'_>) -> Result<Option<TokenInfo>, rusqlite::Error> {
    let (digest, scopes): (String, String) = (row.get(3)?, row.get(4)?);
    let (Ok(digest), Ok(scopes)) = (Digest::from_hex(&digest), scopes.parse::<Scopes>()) else {
        return Ok(None);
    };
    let record = TokenRecord {
        id: TokenId(id(row.get(0)?)),
        user: UserId(id(row.get(1)?)),
        name: row.get(2)?,
        digest,
        scopes,
        created: time(row.get(5)?),
        expires: Some(time(row.get(6)?)),
    };
    let used: Option<i64> = row.get(7)?;
    Ok(Some(TokenInfo { record, used: used.map(time) }))
}
