//! The sockets on which the metrics are served.

use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener};

use super::listen::Listeners;
use super::{GatewayError, Listen};
use crate::metrics::MetricsServer;

/// Name of the socket in the runtime directory.
pub(super) const SOCKET: &str = "metrics.sock";

/// A socket of the same user, and a TCP one if it was asked for.
#[derive(Debug)]
pub(super) struct MetricsListeners {
    unix: UnixListener,
    tcp: Option<TcpListener>,
}

impl MetricsListeners {
    /// Listens. The claim on the directory must be held.
    pub(super) fn bind(
        listen: &Listen,
        dir: &Path,
        listeners: &mut Listeners,
    ) -> Result<Self, GatewayError> {
        let unix = listeners.open_unix(&dir.join(SOCKET))?;
        let tcp = listen.metrics.map(|address| {
            let opened = listeners.open_tcp(address);
            opened.map_err(|cause| GatewayError::BindMetrics { address, cause })
        });
        Ok(Self { unix, tcp: tcp.transpose()? })
    }

    /// Serves both for as long as it is polled.
    pub(super) async fn serve(self, server: Arc<MetricsServer>) {
        let unix = server.serve_unix(self.unix);
        match self.tcp {
            None => unix.await,
            Some(tcp) => {
                if let Ok(address) = tcp.local_addr() {
                    tracing::info!(%address, "metrics at /metrics");
                }
                tokio::join!(unix, server.serve_tcp(tcp));
            }
        }
    }
}
