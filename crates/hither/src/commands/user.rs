//! `hither user`: who has an account.

use std::time::SystemTime;

use clap::{Args, Subcommand};
use hither_auth::{User, UserKind, UserName};
use hither_store::NewUser;

use crate::failure::{Exit, Failure};
use crate::output;
use crate::prompt::{self, From};
use crate::store::StoreArgs;

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
    store: StoreArgs,
}

#[derive(Debug, Args)]
struct PasswdArgs {
    /// Whose password
    #[arg(value_name = "NAME")]
    name: UserName,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    store: StoreArgs,
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
    store: StoreArgs,
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
    let mut store = args.store.open()?;
    if store.users()?.iter().any(|user| user.name == args.name) {
        // Before anybody types a password.
        return Err(hither_store::StoreError::UserExists(args.name.clone()).into());
    }
    let kind = if args.admin { UserKind::Admin } else { UserKind::Member };
    let password = Some(args.password.hash(&args.name)?);
    let new = NewUser { name: args.name.clone(), kind, password };
    store.add_user(&new, SystemTime::now())?;
    args.store.tell_gateway()?;
    output::print(&format!("added {} ({})\n", args.name, kind.as_str()))?;
    Ok(Exit::Success)
}

fn passwd(args: &PasswdArgs) -> Result<Exit, Failure> {
    let mut store = args.store.open()?;
    if !store.users()?.iter().any(|user| user.name == args.name) {
        return Err(hither_store::StoreError::NoUser(args.name.to_string()).into());
    }
    store.set_password(&args.name, &args.password.hash(&args.name)?)?;
    args.store.tell_gateway()?;
    output::print(&format!("password of {} is set, and all logins have ended\n", args.name))?;
    Ok(Exit::Success)
}

fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let users = args.store.open()?.users()?;
    output::print(&table(&users))?;
    Ok(Exit::Success)
}

fn remove(args: &RemoveArgs) -> Result<Exit, Failure> {
    args.store.open()?.remove_user(&args.name)?;
    args.store.tell_gateway()?;
    output::print(&format!("removed {}\n", args.name))?;
    Ok(Exit::Success)
}

fn table(users: &[User]) -> String {
    if users.is_empty() {
        return "no users; add one with `hither user add NAME`\n".to_owned();
    }
    let widest = users.iter().map(|user| user.name.as_str().len()).max().unwrap_or(0).max(4);
    let line = |name: &str, kind: &str| format!("{name:widest$}  {kind}\n");
    let rows = users.iter().map(|user| line(user.name.as_str(), user.kind.as_str()));
    std::iter::once(line("NAME", "KIND")).chain(rows).collect()
}
