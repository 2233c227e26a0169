//! HTTP/2 (RFC 9113): the same requests, several at a time, each within the limits of HTTP/1.1.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::rt::Executor;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::debug;

use super::connection::Connection;
use super::handover::Slot;
use super::serve::{HEADER_BYTES_MAX, HEADER_DEADLINE, stopped};
use super::wire::Wire;

/// Most requests of one connection at a time. A browser has rarely more than a dozen.
pub(super) const STREAMS_MAX: u32 = 64;
/// Requests that a client may take back before they were looked at; more end the connection
/// (CVE-2023-44487, “rapid reset”).
pub(super) const RESETS_MAX: usize = 32;
/// Bytes that a client may send ahead on one request, and on all of a connection.
const REQUEST_WINDOW_BYTES: u32 = 64 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 256 << 10;
/// Bytes of an answer that wait for the client.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// A silent client is asked whether it is still there, and has this long to answer.
const PING_TIME: Duration = Duration::from_secs(15);
/// A connection without a request for so long is closed, as with HTTP/1.1.
const IDLE_TIME: Duration = HEADER_DEADLINE;
/// Time for the goodbye of an idle connection.
const GOODBYE_TIME: Duration = Duration::from_secs(5);

/// The requests of one connection, each a task; they end with it.
#[derive(Clone, Default)]
struct Requests(Arc<Shared>);

#[derive(Default)]
struct Shared {
    tasks: Mutex<JoinSet<()>>,
    open: AtomicUsize,
    changed: Notify,
}

/// Serves requests until the client is done or has been idle for too long.
pub(super) async fn serve(connection: Arc<Connection>, wire: Wire) {
    let requests = Requests::default();
    let mut stop = connection.server.stop();
    let seat = connection.caller.seat.clone();
    let server = Arc::clone(&connection.server);
    let service = service_fn(move |request| {
        let connection = Arc::clone(&connection);
        // There is no upgrade in HTTP/2, so nothing is ever put into the slot.
        async move { connection.respond(&Slot::default(), request).await }
    });
    let io = TokioIo::new(wire);
    let mut serving = pin!(builder(requests.clone()).serve_connection(io, service));
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stopped(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            serving.as_mut().await
        }
        () = requests.idle() => {
            serving.as_mut().graceful_shutdown();
            // Whoever does not answer the goodbye is cut off.
            timeout(GOODBYE_TIME, serving.as_mut()).await.unwrap_or(Ok(()))
        }
        () = seat.overdue(server.app()) => {
            serving.as_mut().graceful_shutdown();
            timeout(GOODBYE_TIME, serving.as_mut()).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = served {
        debug!(%error, "connection ended");
    }
}

fn builder(requests: Requests) -> Builder<Requests> {
    let mut builder = Builder::new(requests);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_local_error_reset_streams(RESETS_MAX)
        .max_header_list_size(u32::try_from(HEADER_BYTES_MAX).expect("a few KiB"))
        .initial_stream_window_size(REQUEST_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(ANSWER_BYTES_MAX)
        .keep_alive_interval(PING_TIME)
        .keep_alive_timeout(PING_TIME);
    builder
}

impl Requests {
    /// Waits until there was no request for [`IDLE_TIME`].
    async fn idle(&self) {
        loop {
            let changed = timeout(IDLE_TIME, self.0.changed.notified()).await;
            if changed.is_err() && self.0.open.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }
}

impl<F> Executor<F> for Requests
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, request: F) {
        let shared = Arc::clone(&self.0);
        shared.open.fetch_add(1, Ordering::Relaxed);
        shared.changed.notify_one();
        let mut tasks = self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let shared = Leaving(shared);
            request.await;
            drop(shared);
        });
    }
}

/// Counts a request out, however it ends.
struct Leaving(Arc<Shared>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.notify_one();
    }
}
