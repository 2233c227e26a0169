//! The connection to the PTY host, and a new host when the old one is gone.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hither_core::SessionId;
use hither_host::message::{JournalFds, SpawnRequest};
use hither_host::{ClientError, FromHost, HostConnection, RuntimeDir, ToHost};
use hither_pty::Journal;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::Notify;

use super::create::Starting;
use crate::sessions::CreateError;

/// How a PTY host is started.
#[derive(Clone, Debug)]
pub(crate) struct HostStarter {
    pub(crate) dir: Arc<RuntimeDir>,
    /// Program that becomes the host, with its arguments.
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
}

/// The host as it is known now.
#[derive(Debug)]
pub(super) struct HostLink {
    starter: HostStarter,
    state: Mutex<State>,
    /// One at a time starts a new host.
    restarting: tokio::sync::Mutex<()>,
    connected: Notify,
    /// The workers' journals, for a new host to keep.
    journals: Vec<JournalFds<OwnedFd>>,
}

#[derive(Debug)]
struct State {
    connection: Option<Arc<Connection>>,
    starting: HashMap<u64, Starting>,
    next_request: u64,
}

#[derive(Debug)]
struct Connection {
    /// A duplicate of the connection's descriptor: nothing is read from it, it only wakes.
    ready: UnixStream,
    host: Mutex<HostConnection>,
}

/// What came from the host.
#[derive(Debug)]
pub(super) enum Heard {
    Message(FromHost),
    /// The host is gone, and with it everything that was asked of it.
    Lost(Vec<Starting>),
}

/// Why there is no host to talk to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(
        "another gateway (process {0}) serves these sessions: stop it, or choose another --runtime-dir"
    )]
    Claimed(u32),
    #[error("PTY host answered the claim with something else")]
    Unexpected,
    #[error("watching the PTY host: {0}")]
    Kernel(#[from] std::io::Error),
}

/// How long the host may take over one message of an adoption.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

impl HostStarter {
    /// Connects to the host, starting one if none runs, and becomes its gateway.
    pub(super) fn claim(&self) -> Result<HostConnection, LinkError> {
        let mut host = HostConnection::connect_or_start(&self.dir, &self.program, &self.args)?;
        host.send(&ToHost::<OwnedFd>::Claim)?;
        let answer = host.recv(PATIENCE)?;
        if let FromHost::ClaimRefused { pid } = answer {
            return Err(LinkError::Claimed(pid));
        }
        if !matches!(answer, FromHost::Claimed) {
            return Err(LinkError::Unexpected);
        }
        Ok(host)
    }
}

impl HostLink {
    /// A link over a connection that is claimed and has told everything about its sessions.
    pub(super) fn new(
        starter: HostStarter,
        host: HostConnection,
        journals: &[Journal],
    ) -> Result<Self, LinkError> {
        let journals = journals.iter().map(duplicate).collect::<Result<_, _>>()?;
        let connection = Some(Arc::new(Connection::new(host)?));
        let state = State { connection, starting: HashMap::new(), next_request: 1 };
        Ok(Self {
            starter,
            state: Mutex::new(state),
            restarting: tokio::sync::Mutex::new(()),
            connected: Notify::new(),
            journals,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sessions that the host was asked for and has not answered.
    pub(super) fn starting(&self) -> usize {
        self.state().starting.len()
    }

    /// Asks the host for a session. Its answer comes by [`Self::receive`].
    pub(super) async fn spawn(
        &self,
        mut request: SpawnRequest,
        starting: Starting,
    ) -> Result<(), CreateError> {
        let connection = self.connection().await.map_err(|error| {
            tracing::error!(%error, "starting a PTY host");
            CreateError::HostUnavailable
        })?;
        {
            let mut state = self.state();
            request.request = state.next_request;
            state.next_request += 1;
            state.starting.insert(request.request, starting);
        }
        let number = request.request;
        connection.send(&ToHost::<OwnedFd>::Spawn(Box::new(request))).map_err(|error| {
            self.state().starting.remove(&number);
            tracing::error!(%error, "asking the PTY host for a session");
            if matches!(error, ClientError::Wire(_)) {
                CreateError::InvalidCommand
            } else {
                CreateError::HostUnavailable
            }
        })
    }

    /// The request that an answer belongs to.
    pub(super) fn take_starting(&self, request: u64) -> Option<Starting> {
        self.state().starting.remove(&request)
    }

    /// Has the host end and forget a session. A host that is gone has done so already.
    pub(super) fn close(&self, session: SessionId) {
        let connection = self.state().connection.clone();
        if let Some(connection) = connection
            && let Err(error) = connection.send(&ToHost::<OwnedFd>::Close { session })
        {
            tracing::warn!(%error, %session, "closing a session at the PTY host");
        }
    }

    /// The present connection; a new one, to a new host, when there is none.
    async fn connection(&self) -> Result<Arc<Connection>, LinkError> {
        let _one_at_a_time = self.restarting.lock().await;
        if let Some(connection) = &self.state().connection {
            return Ok(Arc::clone(connection));
        }
        let starter = self.starter.clone();
        let claimed = tokio::task::spawn_blocking(move || {
            let mut host = starter.claim()?;
            while !matches!(host.recv(PATIENCE)?, FromHost::AdoptEnd) {}
            Ok::<_, LinkError>(host)
        });
        let host = claimed.await.map_err(std::io::Error::other)??;
        put_journals(&host, &self.journals)?;
        let connection = Arc::new(Connection::new(host)?);
        self.state().connection = Some(Arc::clone(&connection));
        self.connected.notify_one();
        tracing::info!("PTY host started");
        Ok(connection)
    }

    /// The next message of the host. Dropping the future loses nothing.
    pub(super) async fn receive(&self) -> Heard {
        loop {
            let connection = self.state().connection.clone();
            let Some(connection) = connection else {
                self.connected.notified().await;
                continue;
            };
            match connection.receive().await {
                Ok(message) => return Heard::Message(message),
                Err(error) => {
                    tracing::error!(%error, "PTY host is gone");
                    let mut state = self.state();
                    state.connection = None;
                    return Heard::Lost(state.starting.drain().map(|(_, one)| one).collect());
                }
            }
        }
    }
}

impl Connection {
    fn new(host: HostConnection) -> std::io::Result<Self> {
        let duplicate = host.as_fd().try_clone_to_owned()?;
        let ready = UnixStream::from_std(std::os::unix::net::UnixStream::from(duplicate))?;
        Ok(Self { ready, host: Mutex::new(host) })
    }

    fn host(&self) -> MutexGuard<'_, HostConnection> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send<F: AsFd>(&self, message: &ToHost<F>) -> Result<(), ClientError> {
        self.host().send(message)
    }

    async fn receive(&self) -> Result<FromHost, ClientError> {
        loop {
            self.ready.readable().await?;
            let received = self.ready.try_io(Interest::READABLE, || {
                let received = self.host().try_recv().transpose();
                received.ok_or_else(|| ErrorKind::WouldBlock.into())
            });
            match received {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                received => return received?,
            }
        }
    }
}

/// Gives the journals to a host to keep.
pub(super) fn put_journals(
    host: &HostConnection,
    journals: &[JournalFds<OwnedFd>],
) -> Result<(), ClientError> {
    for (index, journal) in (0..).zip(journals) {
        let fds = JournalFds {
            read_end: journal.read_end.as_fd(),
            write_end: journal.write_end.as_fd(),
            memory: journal.memory.as_fd(),
        };
        host.send(&ToHost::PutJournal { index, fds })?;
    }
    Ok(())
}

/// The descriptors of a journal once more.
pub(super) fn duplicate(journal: &Journal) -> std::io::Result<JournalFds<OwnedFd>> {
    let [read_end, write_end, memory] = journal.parts();
    Ok(JournalFds {
        read_end: read_end.try_clone_to_owned()?,
        write_end: write_end.try_clone_to_owned()?,
        memory: memory.try_clone_to_owned()?,
    })
}
