//! Listeners and connections: accepted, bounded, served, and ended when the gateway stops.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hither_auth::Scheme;
use http::header::{CONNECTION, STRICT_TRANSPORT_SECURITY, UPGRADE};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::Service;
use tracing::field::Empty;
use tracing::{Instrument as _, debug, debug_span, info, warn};

use super::app::App;
use super::base_path::Below;
use super::connection::Connection;
use super::door::{Arrival, Caller, Door};
use super::handover::Slot;
use super::headers::{HSTS, harden};
use super::lobby::Seat;
use super::problem::{Problem, ProblemCode};
use super::routes::{MatchedRoute, router};
use super::wire::Stream;
use crate::metrics::{ACCEPT, HTTP_CONNECTIONS};
use crate::spare::{Spare, is_exhausted};
use crate::tls::Acceptor;

/// Turns true once, when the gateway stops.
pub type Stop = watch::Receiver<bool>;

/// Waits until the gateway stops, or whoever could stop it is gone.
pub(crate) async fn stopped(stop: &mut Stop) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Most connections that speak HTTP at a time, over all listeners. Those at a worker do not count.
pub const CONNECTIONS_MAX: usize = 1024;
/// Time for the head of a request to arrive, counted from the end of the one before.
pub const HEADER_DEADLINE: Duration = Duration::from_secs(5);
/// Most bytes of the head of a request.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Most header lines of a request.
pub const HEADERS_MAX: usize = 64;
/// Time that connections get to finish after the gateway was told to stop.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(5);
/// Time for the first request of a connection to arrive when the gateway is told to stop: whoever
/// has just connected would take the end of the connection for a failure.
pub(super) const FIRST_REQUEST_TIME: Duration = Duration::from_millis(500);
/// Pause after an error of `accept`, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections that are refused before such a pause; the others wait for a descriptor.
const REFUSED_AT_ONCE: u32 = 16;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A listening socket of either family.
#[derive(Debug)]
pub enum Listener {
    /// Whoever comes has to show a credential. See [`super::check_bind`].
    Tcp(TcpListener),
    /// The same behind the handshake of TLS.
    Tls(TcpListener, Arc<Acceptor>),
    /// Processes of the same user, and nobody else, are let in; the kernel says who they are.
    Unix(UnixListener),
}

/// The control plane.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    router: Router,
    /// For saying no when there is no descriptor left.
    spare: Spare,
    requests: AtomicU64,
}

impl Server {
    /// A server of this application, to be shared by its listeners.
    #[must_use]
    pub fn new(app: Arc<App>) -> Arc<Self> {
        Arc::new(Self {
            router: router(Arc::clone(&app)),
            spare: Spare::new(1),
            requests: AtomicU64::new(0),
            app,
        })
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
                    if let Some((stream, slot)) = self.admit(&listener, accepted).await {
                        let connection = Connection {
                            server: Arc::clone(self),
                            door: listener.door_for(&stream, &door, &self.app),
                            caller: Caller {
                                address: stream.peer(),
                                certified: None,
                                seat: Seat::take(&self.app, &stream),
                            },
                            acceptor: listener.acceptor(),
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
    async fn admit(
        &self,
        listener: &Listener,
        accepted: io::Result<Stream>,
    ) -> Option<(Stream, OwnedSemaphorePermit)> {
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                warn!(%error, "refused a process of another user");
                return None;
            }
            Err(error) => {
                warn!(%error, "accepting failed");
                if is_exhausted(&error) {
                    self.app.metrics.limits.increment(ACCEPT);
                    self.spare.lend(|| (0..REFUSED_AT_ONCE).all(|_| listener.refuse_one()));
                }
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

    /// What its handlers share.
    pub(super) fn app(&self) -> &App {
        &self.app
    }

    /// Turns true when the gateway stops.
    pub(super) fn stop(&self) -> Stop {
        self.app.stop.clone()
    }

    fn count(&self, method: &'static str, response: &Response, time: Duration) {
        let extensions = response.extensions();
        let route = extensions.get().map_or("none", |MatchedRoute(path)| path);
        let metrics = &self.app.metrics;
        metrics.requests.increment((method, route, response.status().as_u16()));
        metrics.times.observe(route, time);
        if let Some(ProblemCode(code)) = extensions.get() {
            metrics.count_problem(code);
        }
    }

    /// Answers a request of `caller` that came through `door`, in a span of its own.
    pub(super) async fn respond(
        &self,
        door: &Door,
        caller: &Caller,
        slot: &Slot,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let (start, method) = (Instant::now(), method_name(request.method()));
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let span = debug_span!("request", number, method, route = Empty, status = Empty);
        let answer = self.answer(number, door, caller, slot, request);
        let response = answer.instrument(span.clone()).await?;
        let route = response.extensions().get().map_or("none", |MatchedRoute(path)| path);
        span.record("route", route).record("status", response.status().as_u16());
        self.count(method, &response, start.elapsed());
        Ok(response)
    }

    async fn answer(
        &self,
        number: u64,
        door: &Door,
        caller: &Caller,
        slot: &Slot,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let wants_upgrade = request.headers().contains_key(UPGRADE);
        let admitted = door.admit(&request, caller);
        let hsts = admitted.as_ref().is_ok_and(|arrival| arrival.hsts);
        let mut response = match admitted {
            Ok(arrival) => self.route(door, arrival, slot, request).await?,
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
        let id = HeaderValue::from(number);
        response.headers_mut().insert(REQUEST_ID, id);
        harden(response.headers_mut());
        if hsts {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HSTS);
        }
        Ok(response)
    }

    /// Finds the handler of a request that was admitted.
    async fn route(
        &self,
        door: &Door,
        arrival: Arrival,
        slot: &Slot,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let uri = match door.locate(request.uri()) {
            Below::Path(uri) => uri,
            Below::Itself => return Ok(door.to_start_page().into_response()),
            Below::Elsewhere => return Ok(Problem::not_found().into_response()),
        };
        let mut request = request.map(Body::new);
        *request.uri_mut() = uri;
        request.extensions_mut().insert(arrival);
        request.extensions_mut().insert(slot.clone());
        self.router.clone().call(request).await
    }
}

/// The method as a word of ours: a stranger may send any.
fn method_name(method: &http::Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
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
            Self::Tcp(listener) | Self::Tls(listener, _) => {
                Door::tcp(listener.local_addr()?, self.scheme(), &app.config)
            }
            Self::Unix(_) => Door::unix(),
        })
    }

    /// The door that a socket comes through. On a listener for all addresses of the machine, the
    /// one that the client chose is one of the server's names.
    fn door_for(&self, stream: &Stream, common: &Arc<Door>, app: &App) -> Arc<Door> {
        let Some(address) = stream.local().filter(|_| self.is_everywhere()) else {
            return Arc::clone(common);
        };
        Arc::new(Door::tcp(address, self.scheme(), &app.config))
    }

    fn is_everywhere(&self) -> bool {
        let (Self::Tcp(listener) | Self::Tls(listener, _)) = self else { return false };
        listener.local_addr().is_ok_and(|address| address.ip().is_unspecified())
    }

    const fn scheme(&self) -> Scheme {
        match self {
            Self::Tls(..) => Scheme::Https,
            Self::Tcp(_) | Self::Unix(_) => Scheme::Http,
        }
    }

    fn acceptor(&self) -> Option<Arc<Acceptor>> {
        match self {
            Self::Tls(_, acceptor) => Some(Arc::clone(acceptor)),
            Self::Tcp(_) | Self::Unix(_) => None,
        }
    }

    /// The next socket; from the Unix listener only one of the same user.
    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) | Self::Tls(listener, _) => {
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

impl Listener {
    /// Takes one connection that waits, says that there is no room for it, and closes it. False:
    /// nobody waits.
    fn refuse_one(&self) -> bool {
        let mut waiting = pin!(self.accept());
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(stream)) = waiting.as_mut().poll(&mut context) else { return false };
        // A TLS client would not understand it.
        if self.acceptor().is_none() {
            stream.refuse();
        }
        true
    }
}
