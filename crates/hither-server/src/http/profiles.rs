//! Profiles: sessions that the settings describe and requests name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hither_auth::{Principal, Scope};
use serde::Deserialize;

use super::names::{check_title, labels};
use super::new_session::{CommandJson, check_variable_bytes, on_close, size};
use super::problem::Problem;
use crate::sessions::{Life, NewSession};

/// Most profiles.
const PROFILES_MAX: usize = 64;
/// Longest name of a profile in bytes.
const NAME_BYTES_MAX: usize = 63;

/// All profiles, by name.
#[derive(Clone, Debug, Default)]
pub struct Profiles(BTreeMap<String, Profile>);

#[derive(Clone, Debug)]
struct Profile {
    new: NewSession,
    /// Who may see it; none: whoever may start sessions.
    users: Option<BTreeSet<String>>,
}

/// A profile as the settings have it, not yet judged.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProfileTable {
    command: Option<CommandJson>,
    cwd: Option<PathBuf>,
    title: Option<String>,
    cols: Option<u32>,
    rows: Option<u32>,
    on_close: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    users: Option<BTreeSet<String>>,
}

/// A profile that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("profile `{name}`: {problem}")]
pub struct InvalidProfile {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Profiles {
    /// Judges profiles of the settings. Lines of command are for `shell`.
    ///
    /// # Errors
    /// With the first that is outside the limits of a new session, or has no name that can be used.
    pub fn read(
        tables: BTreeMap<String, ProfileTable>,
        shell: &Path,
    ) -> Result<Self, InvalidProfile> {
        let count = tables.len();
        let mut profiles = BTreeMap::new();
        for (name, table) in tables {
            let judged = if count > PROFILES_MAX {
                Err(format!("limit of {PROFILES_MAX} profiles is exceeded"))
            } else if is_name(&name) {
                table.judge(shell)
            } else {
                Err(format!("a name must be 1 to {NAME_BYTES_MAX} letters, digits and . _ -"))
            };
            match judged {
                Ok(profile) => drop(profiles.insert(name, profile)),
                Err(problem) => return Err(InvalidProfile { name, problem }),
            }
        }
        Ok(Self(profiles))
    }

    /// The session that a profile describes, for somebody who may see it.
    pub(crate) fn find(&self, name: &str, principal: &Principal) -> Result<&NewSession, Problem> {
        let profile = self.0.get(name).filter(|profile| profile.shows(principal));
        profile.map(|profile| &profile.new).ok_or_else(|| {
            let names = self.names(principal);
            let known = if names.is_empty() {
                "there are none".to_owned()
            } else {
                format!("there are {}", names.join(", "))
            };
            Problem::bad_request("profile_not_found", format!("no such profile: {known}"))
        })
    }

    /// The names that somebody may see.
    pub(crate) fn names(&self, principal: &Principal) -> Vec<&str> {
        let visible = self.0.iter().filter(|(_, profile)| profile.shows(principal));
        visible.map(|(name, _)| name.as_str()).collect()
    }
}

impl Profile {
    fn shows(&self, principal: &Principal) -> bool {
        let scopes = principal.scopes();
        let named = |users: &BTreeSet<String>| {
            scopes.allow(Scope::Admin)
                || principal.user().is_some() && users.contains(principal.name())
        };
        scopes.allow(Scope::SessionCreate) && self.users.as_ref().is_none_or(named)
    }
}

impl ProfileTable {
    fn judge(self, shell: &Path) -> Result<Profile, String> {
        let command = self.command.and_then(|command| command.argv(shell));
        if command.iter().flatten().any(|word| word.contains('\0')) {
            return Err("command must not contain a NUL character".to_owned());
        }
        if self.cwd.as_ref().is_some_and(|cwd| !cwd.is_absolute()) {
            return Err("cwd must be an absolute path".to_owned());
        }
        for (name, value) in &self.env {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if name.is_empty() || !name.bytes().all(is_name) {
                return Err(format!("`{name}` is no name of a variable"));
            }
            check_variable_bytes(name, value).map_err(Problem::into_detail)?;
        }
        let new = NewSession {
            command,
            cwd: self.cwd,
            title: self.title.map(check_title).transpose().map_err(Problem::into_detail)?,
            size: size(self.cols, self.rows).map_err(Problem::into_detail)?,
            labels: labels(self.labels).map_err(Problem::into_detail)?,
            environment: self.env.into_iter().collect(),
            life: Life::Lasting,
            on_close: on_close(self.on_close.as_deref()).map_err(Problem::into_detail)?,
        };
        Ok(Profile { new, users: self.users })
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(tables: Value) -> Result<Profiles, String> {
        let tables = serde_json::from_value(tables).map_err(|error| error.to_string())?;
        Profiles::read(tables, Path::new("/bin/sh")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_profile_is_a_session_to_be() {
        let profiles = read(json!({ "build": {
            "command": "make -j2 && echo done", "cwd": "/src", "title": "Build", "cols": 132,
            "on-close": "kill", "env": { "MAKEFLAGS": "-s" }, "labels": { "team": "a" },
        }}));
        let Profile { new, users } = profiles.unwrap().0.remove("build").unwrap();
        assert_eq!(new.command.unwrap(), ["/bin/sh", "-c", "make -j2 && echo done"]);
        assert_eq!((new.cwd.unwrap(), users), (PathBuf::from("/src"), None));
        assert_eq!(new.size.unwrap().cols(), 132);
        assert_eq!(new.environment, [("MAKEFLAGS".to_owned(), "-s".to_owned())]);
    }

    #[test]
    fn what_cannot_be_is_named() {
        let many: BTreeMap<_, _> = (0..65).map(|n| (format!("p{n}"), json!({}))).collect();
        for (tables, expect) in [
            (json!({ "a b": {} }), "letters, digits"),
            (json!({ "": {} }), "letters, digits"),
            (json!({ "p": { "cwd": "src" } }), "absolute path"),
            (json!({ "p": { "cols": 1 } }), "profile `p`:"),
            (json!({ "p": { "on-close": "x" } }), "hup, kill or keep"),
            (json!({ "p": { "onClose": "hup" } }), "unknown field `onClose`"),
            (json!({ "p": { "env": { "A=B": "" } } }), "no name of a variable"),
            (json!({ "p": { "env": { "A": "x".repeat(4097) } } }), "4096 bytes"),
            (json!({ "p": { "labels": { "a b": "" } } }), "name of a label"),
            (json!({ "p": { "command": ["a\u{0}"] } }), "NUL"),
            (json!(many), "limit of 64 profiles"),
        ] {
            let error = read(tables.clone()).unwrap_err();
            assert!(error.contains(expect), "{error:?} for {tables}");
        }
    }
}
