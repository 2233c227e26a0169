//! The store as the command line uses it, beside a gateway that may have it open too.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum as _};
use hither_server::audit::{Actor, Direct, Event};
use hither_store::{StateDir, Store, StoreError};
use http::Method;

use crate::cli::{RuntimeDirArgs, StateDirArgs};
use crate::commands::serve::AuditLog;
use crate::failure::{Exit, Failure};
use crate::gateway::{Gateway, GatewayError};
use crate::settings;

/// Where the store is, and the gateway that uses it.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    runtime_dir: RuntimeDirArgs,
    #[command(flatten)]
    state_dir: StateDirArgs,
}

/// Where changes of the store are made, and whether they are written down.
#[derive(Clone, Debug, Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Write down in the state directory what is changed: see `hither audit` [default: as the
    /// gateway, by HITHER_AUDIT_LOG or the settings file]
    #[arg(long, value_name = "WORD", help_heading = "General")]
    audit_log: Option<AuditLog>,
}

impl StoreArgs {
    /// Opens the store; makes one when there is none.
    pub(crate) fn open(&self) -> Result<Store, Failure> {
        Ok(Store::open(&StateDir::open(&self.path()).map_err(StoreError::from)?)?)
    }

    /// Has a gateway that runs look at what has changed. Without this it looks within a second.
    pub(crate) fn tell_gateway(&self) -> Result<(), Failure> {
        let gateway = Gateway::new(self.runtime_dir.resolve());
        match gateway.request(Method::POST, "/api/auth/reload", None) {
            Ok(_) | Err(GatewayError::NotRunning(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The state directory.
    pub(crate) fn path(&self) -> PathBuf {
        self.state_dir.resolve(&self.runtime_dir)
    }
}

impl ChangeArgs {
    /// Opens the store and the log, so that nothing is changed that could not be written down.
    pub(crate) fn open(&self) -> Result<Changes, Failure> {
        let store = self.store.open()?;
        let log = match self.audit_log()? {
            AuditLog::On => {
                Some(Direct::open(&self.store.path()).map_err(|error| unwritable(&error))?)
            }
            AuditLog::Off => None,
        };
        Ok(Changes { store, log })
    }

    /// Whether changes are written down: what is not said here is as for the gateway.
    fn audit_log(&self) -> Result<AuditLog, Failure> {
        if let Some(said) = self.audit_log {
            return Ok(said);
        }
        let setting = settings::without_command_line("audit_log")?;
        // It was judged when it was read.
        Ok(setting.and_then(|word| AuditLog::from_str(&word, false).ok()).unwrap_or(AuditLog::On))
    }

    /// As [`StoreArgs::tell_gateway`].
    pub(crate) fn tell_gateway(&self) -> Result<(), Failure> {
        self.store.tell_gateway()
    }
}

/// The store, to be changed by nobody who is not written down.
pub(crate) struct Changes {
    pub(crate) store: Store,
    log: Option<Direct>,
}

impl Changes {
    /// Writes down what is about to be done, or will be undone if this fails.
    pub(crate) fn record(&mut self, event: &Event) -> Result<(), Failure> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let actor = Actor::command_line(&own_name());
        log.record(&actor, event).map_err(|error| unwritable(&error))
    }
}

fn unwritable(error: &io::Error) -> Failure {
    let message = format!("nothing was changed, since the audit log cannot be written: {error}");
    Failure::new(Exit::Refused, message).cure("mend that, or use --audit-log off")
}

/// The login name, as far as the environment or the machine's own list of users knows it.
pub(crate) fn own_name() -> String {
    let said = ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    let uid = rustix::process::geteuid().as_raw().to_string();
    let listed = || login_name(&std::fs::read_to_string("/etc/passwd").ok()?, &uid);
    said.or_else(listed).unwrap_or(uid)
}

/// The name of the user with this number in a list of users, in the form of passwd(5).
fn login_name(passwd: &str, uid: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number == uid && !name.is_empty()).then(|| name.to_owned())
    })
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Place(_) | StoreError::Newer { .. } => {
                Self::new(Exit::Configuration, message)
            }
            StoreError::UserExists(_) | StoreError::NameTaken(_) => {
                Self::new(Exit::Usage, message).cure("choose another name")
            }
            StoreError::NoUser(_) => Self::new(Exit::Usage, message).cure("see `hither user list`"),
            StoreError::NoToken(_) => {
                Self::new(Exit::Usage, message).cure("see `hither token list`")
            }
            StoreError::TooManyUsers | StoreError::TooManyTokens => {
                Self::new(Exit::Refused, message)
            }
            StoreError::Database(_) => Self::new(Exit::Internal, message)
                .cure("see whether the disk is full and its files can be written"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\n# none\nann:x:1000:1000::/home/ann:/bin/sh";
        for (uid, expect) in [("0", Some("root")), ("1000", Some("ann")), ("x", None), ("10", None)]
        {
            assert_eq!(login_name(passwd, uid).as_deref(), expect, "{uid}");
        }
    }
}
