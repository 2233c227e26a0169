//! The tables, by version. A migration that was released is never changed.

use rusqlite::Connection;

use crate::StoreError;

/// What leads from each version to the next.
const MIGRATIONS: &[&str] = &[VERSION_1, VERSION_2];

/// User 0 is the one that the gateway runs as; its empty name is nobody's. `AUTOINCREMENT` never
/// gives a number twice.
const VERSION_1: &str = "
CREATE TABLE user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('member', 'admin')),
    password TEXT,
    generation INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL
) STRICT;
INSERT INTO user (id, name, kind, created) VALUES (0, '', 'admin', 0);
CREATE TABLE token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER
) STRICT;
CREATE INDEX token_user ON token (user);
CREATE TABLE login (
    digest TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    seen INTEGER NOT NULL
) STRICT;
CREATE INDEX login_user ON login (user);
CREATE TABLE session_grant (
    session TEXT NOT NULL,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    level TEXT NOT NULL CHECK (level IN ('read', 'write')),
    PRIMARY KEY (session, user)
) STRICT;
CREATE INDEX session_grant_user ON session_grant (user);
CREATE TABLE share (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('read', 'write')),
    digest TEXT NOT NULL UNIQUE,
    passphrase TEXT,
    creator INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    viewers_max INTEGER NOT NULL,
    needs_login INTEGER NOT NULL
) STRICT;
CREATE INDEX share_session ON share (session);
CREATE INDEX share_creator ON share (creator);
";

/// Who is who at which provider of single sign-on.
const VERSION_2: &str = "
CREATE TABLE identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user INTEGER NOT NULL UNIQUE REFERENCES user (id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
) STRICT;
";

/// Brings a database to the present version; each step whole or not at all.
pub(crate) fn migrate(db: &mut Connection) -> Result<(), StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    loop {
        // The version is read under the lock: another process may be migrating too.
        let step = db.transaction()?;
        let found: i64 = step.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found == known {
            return Ok(());
        }
        let migration = usize::try_from(found).ok().and_then(|at| MIGRATIONS.get(at));
        let migration = migration.ok_or(StoreError::Newer { found, known })?;
        step.execute_batch(migration)?;
        step.pragma_update(None, "user_version", found + 1)?;
        step.commit()?;
    }
}
