//! Handshakes, with the files as they are at the moment.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use webpki::EndEntityCert;

use super::issued::PROOF_ALPN;
use super::load::{TlsError, TlsSettings};

/// Time for a handshake.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// The files are looked at for a new connection, but not more often than this.
const CHECK_PAUSE: Duration = Duration::from_secs(1);

/// Makes TLS connections of sockets.
///
/// When one of its files has changed, the next connection is the first to see the new ones; those
/// that are open keep what they have. Files that cannot be used are logged and change nothing.
#[derive(Debug)]
pub struct Acceptor {
    settings: TlsSettings,
    loaded: Mutex<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    config: Arc<ServerConfig>,
    stamps: Vec<Stamp>,
    checked: Instant,
}

/// What tells a changed file from an unchanged one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Acceptor {
    /// An acceptor with the files as they are now.
    ///
    /// # Errors
    /// When the files cannot be used; the text is a sentence with the cure.
    pub fn open(settings: TlsSettings) -> Result<Self, TlsError> {
        // Stamped before they are read: a change in between is seen later.
        let stamps = stamps(&settings);
        let config = Arc::new(settings.load()?);
        let loaded = Loaded { config, stamps, checked: Instant::now() };
        Ok(Self { settings, loaded: Mutex::new(loaded) })
    }

    /// Whom the client's certificate stands for: the user of its URIs, if they agree. It has been
    /// verified in the handshake.
    pub(crate) fn user(&self, tls: &ServerConnection) -> Option<String> {
        let users = &self.settings.clients.as_ref()?.users;
        let certificate = EndEntityCert::try_from(tls.peer_certificates()?.first()?).ok()?;
        let of = |uri: &str| users.iter().find(|(known, _)| known == uri).map(|(_, name)| name);
        let mut found = certificate.valid_uri_names().filter_map(of);
        let first = found.next()?;
        found.all(|other| other == first).then(|| first.clone())
    }

    /// Completes the handshake on a socket.
    ///
    /// # Errors
    /// When it fails, takes longer than 10 seconds, or was all that an authority wanted.
    pub(crate) async fn accept<S>(&self, socket: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = TlsAcceptor::from(self.config());
        let accepted = timeout(HANDSHAKE_DEADLINE, acceptor.accept(socket)).await;
        let stream = accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        if stream.get_ref().1.alpn_protocol() == Some(PROOF_ALPN) {
            // The handshake was the whole of it, and no protocol of ours follows.
            return Err(io::Error::other("an authority has looked at the proof of a domain"));
        }
        Ok(stream)
    }

    /// The present configuration.
    fn config(&self) -> Arc<ServerConfig> {
        // Nothing under the lock is ever half done.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if loaded.checked.elapsed() >= CHECK_PAUSE {
            loaded.refresh(&self.settings);
        }
        Arc::clone(&loaded.config)
    }
}

impl Loaded {
    fn refresh(&mut self, settings: &TlsSettings) {
        self.checked = Instant::now();
        let stamps = stamps(settings);
        if stamps == self.stamps {
            return;
        }
        self.stamps = stamps;
        match settings.load() {
            Ok(config) => {
                self.config = Arc::new(config);
                tracing::info!("certificate read again");
            }
            Err(error) => tracing::warn!(%error, "keeping the old certificate"),
        }
    }
}

fn stamps(settings: &TlsSettings) -> Vec<Stamp> {
    settings.paths().map(stamp).collect()
}

/// The zero stamp is that of a file that is not there.
fn stamp(path: &Path) -> Stamp {
    fs::metadata(path).map_or_else(
        |_| Stamp::default(),
        |meta| Stamp {
            inode: meta.ino(),
            bytes: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        },
    )
}
