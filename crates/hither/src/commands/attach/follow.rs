//! The loop of `hither attach`: keys to the session, output to the terminal, again after a break.

use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use hither_client::{
    Attachment, Backoff, CloseCode, Connection, ConnectionError, Event, Exit, HandshakeError,
    Progress, Reconnect, Server, TlsError,
};
use hither_core::{ClientId, SessionId};
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use super::keyboard::DetachKey;
use super::terminal::RawTerminal;
use crate::commands::watched::{read_keys, watched};
use crate::escape::Escaped;

/// A terminal reset (RIS, ECMA-48), before a snapshot.
const RESET: &[u8] = b"\x1bc";

/// How it ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The user left.
    Detached,
    /// The program ended, like this.
    Exited(String),
    /// Somebody closed the session.
    Closed,
    /// The gateway does not want this viewer any more.
    Refused(String),
    /// The gateway is not believed to be the one at that address.
    Unproven(TlsError),
    /// The gateway cannot be reached at all.
    Failed(io::Error),
}

/// One who follows a session.
#[derive(Debug)]
pub(super) struct Follower {
    server: Server,
    session: SessionId,
    client: ClientId,
    detach: DetachKey,
    /// Typed while there was no connection.
    early: Vec<u8>,
    title: String,
}

/// A connection, and the loop's view of it.
struct Link {
    connection: Connection,
    ready: AsyncFd<OwnedFd>,
}

/// What a loop waits for besides the connection.
struct Inputs {
    keys: AsyncFd<io::Stdin>,
    resized: Signal,
}

impl Follower {
    pub(super) const fn new(
        server: Server,
        session: SessionId,
        client: ClientId,
        detach: DetachKey,
    ) -> Self {
        Self { server, session, client, detach, early: Vec::new(), title: String::new() }
    }

    /// Follows until it ends.
    pub(super) fn run(self, attachment: Attachment, terminal: &RawTerminal) -> io::Result<Ended> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.follow(attachment, terminal))
    }

    async fn follow(
        mut self,
        mut attachment: Attachment,
        terminal: &RawTerminal,
    ) -> io::Result<Ended> {
        let mut inputs =
            Inputs { keys: watched(io::stdin())?, resized: signal(SignalKind::window_change())? };
        let mut backoff = Backoff::default();
        let mut was_connected = false;
        loop {
            let wait = backoff.next(u32::from_ne_bytes(*b"jits") ^ std::process::id());
            let Some((back, result)) = self.connect(attachment, wait, &inputs).await? else {
                return Ok(Ended::Detached);
            };
            attachment = back;
            match result {
                Ok(connection) => {
                    connection.set_nonblocking(true)?;
                    let ready = connection.as_fd().try_clone_to_owned()?;
                    let ready = watched(ready)?;
                    let mut link = Link { connection, ready };
                    let ended =
                        self.serve(&mut link, &mut attachment, &mut inputs, terminal).await?;
                    if let Some(ended) = ended {
                        return Ok(ended);
                    }
                    (was_connected, backoff) = (true, Backoff::default());
                }
                Err(HandshakeError::Io(error)) if !was_connected => {
                    return Ok(Ended::Failed(error));
                }
                Err(error) if was_connected && may_pass(&error) => {}
                Err(HandshakeError::Tls(error)) => return Ok(Ended::Unproven(error)),
                Err(error) => return Ok(Ended::Refused(error.to_string())),
            }
            set_title("hither: connection lost, trying again")?;
        }
    }

    /// Tries to connect after a pause; meanwhile, keys are kept. `None`: the user leaves.
    async fn connect(
        &mut self,
        mut attachment: Attachment,
        pause: Duration,
        inputs: &Inputs,
    ) -> io::Result<Option<(Attachment, Result<Connection, HandshakeError>)>> {
        let (server, session, client) = (self.server.clone(), self.session, self.client);
        let trying = async move {
            sleep(pause).await;
            tokio::task::spawn_blocking(move || {
                let connection = server.connect(session, client, &mut attachment);
                (attachment, connection)
            })
            .await
            .map_err(io::Error::other)
        };
        tokio::pin!(trying);
        loop {
            tokio::select! {
                tried = &mut trying => return Ok(Some(tried?)),
                read = read_keys(&inputs.keys) => {
                    let read = read?;
                    let keys = self.detach.split(&read);
                    self.early.extend_from_slice(keys.typed);
                    if keys.leaves {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Serves one connection. `None`: it is lost.
    async fn serve(
        &mut self,
        link: &mut Link,
        attachment: &mut Attachment,
        inputs: &mut Inputs,
        terminal: &RawTerminal,
    ) -> io::Result<Option<Ended>> {
        let early = std::mem::take(&mut self.early);
        if !early.is_empty() && link.connection.type_input(attachment, &early).is_err() {
            return Ok(None);
        }
        loop {
            tokio::select! {
                ready = link.ready.readable() => {
                    let mut ready = ready?;
                    match self.receive(&mut link.connection, attachment)? {
                        Received::Nothing => ready.clear_ready(),
                        Received::Something => {}
                        Received::Lost => return Ok(None),
                        Received::Ended(ended) => return Ok(Some(ended)),
                    }
                }
                read = read_keys(&inputs.keys) => {
                    let read = read?;
                    let keys = self.detach.split(&read);
                    let typed = keys.typed.is_empty()
                        || link.connection.type_input(attachment, keys.typed).is_ok();
                    if keys.leaves {
                        return Ok(Some(Ended::Detached));
                    }
                    if !typed {
                        return Ok(None);
                    }
                }
                _ = inputs.resized.recv() => {
                    if let Some(size) = terminal.size()
                        && link.connection.resize(attachment, size).is_err()
                    {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Reads once and shows what came.
    fn receive(
        &mut self,
        connection: &mut Connection,
        attachment: &mut Attachment,
    ) -> io::Result<Received> {
        let mut shown = Ok(());
        let mut ended = None;
        let progress = connection.receive(attachment, |event| match event {
            Event::Output(bytes) => show(&mut shown, bytes),
            Event::Snapshot(_, bytes) => {
                show(&mut shown, RESET);
                show(&mut shown, bytes);
            }
            Event::Attached(attached) => {
                self.title = attached.title;
                if attached.resumed {
                    shown = set_title(&self.title);
                }
            }
            Event::Happened(hither_client::Happening::Title(title)) => self.title = title,
            Event::Exit(exit) => ended = Some(Ended::Exited(words(&exit))),
            Event::Refused(error) => ended = Some(Ended::Refused(error.message)),
            Event::Gap(_)
            | Event::Settled(_)
            | Event::Size(..)
            | Event::Termios(_)
            | Event::Happened(_)
            | Event::Pong(_)
            | Event::Ignored => {}
        });
        shown?;
        Ok(match (progress, ended) {
            (_, Some(ended)) => Received::Ended(ended),
            (Ok(Progress::Read), None) => Received::Something,
            (Ok(Progress::NothingThere), None) => Received::Nothing,
            (Ok(Progress::Closed(Some(CloseCode::SESSION_CLOSED))), None) => {
                Received::Ended(Ended::Closed)
            }
            (Ok(Progress::Closed(Some(code))), None) if code.reconnect() == Reconnect::Never => {
                Received::Ended(Ended::Refused(format!("close code {}", code.number())))
            }
            (Ok(Progress::Closed(_)) | Err(ConnectionError::Io(_)), None) => Received::Lost,
            (Err(error), None) => Received::Ended(Ended::Refused(error.to_string())),
        })
    }
}

/// Whether a gateway that was there before may answer well the next time: it, or a proxy before it,
/// is being started, and hangs up while it is.
const fn may_pass(error: &HandshakeError) -> bool {
    matches!(
        error,
        HandshakeError::Io(_)
            | HandshakeError::Status(502..=504)
            | HandshakeError::Tls(TlsError::NotTls | TlsError::Other(_))
    )
}

/// What one reading of the connection came to.
enum Received {
    Nothing,
    Something,
    Lost,
    Ended(Ended),
}

/// Writes bytes for the terminal to obey, unless that has failed before.
fn show(shown: &mut io::Result<()>, bytes: &[u8]) {
    if shown.is_ok() {
        let mut stdout = io::stdout().lock();
        *shown = stdout.write_all(bytes).and_then(|()| stdout.flush());
    }
}

fn set_title(title: &str) -> io::Result<()> {
    let mut shown = Ok(());
    show(&mut shown, format!("\x1b]0;{}\x07", Escaped(title)).as_bytes());
    shown
}

fn words(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal { name, .. } => format!("signal {}", Escaped(name)),
        Exit::Unknown => "nobody knows how".to_owned(),
        Exit::Lost => "its PTY host died or could not hand it over".to_owned(),
    }
}
