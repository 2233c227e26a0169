//! Users and their passwords.

use std::time::SystemTime;

use hither_auth::{User, UserId, UserKind, UserName};
use rusqlite::{OptionalExtension as _, params};

use crate::{Store, StoreError, USERS_MAX, id, number, seconds};

/// A user to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Name, which nobody else has.
    pub name: UserName,
    /// What kind of user.
    pub kind: UserKind,
    /// Hash of the password as a PHC string, if there is one.
    pub password: Option<String>,
}

impl Store {
    /// Adds a user.
    ///
    /// # Errors
    /// When the name is taken or there are too many users.
    pub fn add_user(&mut self, new: &NewUser, now: SystemTime) -> Result<UserId, StoreError> {
        let step = self.db.transaction()?;
        let count: i64 = step.query_row("SELECT count(*) FROM user", [], |row| row.get(0))?;
        if usize::try_from(count).is_ok_and(|count| count > USERS_MAX) {
            return Err(StoreError::TooManyUsers);
        }
        let added = step.execute(
            "INSERT INTO user (name, kind, password, created) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (name) DO NOTHING",
            params![new.name.as_str(), new.kind.as_str(), new.password, seconds(now)],
        )?;
        if added == 0 {
            return Err(StoreError::UserExists(new.name.clone()));
        }
        let added = UserId(id(step.last_insert_rowid()));
        step.commit()?;
        Ok(added)
    }

    /// Sets the password of a user and ends all logins of the user.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn set_password(&mut self, name: &UserName, hash: &str) -> Result<(), StoreError> {
        let step = self.db.transaction()?;
        let user: Option<i64> = step
            .query_row(
                "UPDATE user SET password = ?2, generation = generation + 1 WHERE name = ?1 \
                 RETURNING id",
                params![name.as_str(), hash],
                |row| row.get(0),
            )
            .optional()?;
        let user = user.ok_or_else(|| StoreError::NoUser(name.to_string()))?;
        step.execute("DELETE FROM login WHERE user = ?1", [user])?;
        step.commit()?;
        Ok(())
    }

    /// Stores the hash of the same password with another strength. Nothing happens when the
    /// password was changed meanwhile.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn rehash(&mut self, user: UserId, old: &str, new: &str) -> Result<(), StoreError> {
        self.db.execute(
            "UPDATE user SET password = ?3 WHERE id = ?1 AND password = ?2",
            params![number(user.0), old, new],
        )?;
        Ok(())
    }

    /// Ends all logins of a user.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn end_logins(&mut self, user: UserId) -> Result<(), StoreError> {
        let step = self.db.transaction()?;
        let changed = step.execute(
            "UPDATE user SET generation = generation + 1 WHERE id = ?1",
            [number(user.0)],
        )?;
        if changed == 0 {
            return Err(StoreError::NoUser(user.to_string()));
        }
        step.execute("DELETE FROM login WHERE user = ?1", [number(user.0)])?;
        step.commit()?;
        Ok(())
    }

    /// Removes a user with all tokens, logins, levels and share links of the user.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn remove_user(&mut self, name: &UserName) -> Result<UserId, StoreError> {
        let removed: Option<i64> = self
            .db
            .query_row("DELETE FROM user WHERE name = ?1 RETURNING id", [name.as_str()], |row| {
                row.get(0)
            })
            .optional()?;
        let removed = removed.ok_or_else(|| StoreError::NoUser(name.to_string()))?;
        Ok(UserId(id(removed)))
    }

    /// All users but the one that the gateway runs as, in the order in which they came.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn users(&self) -> Result<Vec<User>, StoreError> {
        let mut all = self.db.prepare(
            "SELECT id, name, kind, password, generation FROM user WHERE id > 0 ORDER BY id",
        )?;
        let rows = all.query_map([], |row| {
            let kind: String = row.get(2)?;
            let name: String = row.get(1)?;
            Ok(name.parse().ok().map(|name| {
                Ok(User {
                    id: UserId(id(row.get(0)?)),
                    name,
                    kind: if kind == "admin" { UserKind::Admin } else { UserKind::Member },
                    password: row.get(3)?,
                    generation: id(row.get(4)?),
                })
            }))
        })?;
        // A name that is none, which only another program can have written, is nobody's.
        let rows = rows.filter_map(|row| row.transpose());
        Ok(rows.map(|row| row.and_then(|user| user)).collect::<Result<_, _>>()?)
    }

    /// The generation of the logins of a user.
    pub(crate) fn generation(&self, user: UserId) -> Result<u64, StoreError> {
        let generation: Option<i64> = self
            .db
            .query_row("SELECT generation FROM user WHERE id = ?1", [number(user.0)], |row| {
                row.get(0)
            })
            .optional()?;
        generation.map(id).ok_or_else(|| StoreError::NoUser(user.to_string()))
    }
}
