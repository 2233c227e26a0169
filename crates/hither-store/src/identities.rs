//! Identities: which user is whom at a provider of single sign-on.

use std::time::SystemTime;

use hither_auth::{Admitted, UserId};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::{Store, StoreError, USERS_MAX, id, number, seconds};

/// Somebody who has signed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcomed {
    /// The user.
    pub user: UserId,
    /// The generation of the user's logins.
    pub generation: u64,
    /// Whether there was no such user before.
    pub is_new: bool,
}

impl Store {
    /// The user of somebody whom the provider `issuer` has proven; a new one at the first time. The
    /// subject identifies a person, never the name: that may be another person's next year, and may
    /// be that of a user with a password.
    ///
    /// # Errors
    /// When another user has the name, or there are too many users.
    pub fn welcome(
        &mut self,
        issuer: &str,
        admitted: &Admitted,
        now: SystemTime,
    ) -> Result<Welcomed, StoreError> {
        let step = self.db.transaction()?;
        let known = step
            .query_row(
                "UPDATE user SET kind = ?3 WHERE id = \
                 (SELECT user FROM identity WHERE issuer = ?1 AND subject = ?2) \
                 RETURNING id, generation",
                params![issuer, admitted.subject, admitted.kind.as_str()],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
            )
            .optional()?;
        let (user, generation, is_new) = match known {
            Some((user, generation)) => (UserId(id(user)), id(generation), false),
            None => (add(&step, issuer, admitted, now)?, 0, true),
        };
        step.commit()?;
        Ok(Welcomed { user, generation, is_new })
    }
}

fn add(
    step: &Transaction<'_>,
    issuer: &str,
    admitted: &Admitted,
    now: SystemTime,
) -> Result<UserId, StoreError> {
    let count: i64 = step.query_row("SELECT count(*) FROM user", [], |row| row.get(0))?;
    if usize::try_from(count).is_ok_and(|count| count > USERS_MAX) {
        return Err(StoreError::TooManyUsers);
    }
    let added = step.execute(
        "INSERT INTO user (name, kind, created) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING",
        params![admitted.name.as_str(), admitted.kind.as_str(), seconds(now)],
    )?;
    if added == 0 {
        return Err(StoreError::NameTaken(admitted.name.clone()));
    }
    let user = UserId(id(step.last_insert_rowid()));
    step.execute(
        "INSERT INTO identity (issuer, subject, user) VALUES (?1, ?2, ?3)",
        params![issuer, admitted.subject, number(user.0)],
    )?;
    Ok(user)
}
