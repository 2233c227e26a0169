//! `hither attach`: a session in this terminal.

mod follow;
mod keyboard;
mod terminal;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use clap::Args;
use hither_client::{Attachment, Features, Wish};
use hither_core::{ClientId, Role, SessionId};

use super::sessions;
use crate::escape::Escaped;
use crate::failure::{Exit, Failure};
use crate::gateway::{Gateway, GatewayArgs, GatewayError};
use crate::output;
use follow::{Ended, Follower};
use keyboard::DetachKey;
use terminal::RawTerminal;

/// Options of `hither attach`.
#[derive(Debug, Args)]
#[command(after_help = "\
What you type goes to the session, Ctrl-C too. Ctrl-\\ leaves it; it lives on. When the connection is
lost, attach connects again by itself and goes on where it stopped; what you type meanwhile is kept.

Examples:
  hither attach abcd
  HITHER_TOKEN=… hither attach https://box.example.org/s/SESSION
  hither attach abcd --detach-key Ctrl-]")]
pub(crate) struct AttachArgs {
    /// Session: its id or as much of the beginning as is its alone, or the address of its page
    #[arg(value_name = "SESSION")]
    session: String,
    /// Watch without typing
    #[arg(long)]
    read_only: bool,
    /// Key that leaves: Ctrl- and a letter or one of \ ] ^ _, or `none`
    #[arg(long, value_name = "KEY", default_value = "Ctrl-\\", value_parser = keyboard::detach_key)]
    detach_key: DetachKey,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// Shows the session until it ends or the user leaves it.
pub(crate) fn run(args: &AttachArgs) -> Result<Exit, Failure> {
    let (gateway, session) = find(args)?;
    let server = gateway.server()?;
    let terminal = RawTerminal::enter()?;
    let role = if args.read_only { Role::Observer } else { Role::Operator };
    let wish = Wish { role, features: Features::none(), size: terminal.size(), from: None };
    // 64 random bits: std seeds its hashers by the system's random numbers.
    let client = ClientId(RandomState::new().build_hasher().finish());
    let follower = Follower::new(server, session, client, args.detach_key);
    let ended = follower.run(Attachment::new(client, wish), &terminal);
    drop(terminal);
    report(session, ended.unwrap_or_else(Ended::Failed))
}

/// The gateway and the session that are meant.
fn find(args: &AttachArgs) -> Result<(Gateway, SessionId), Failure> {
    let (gateway, text) = match args.session.rsplit_once("/s/") {
        Some((url, rest)) if url.contains("://") => {
            let id = rest.split(['/', '?', '#']).next().unwrap_or_default();
            (Gateway::Remote(args.gateway.remote(url)?), id.to_owned())
        }
        _ => {
            let gateway = args.gateway.gateway()?;
            let id = sessions::resolve(&gateway, &args.session)?.id;
            (gateway, id)
        }
    };
    let session = text.parse().map_err(|_| {
        let message = format!("\"{}\" is not the id of a session", Escaped(&text));
        Failure::new(Exit::Usage, message).cure("see `hither ls` for what there is")
    })?;
    Ok((gateway, session))
}

/// The last line: how it ended.
fn report(session: SessionId, ended: Ended) -> Result<Exit, Failure> {
    let text = match ended {
        Ended::Detached => format!("left {session}; `hither attach {session}` comes back"),
        Ended::Exited(how) => format!("{session} has ended: {how}"),
        Ended::Closed => format!("{session} was closed"),
        Ended::Refused(why) => {
            let message = format!("the gateway refused: {}", Escaped(&why));
            return Err(Failure::new(Exit::Refused, message));
        }
        Ended::Unproven(error) => return Err(GatewayError::from(error).into()),
        Ended::Failed(error) => return Err(GatewayError::from(error).into()),
    };
    output::print(&format!("{text}\n"))?;
    Ok(Exit::Success)
}
