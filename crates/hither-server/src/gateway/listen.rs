//! The sockets that a gateway listens on.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

use super::{GatewayError, Listen};
use crate::http::{Listener, Server};

/// Connections that may wait to be accepted: a storm of a thousand is served, not refused.
const BACKLOG: i32 = 4096;

/// All listening sockets of a gateway.
#[derive(Debug)]
pub(super) struct Listeners {
    tcp: Vec<TcpListener>,
    unix: Vec<UnixListener>,
}

impl Listeners {
    /// Listens on the TCP addresses. With port 0 all get the one that the first is given.
    pub(super) fn bind_tcp(listen: &Listen) -> Result<Self, GatewayError> {
        let mut listeners = Self { tcp: Vec::new(), unix: Vec::new() };
        let mut port = listen.port;
        for &address in &listen.addresses {
            let address = SocketAddr::new(address, port);
            let listener = bind(address).map_err(|cause| GatewayError::Bind { address, cause })?;
            port = listener.local_addr().map_or(port, |bound| bound.port());
            listeners.tcp.push(listener);
        }
        Ok(listeners)
    }

    /// Listens on a Unix socket that only this user may use, replacing one that is left over.
    pub(super) fn bind_unix(&mut self, path: &Path) -> Result<(), GatewayError> {
        let listener =
            bind_unix(path).map_err(|cause| GatewayError::BindUnix { path: path.into(), cause })?;
        self.unix.push(listener);
        Ok(())
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.tcp.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Address of the start page.
    pub(super) fn page_url(&self) -> String {
        let address = self.addresses().first().map_or_else(String::new, ToString::to_string);
        format!("http://{address}/")
    }

    /// Serves all of them until the gateway stops.
    pub(super) async fn serve(self, server: &Arc<Server>) {
        let tcp = self.tcp.into_iter().map(Listener::Tcp);
        let unix = self.unix.into_iter().map(Listener::Unix);
        let mut serving = JoinSet::new();
        for listener in tcp.chain(unix) {
            let server = Arc::clone(server);
            serving.spawn(async move { server.serve(listener).await });
        }
        while let Some(ended) = serving.join_next().await {
            if let Ok(Err(error)) = ended {
                tracing::error!(%error, "serving a listener");
            }
        }
    }
}

pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    // A port whose last connections still linger is free (socket(7)).
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

pub(super) fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => fs::remove_file(path)?,
        Ok(_) => return Err(io::Error::other("expected nothing or a socket there")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}
