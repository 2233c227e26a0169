//! `hither token`: credentials of programs.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use hither_auth::{ApiToken, Scopes, TOKEN_LIFE_DEFAULT, TokenId, UserId, UserName};
use hither_server::audit::Event;
use hither_store::{NewToken, StoreError, TokenInfo};

use super::user;
use super::when::{since, until};
use crate::escape::Escaped;
use crate::failure::{Exit, Failure};
use crate::store::{ChangeArgs, StoreArgs, own_name};
use crate::{output, values};

/// Options of `hither token`.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token and print it, this once
    Create(CreateArgs),
    /// List the tokens, without their secrets
    List(ListArgs),
    /// Revoke a token: it is good no more, and connections that were opened with it are closed
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// What it is for: session:create, session:read, session:write, session:manage or admin, or
    /// several with commas between them
    #[arg(long, value_name = "SCOPES", required = true)]
    scope: Scopes,
    /// When it ends, at most in a year, as in 12h, 30d or 52w [default: 30d]
    #[arg(long, value_name = "TIME", value_parser = values::token_life)]
    expires: Option<Duration>,
    /// What to call it
    #[arg(long, value_name = "TEXT", default_value = "token", value_parser = values::label)]
    name: String,
    /// Whose it is [default: the user that the gateway runs as]
    #[arg(long, value_name = "NAME")]
    user: Option<UserName>,
    #[command(flatten)]
    changes: ChangeArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
struct RevokeArgs {
    /// Number of the token, as in `hither token list`
    #[arg(value_name = "NUMBER")]
    id: u64,
    #[command(flatten)]
    changes: ChangeArgs,
}

/// Does it.
pub(crate) fn run(args: &TokenArgs) -> Result<Exit, Failure> {
    match &args.command {
        TokenCommand::Create(args) => create(args),
        TokenCommand::List(args) => list(args),
        TokenCommand::Revoke(args) => revoke(args),
    }
}

/// Prints the token alone on standard output, for `TOKEN=$(hither token create …)`.
fn create(args: &CreateArgs) -> Result<Exit, Failure> {
    let mut changes = args.changes.open()?;
    let (user, whom) = match &args.user {
        None => (UserId::MACHINE, own_name()),
        Some(name) => (user::named(&changes.store, name)?, name.to_string()),
    };
    let mut random = [0; 32];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::new(Exit::Internal, format!("no random numbers: {error}")))?;
    let token = ApiToken::from_random(random);
    let now = SystemTime::now();
    let new = NewToken {
        user,
        name: args.name.clone(),
        digest: token.digest(),
        scopes: args.scope,
        expires: now + args.expires.unwrap_or(TOKEN_LIFE_DEFAULT),
    };
    let id = changes.store.add_token(&new, now)?;
    if let Err(failure) = changes.record(&Event::TokenCreated(id, whom)) {
        // Nobody has seen it.
        changes.store.revoke_token(id)?;
        return Err(failure);
    }
    output::print(&format!("{}\n", token.to_text()))?;
    args.changes.tell_gateway()?;
    Ok(Exit::Success)
}

fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let store = args.store.open()?;
    let users = store.users()?.into_iter().map(|user| (user.id, user.name.to_string()));
    let text = table(&store.tokens()?, &users.collect(), SystemTime::now());
    output::print(&text)?;
    Ok(Exit::Success)
}

fn revoke(args: &RevokeArgs) -> Result<Exit, Failure> {
    let mut changes = args.changes.open()?;
    let id = TokenId(args.id);
    if !changes.store.tokens()?.iter().any(|token| token.record.id == id) {
        return Err(StoreError::NoToken(args.id).into());
    }
    changes.record(&Event::TokenRevoked(id))?;
    changes.store.revoke_token(id)?;
    output::print(&format!("revoked token {}\n", args.id))?;
    args.changes.tell_gateway()?;
    Ok(Exit::Success)
}

fn table(tokens: &[TokenInfo], users: &BTreeMap<UserId, String>, now: SystemTime) -> String {
    if tokens.is_empty() {
        return "no tokens; make one with `hither token create`\n".to_owned();
    }
    let headings = ["NUMBER", "NAME", "USER", "SCOPES", "EXPIRES", "USED"];
    let row = |token: &TokenInfo| {
        let record = &token.record;
        let user = users.get(&record.user).map_or("-", String::as_str);
        [
            record.id.0.to_string(),
            Escaped(&record.name).to_string(),
            user.to_owned(),
            record.scopes.to_string(),
            record.expires.map_or_else(|| "never".to_owned(), |expires| until(expires, now)),
            token.used.map_or_else(|| "never".to_owned(), |used| since(used, now)),
        ]
    };
    super::table::table(headings, tokens.iter().map(row))
}

#[cfg(test)]
mod tests {
    use hither_auth::{Digest, Scope, TokenRecord};

    use super::*;

    #[test]
    fn the_table_shows_everything_but_the_secret() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let record = TokenRecord {
            id: TokenId(3),
            user: UserId(1),
            scopes: Scopes::NONE.with(Scope::SessionRead),
            expires: Some(now + Duration::from_secs(3 * 86_400 + 5)),
            ..TokenRecord::local("c\u{1b}i", Digest::of("x"))
        };
        let used = Some(now - Duration::from_secs(90));
        let users = BTreeMap::from([(UserId(1), "alice".to_owned())]);
        let shown = table(&[TokenInfo { record, used }], &users, now);
        let expect = "\
NUMBER  NAME    USER   SCOPES        EXPIRES  USED
3       c\\x1bi  alice  session:read  in 3d    2m ago
";
        assert_eq!(shown, expect);
    }
}
