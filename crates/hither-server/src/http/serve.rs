//! Listeners and connections: accepted, bounded, served, and ended when the gateway stops.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::Service;
use tracing::{debug, info, warn};

use super::app::App;
use super::door::Door;
use super::handover::Slot;
use super::headers::{harden, lines};
use super::problem::ProblemCode;
use super::routes::{MatchedRoute, router};
use super::wire::{Stream, Wire};
use crate::metrics::HTTP_CONNECTIONS;

/// Turns true once, when the gateway stops.
pub type Stop = watch::Receiver<bool>;

/// Waits until the gateway stops, or whoever could stop it is gone.
pub(crate) async fn stopped(stop: &mut Stop) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Most connections that speak HTTP at a time, over all listeners. Those at a worker do not count.
pub const CONNECTIONS_MAX: usize = 1024;
/// Time for the head of a request to arrive, counted from the end of the one before.
pub const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// Most bytes of the head of a request.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Most header lines of a request.
pub const HEADERS_MAX: usize = 64;
/// Time that connections get to finish after the gateway was told to stop.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(5);
/// Time for the first request of a connection to arrive when the gateway is told to stop: whoever
/// has just connected would take the end of the connection for a failure.
const FIRST_REQUEST_TIME: Duration = Duration::from_millis(500);
/// Pause after an error of `accept`, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A listening socket of either family.
#[derive(Debug)]
pub enum Listener {
    /// Whoever comes has to show a credential. See [`super::check_bind`].
    Tcp(TcpListener),
    /// Processes of the same user, and nobody else, are let in; the kernel says who they are.
    Unix(UnixListener),
}

/// The control plane.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    router: Router,
    requests: AtomicU64,
}

impl Server {
    /// A server of this application, to be shared by its listeners.
    #[must_use]
    pub fn new(app: Arc<App>) -> Arc<Self> {
        Arc::new(Self { router: router(Arc::clone(&app)), requests: AtomicU64::new(0), app })
    }

    /// Serves a listener until the gateway stops; then closes it, lets connections finish for at
    /// most [`DRAIN_DEADLINE`] and ends the rest.
    ///
    /// # Errors
    /// When the listener has no address.
    pub async fn serve(self: &Arc<Self>, listener: Listener) -> io::Result<()> {
        let door = Arc::new(listener.door(&self.app)?);
        let mut stop = self.app.stop.clone();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stopped(&mut stop) => break,
                Some(_ended) = connections.join_next() => {}
                accepted = listener.accept() => {
                    if let Some((stream, slot)) = self.admit(accepted).await {
                        let connection = Connection {
                            server: Arc::clone(self),
                            door: Arc::clone(&door),
                            _slot: slot,
                        };
                        connections.spawn(connection.run(stream));
                    }
                }
            }
        }
        drop(listener);
        drain(connections).await;
        Ok(())
    }

    /// Takes an accepted socket in if there is room.
    async fn admit(&self, accepted: io::Result<Stream>) -> Option<(Stream, OwnedSemaphorePermit)> {
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                warn!(%error, "refused a process of another user");
                return None;
            }
            Err(error) => {
                warn!(%error, "accepting failed");
                sleep(ACCEPT_PAUSE).await;
                return None;
            }
        };
        self.app.metrics.connections.increment(stream.kind());
        match Arc::clone(&self.app.slots).try_acquire_owned() {
            Ok(slot) => Some((stream, slot)),
            Err(_full) => {
                debug!("refused a connection over the limit");
                self.app.metrics.limits.increment(HTTP_CONNECTIONS);
                stream.refuse();
                None
            }
        }
    }

    fn count(&self, method: &'static str, response: &Response) {
        let extensions = response.extensions();
        let route = extensions.get().map_or("none", |MatchedRoute(path)| path);
        let metrics = &self.app.metrics;
        metrics.requests.increment((method, route, response.status().as_u16()));
        if let Some(ProblemCode(code)) = extensions.get() {
            metrics.count_problem(code);
        }
    }

    async fn respond(
        &self,
        door: &Door,
        slot: &Slot,
        address: Option<IpAddr>,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let wants_upgrade = request.headers().contains_key(UPGRADE);
        let method = method_name(request.method());
        let mut response = match door.admit(&request, address) {
            Ok(arrival) => {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(arrival);
                request.extensions_mut().insert(slot.clone());
                self.router.clone().call(request).await?
            }
            Err(problem) => problem.into_response(),
        };
        let status = response.status();
        if status.is_server_error() {
            warn!(request = number, status = status.as_u16(), "request failed");
        } else if status.is_client_error() {
            debug!(request = number, status = status.as_u16(), "request refused");
        }
        if wants_upgrade && status != StatusCode::SWITCHING_PROTOCOLS {
            // What follows may have been meant for the other protocol: it is no second request.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        self.count(method, &response);
        let id = HeaderValue::from(number);
        response.headers_mut().insert(REQUEST_ID, id);
        harden(response.headers_mut());
        Ok(response)
    }
}

/// The method as a word of ours: a stranger may send any.
fn method_name(method: &http::Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}

/// A connection that is being served.
struct Connection {
    server: Arc<Server>,
    door: Arc<Door>,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    /// Serves requests until the client is done, or one of them turns the connection into a
    /// WebSocket, which is then handed over.
    async fn run(self, stream: Stream) {
        let slot = Slot::default();
        let (server, door, taken) = (&self.server, &self.door, &slot);
        let address = stream.address();
        let asked = Notify::new();
        let service = service_fn(|request| {
            asked.notify_one();
            server.respond(door, taken, address, request)
        });
        let io = TokioIo::new(Wire::new(stream));
        let mut serving = pin!(builder().serve_connection(io, service).with_upgrades());
        let mut stop = server.app.stop.clone();
        let served = tokio::select! {
            served = serving.as_mut() => served,
            () = stopped(&mut stop) => tokio::select! {
                served = serving.as_mut() => served,
                _ = timeout(FIRST_REQUEST_TIME, asked.notified()) => {
                    serving.as_mut().graceful_shutdown();
                    serving.as_mut().await
                }
            },
        };
        if let Err(error) = served {
            debug!(%error, "connection ended");
        }
        if let Some(handover) = slot.take() {
            handover.run().await;
        }
    }
}

/// The settings of all connections.
fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(HEADER_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    builder
}

async fn drain(mut connections: JoinSet<()>) {
    let all = async { while connections.join_next().await.is_some() {} };
    let ended = if timeout(DRAIN_DEADLINE, all).await.is_ok() { "drained" } else { "cut" };
    info!(ended, "listener closed");
    connections.shutdown().await;
}

impl Listener {
    fn door(&self, app: &App) -> io::Result<Door> {
        Ok(match self {
            Self::Tcp(listener) => Door::tcp(listener.local_addr()?, &app.config.public_origins),
            Self::Unix(_) => Door::unix(),
        })
    }

    /// The next socket; from the Unix listener only one of the same user.
    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                if stream.peer_cred()?.uid() == rustix::process::geteuid().as_raw() {
                    Ok(Stream::Unix(stream))
                } else {
                    Err(io::ErrorKind::PermissionDenied.into())
                }
            }
        }
    }
}

impl Stream {
    /// The other end's address; none on a Unix socket.
    fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().ok().map(|peer| peer.ip().to_canonical()),
            Self::Unix(_) => None,
        }
    }

    /// The kind of listener that it came from.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::Unix(_) => "unix",
        }
    }

    /// Says that there is no room, if the socket takes it at once, and closes.
    fn refuse(self) {
        let response = format!(
            "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n\
             cache-control: no-store\r\n{}content-length: 0\r\n\r\n",
            lines()
        );
        let sent = match self {
            Self::Tcp(stream) => stream.try_write(response.as_bytes()),
            Self::Unix(stream) => stream.try_write(response.as_bytes()),
        };
        if let Err(error) = sent {
            debug!(%error, "refusal was not sent");
        }
    }
}
