//! The store as the command line uses it, beside a gateway that may have it open too.

use std::path::PathBuf;

use clap::Args;
use hither_store::{StateDir, Store, StoreError};
use http::Method;

use crate::cli::{RuntimeDirArgs, StateDirArgs};
use crate::failure::{Exit, Failure};
use crate::gateway::{Gateway, GatewayError};

/// Where the store is, and the gateway that uses it.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    runtime_dir: RuntimeDirArgs,
    #[command(flatten)]
    state_dir: StateDirArgs,
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
