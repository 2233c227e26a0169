//! The image by which requests are judged.

use hither_auth::{People, UserId};

use rusqlite::{Transaction, TransactionBehavior};

use crate::{Store, StoreError};

impl Store {
    /// Everybody and everything, as it is now. `machine` is the name of the user that the gateway
    /// runs as.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn people(&self, machine: &str) -> Result<People, StoreError> {
        // One transaction, so that the tables fit together.
        let step = Transaction::new_unchecked(&self.db, TransactionBehavior::Deferred)?;
        let mut people =
            People::new(machine).with_machine_generation(self.generation(UserId::MACHINE)?);
        for user in self.users()? {
            people.add_user(user);
        }
        for token in self.tokens()? {
            people.tokens.add(token.record);
        }
        for (session, user, level) in self.grants()? {
            people.add_grant(session, user, level);
        }
        for share in self.shares()? {
            people.add_share(share);
        }
        step.commit()?;
        Ok(people)
    }
}
