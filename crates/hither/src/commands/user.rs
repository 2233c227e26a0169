//! `hither user`: who has an account.

use std::time::SystemTime;

use clap::{Args, Subcommand};
use hither_auth::{User, UserId, UserKind, UserName};
use hither_server::audit::Event;
use hither_store::{NewUser, Store, StoreError};

use crate::failure::{Exit, Failure};
use crate::output;
use crate::prompt::{self, From};
use crate::store::{ChangeArgs, StoreArgs};

/// Options of `hither user`.
#[derive(Debug, Args)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

/// What to do with users.
#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add a user, who logs in with a password
    Add(AddArgs),
    /// Set a user's password, and end all logins of the user
    Passwd(PasswdArgs),
    /// List the users
    List(ListArgs),
    /// Remove a user with all tokens, logins and share links of the user
    Remove(RemoveArgs),
}

#[derive(Debug, Args)]
struct AddArgs {
    /// Name: a-z, 0-9 and . _ @ + -
    #[arg(value_name = "NAME")]
    name: UserName,
    /// May see and end the sessions of everybody
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

#[derive(Debug, Args)]
struct PasswdArgs {
    /// Whose password
    #[arg(value_name = "NAME")]
    name: UserName,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

#[derive(Debug, Args)]
struct PasswordArgs {
    /// Read the password from the first line of standard input instead of asking for it
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
struct RemoveArgs {
    /// Whom to remove
    #[arg(value_name = "NAME")]
    name: UserName,
    #[command(flatten)]
    changes: ChangeArgs,
}

/// Does it.
pub(crate) fn run(args: &UserArgs) -> Result<Exit, Failure> {
    match &args.command {
        UserCommand::Add(args) => add(args),
        UserCommand::Passwd(args) => passwd(args),
        UserCommand::List(args) => list(args),
        UserCommand::Remove(args) => remove(args),
    }
}

impl PasswordArgs {
    /// Asks for the password and answers what is stored of it.
    fn hash(&self, name: &UserName) -> Result<String, Failure> {
        let from = if self.password_stdin { From::StandardInput } else { From::Terminal };
        let password = prompt::new_password(name.as_str(), from)?;
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)
            .map_err(|error| Failure::new(Exit::Internal, format!("no random numbers: {error}")))?;
        Ok(password.hash(salt))
    }
}

fn add(args: &AddArgs) -> Result<Exit, Failure> {
    let mut changes = args.changes.open()?;
    if changes.store.users()?.iter().any(|user| user.name == args.name) {
        // Before anybody types a password.
        return Err(StoreError::UserExists(args.name.clone()).into());
    }
    let kind = if args.admin { UserKind::Admin } else { UserKind::Member };
    let password = Some(args.password.hash(&args.name)?);
    let new = NewUser { name: args.name.clone(), kind, password };
    let user = changes.store.add_user(&new, SystemTime::now())?;
    let recorded = changes.record(&Event::UserChanged(user, args.name.to_string(), "added"));
    if let Err(failure) = recorded {
        changes.store.remove_user(&args.name)?;
        return Err(failure);
    }
    output::print(&format!("added {} ({})\n", args.name, kind.as_str()))?;
    args.changes.tell_gateway()?;
    Ok(Exit::Success)
}

fn passwd(args: &PasswdArgs) -> Result<Exit, Failure> {
    let mut changes = args.changes.open()?;
    let user = named(&changes.store, &args.name)?;
    let hash = args.password.hash(&args.name)?;
    changes.record(&Event::UserChanged(user, args.name.to_string(), "password-set"))?;
    changes.store.set_password(&args.name, &hash)?;
    output::print(&format!("password of {} is set, and all logins have ended\n", args.name))?;
    args.changes.tell_gateway()?;
    Ok(Exit::Success)
}

/// The user of a name.
pub(super) fn named(store: &Store, name: &UserName) -> Result<UserId, Failure> {
    let users = store.users()?;
    let user = users.iter().find(|user| user.name == *name).map(|user| user.id);
    Ok(user.ok_or_else(|| StoreError::NoUser(name.to_string()))?)
}

fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let users = args.store.open()?.users()?;
    output::print(&table(&users))?;
    Ok(Exit::Success)
}

fn remove(args: &RemoveArgs) -> Result<Exit, Failure> {
    let mut changes = args.changes.open()?;
    let user = named(&changes.store, &args.name)?;
    changes.record(&Event::UserChanged(user, args.name.to_string(), "removed"))?;
    changes.store.remove_user(&args.name)?;
    output::print(&format!("removed {}\n", args.name))?;
    args.changes.tell_gateway()?;
    Ok(Exit::Success)
}

fn table(users: &[User]) -> String {
    if users.is_empty() {
        return "no users; add one with `hither user add NAME`\n".to_owned();
    }
    let row = |user: &User| [user.name.to_string(), user.kind.as_str().to_owned()];
    super::table::table(["NAME", "KIND"], users.iter().map(row))
}
