//! What is stored about sessions: levels that were given, and share links.

use std::collections::BTreeSet;
use std::time::SystemTime;

use hither_auth::{Digest, Level, Share, ShareId, UserId};
use hither_core::SessionId;
use rusqlite::{Row, params};

use crate::{Store, StoreError, id, number, seconds, time};

impl Store {
    /// Sets, or takes away, the level of a user in a session.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn set_grant(
        &mut self,
        session: SessionId,
        user: UserId,
        level: Option<Level>,
    ) -> Result<(), StoreError> {
        self.generation(user)?;
        match level {
            Some(level) => self.db.execute(
                "INSERT INTO session_grant (session, user, level) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (session, user) DO UPDATE SET level = excluded.level",
                params![session.as_str(), number(user.0), level.min(Level::Write).as_str()],
            )?,
            None => self.db.execute(
                "DELETE FROM session_grant WHERE session = ?1 AND user = ?2",
                params![session.as_str(), number(user.0)],
            )?,
        };
        Ok(())
    }

    /// Adds a share link; its number is given here.
    ///
    /// # Errors
    /// When its maker does not exist.
    pub fn add_share(&mut self, share: &Share) -> Result<ShareId, StoreError> {
        self.generation(share.creator)?;
        self.db.execute(
            "INSERT INTO share (session, level, digest, passphrase, creator, label, created, \
             expires, viewers_max, needs_login) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                share.session.as_str(),
                share.level.min(Level::Write).as_str(),
                share.digest.to_hex(),
                share.passphrase,
                number(share.creator.0),
                share.label,
                seconds(share.created),
                seconds(share.expires),
                share.viewers_max,
                share.needs_login
            ],
        )?;
        Ok(ShareId(id(self.db.last_insert_rowid())))
    }

    /// Withdraws a share link, and says whether there was one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn revoke_share(&mut self, share: ShareId) -> Result<bool, StoreError> {
        Ok(self.db.execute("DELETE FROM share WHERE id = ?1", [number(share.0)])? > 0)
    }

    /// Forgets what is stored about sessions that are gone for ever, and share links that have
    /// expired. Says whether there was anything.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_sessions(
        &mut self,
        gone: &BTreeSet<SessionId>,
        now: SystemTime,
    ) -> Result<bool, StoreError> {
        let step = self.db.transaction()?;
        let mut forgotten =
            step.execute("DELETE FROM share WHERE expires <= ?1", [seconds(now)])?;
        for session in gone {
            let session = [session.as_str()];
            forgotten += step.execute("DELETE FROM share WHERE session = ?1", session)?;
            forgotten += step.execute("DELETE FROM session_grant WHERE session = ?1", session)?;
        }
        step.commit()?;
        Ok(forgotten > 0)
    }

    /// All levels that were given.
    pub(crate) fn grants(&self) -> Result<Vec<(SessionId, UserId, Level)>, StoreError> {
        let mut all = self.db.prepare("SELECT session, user, level FROM session_grant")?;
        let rows = all.query_map([], |row| {
            let (session, user, level): (String, i64, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let parsed = session.parse().ok().zip(level.parse().ok());
            Ok(parsed.map(|(session, level)| (session, UserId(id(user)), level)))
        })?;
        let all: Vec<Option<_>> = rows.collect::<Result<_, _>>()?;
        Ok(all.into_iter().flatten().collect())
    }

    /// All share links.
    pub(crate) fn shares(&self) -> Result<Vec<Share>, StoreError> {
        let mut all = self.db.prepare(
            "SELECT id, session, level, digest, passphrase, creator, label, created, expires, \
             viewers_max, needs_login FROM share ORDER BY id",
        )?;
        let rows = all.query_map([], read_share)?;
        let all: Vec<Option<Share>> = rows.collect::<Result<_, _>>()?;
        Ok(all.into_iter().flatten().collect())
    }
}

fn read_share(row: &Row<'_>) -> Result<Option<Share>, rusqlite::Error> {
    let (session, level, digest): (String, String, String) =
        (row.get(1)?, row.get(2)?, row.get(3)?);
    let (Ok(session), Ok(level), Ok(digest)) =
        (session.parse(), level.parse(), Digest::from_hex(&digest))
    else {
        return Ok(None);
    };
    Ok(Some(Share {
        id: ShareId(id(row.get(0)?)),
        session,
        level,
        digest,
        passphrase: row.get(4)?,
        creator: UserId(id(row.get(5)?)),
        label: row.get(6)?,
        created: time(row.get(7)?),
        expires: time(row.get(8)?),
        viewers_max: row.get(9)?,
        needs_login: row.get(10)?,
    }))
}
