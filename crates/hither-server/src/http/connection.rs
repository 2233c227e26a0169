//! One connection: the handshake of TLS, then HTTP, then perhaps a WebSocket.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::timeout;
use tracing::debug;

use super::door::{Caller, Door};
use super::handover::Slot;
use super::http2;
use super::serve::{
    FIRST_REQUEST_TIME, HEADER_BYTES_MAX, HEADER_DEADLINE, HEADERS_MAX, Server, stopped,
};
use super::wire::{Stream, Wire};
use crate::tls::Acceptor;

/// A connection that is being served.
pub(super) struct Connection {
    pub(super) server: Arc<Server>,
    pub(super) door: Arc<Door>,
    /// The other end.
    pub(super) caller: Caller,
    /// Makes a TLS connection of it first.
    pub(super) acceptor: Option<Arc<Acceptor>>,
    pub(super) _slot: OwnedSemaphorePermit,
}

impl Connection {
    /// Serves the connection until one of its ends is done, or it has to go for another one.
    pub(super) async fn run(self, stream: Stream) {
        let seat = self.caller.seat.clone();
        tokio::select! {
            () = self.begin(stream) => {}
            () = seat.cut() => {}
        }
    }

    async fn begin(mut self, stream: Stream) {
        let stream = match (self.acceptor.take(), stream) {
            (Some(acceptor), Stream::Tcp(tcp)) => match acceptor.accept(tcp).await {
                Ok(stream) => {
                    self.caller.certified = acceptor.user(stream.get_ref().1);
                    Stream::Tls(Box::new(stream))
                }
                Err(error) => {
                    debug!(%error, "handshake of TLS failed");
                    return;
                }
            },
            (_, stream) => stream,
        };
        if stream.speaks_http2() {
            http2::serve(Arc::new(self), Wire::new(stream)).await;
        } else {
            self.serve(Wire::new(stream)).await;
        }
    }

    /// Answers one request.
    pub(super) async fn respond(
        &self,
        slot: &Slot,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        self.server.respond(&self.door, &self.caller, slot, request).await
    }

    /// Serves requests until the client is done, or one of them turns the connection into a
    /// WebSocket, which is then handed over.
    async fn serve(self, wire: Wire) {
        let slot = Slot::default();
        let taken = &slot;
        let asked = Notify::new();
        let service = service_fn(|request| {
            asked.notify_one();
            self.respond(taken, request)
        });
        let mut serving =
            pin!(builder().serve_connection(TokioIo::new(wire), service).with_upgrades());
        let mut stop = self.server.stop();
        let served = tokio::select! {
            served = serving.as_mut() => served,
            () = stopped(&mut stop) => tokio::select! {
                served = serving.as_mut() => served,
                _ = timeout(FIRST_REQUEST_TIME, asked.notified()) => {
                    serving.as_mut().graceful_shutdown();
                    serving.as_mut().await
                }
            },
            () = self.caller.seat.overdue(self.server.app()) => {
                // What it is busy with has limits of its own.
                serving.as_mut().graceful_shutdown();
                serving.as_mut().await
            }
        };
        if let Err(error) = served {
            // Its upgrade, if it asked for one, will never come: nothing is to be waited for.
            debug!(%error, "connection ended");
            return;
        }
        if let Some(handover) = slot.take() {
            handover.run().await;
        }
    }
}

/// The settings of connections that speak HTTP/1.1.
fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(HEADER_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    builder
}
