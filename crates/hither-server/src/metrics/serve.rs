//! The listeners of the page: `GET /metrics` and nothing else.
//!
//! They are apart from those of the API, so that the page is never on the public port. It says
//! nothing about users, titles or commands, so no credential is asked for.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, TryAcquireError};
use tokio::time::{sleep, timeout};

use super::page::Sources;
use super::process::Process;
use crate::directory::Directory;
use crate::http::App;

/// Media type of the text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Most connections at a time; more are closed at once.
const CONNECTIONS_MAX: usize = 16;
/// Time for a whole connection: scrapers come, ask once or twice, and go.
const CONNECTION_TIME: Duration = Duration::from_secs(120);
/// Time for the head of a request.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Most bytes of the head of a request.
const HEADER_BYTES_MAX: usize = 8 * 1024;
/// Pause after an error of `accept`.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Makes pages for those who ask.
#[derive(Debug)]
pub(crate) struct MetricsServer {
    app: Arc<App>,
    directory: Arc<Directory>,
    scrapes: AtomicU64,
    slots: Semaphore,
}

impl MetricsServer {
    pub(crate) fn new(app: Arc<App>, directory: Arc<Directory>) -> Arc<Self> {
        let slots = Semaphore::new(CONNECTIONS_MAX);
        Arc::new(Self { app, directory, scrapes: AtomicU64::new(0), slots })
    }

    /// Serves a TCP listener for as long as it is polled.
    pub(crate) async fn serve_tcp(self: &Arc<Self>, listener: TcpListener) {
        loop {
            let accepted = listener.accept().await;
            self.take_in(accepted.map(|(stream, _)| stream)).await;
        }
    }

    /// Serves a Unix socket for as long as it is polled.
    pub(crate) async fn serve_unix(self: &Arc<Self>, listener: UnixListener) {
        loop {
            let accepted = listener.accept().await;
            self.take_in(accepted.map(|(stream, _)| stream)).await;
        }
    }

    async fn take_in<S>(self: &Arc<Self>, accepted: io::Result<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match accepted {
            Ok(stream) => {
                let server = Arc::clone(self);
                tokio::spawn(async move { server.connection(stream).await });
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a connection for metrics");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    async fn connection<S>(self: Arc<Self>, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Ok(_slot) = self.slots.try_acquire().map_err(|_: TryAcquireError| ()) else {
            return self.app.metrics.limits.increment("metrics_connections");
        };
        let service = service_fn(|request| self.respond(request));
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_buf_size(HEADER_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        if let Ok(Err(error)) = timeout(CONNECTION_TIME, serving).await {
            tracing::debug!(%error, "connection for metrics ended");
        }
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        if request.uri().path() != "/metrics" {
            return Ok(refusal(StatusCode::NOT_FOUND, "the metrics are at /metrics\n"));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED, "ask with GET\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return Ok(response);
        }
        let mut response = Response::new(Full::from(self.page().await));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
        Ok(response)
    }

    async fn page(&self) -> String {
        let scrapes = self.scrapes.fetch_add(1, Relaxed) + 1;
        let workers = self.directory.worker_metrics().await;
        let sources = Sources {
            http: &self.app.metrics,
            http_connections: self.app.connections(),
            generation: self.app.generation(),
            life: &self.directory.metrics,
            status: self.directory.status_counts(),
            workers,
            process: Process::read(),
            scrapes,
        };
        sources.page()
    }
}

fn refusal(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
