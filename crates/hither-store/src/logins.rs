//! Logins, so that browsers stay logged in when the gateway starts again.

use hither_auth::{Digest, LoginRecord, UserId};
use rusqlite::{Row, params};

use crate::{Store, StoreError, id, number, seconds, time};

impl Store {
    /// The stored logins.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn logins(&self) -> Result<Vec<LoginRecord>, StoreError> {
        let mut all = self
            .db
            .prepare("SELECT digest, user, generation, expires, seen FROM login ORDER BY seen")?;
        let rows = all.query_map([], read)?;
        let all: Vec<Option<LoginRecord>> = rows.collect::<Result<_, _>>()?;
        Ok(all.into_iter().flatten().collect())
    }

    /// Replaces the stored logins. Those of users who are gone, or of another generation, are left
    /// out.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn store_logins(&mut self, logins: &[LoginRecord]) -> Result<(), StoreError> {
        let step = self.db.transaction()?;
        step.execute("DELETE FROM login", [])?;
        for login in logins {
            step.execute(
                "INSERT INTO login (digest, user, generation, expires, seen) \
                 SELECT ?1, id, generation, ?4, ?5 FROM user WHERE id = ?2 AND generation = ?3",
                params![
                    login.digest.to_hex(),
                    number(login.user.0),
                    number(login.generation),
                    seconds(login.expires),
                    seconds(login.seen())
                ],
            )?;
        }
        step.commit()?;
        Ok(())
    }
}

fn read(row: &Row<'_>) -> Result<Option<LoginRecord>, rusqlite::Error> {
    let digest: String = row.get(0)?;
    let Ok(digest) = Digest::from_hex(&digest) else { return Ok(None) };
    let (user, generation) = (UserId(id(row.get(1)?)), id(row.get(2)?));
    let (expires, seen) = (time(row.get(3)?), time(row.get(4)?));
    Ok(Some(LoginRecord::new(digest, user, generation, expires, seen)))
}
