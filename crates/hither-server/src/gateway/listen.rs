//! The sockets that a gateway listens on.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use hither_auth::{Origin, Scheme};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

use super::bequest::ListenerLeft;
use super::{GatewayError, Listen};
use crate::http::{Listener, Server};
use crate::tls::Acceptor;

/// Connections that may wait to be accepted: a storm of a thousand is served, not refused.
const BACKLOG: i32 = 4096;

/// Number of the first descriptor that a service manager passes (sd_listen_fds(3)).
const FIRST_PASSED: RawFd = 3;

/// All listening sockets of a gateway.
#[derive(Debug)]
pub(super) struct Listeners {
    tcp: Vec<TcpListener>,
    unix: Vec<UnixListener>,
    /// The same sockets once more, for a successor.
    kept: Vec<Kept>,
    inherited: Inherited,
    tls: Option<Arc<Acceptor>>,
}

/// A listening socket that stays open when nobody accepts from it: whoever connects then waits for
/// the successor.
#[derive(Debug)]
pub(super) struct Kept {
    name: String,
    pub(super) fd: OwnedFd,
}

/// Listening sockets of the program before this one, by their names.
#[derive(Debug, Default)]
pub(super) struct Inherited(Vec<(String, OwnedFd)>);

impl Kept {
    /// Its entry in what a successor is left.
    pub(super) fn left(&self, fd: RawFd) -> ListenerLeft {
        ListenerLeft { name: self.name.clone(), fd }
    }

    fn copy(name: String, socket: impl AsFd) -> io::Result<Self> {
        Ok(Self { name, fd: socket.as_fd().try_clone_to_owned()? })
    }
}

impl Inherited {
    /// Takes what was left. One that cannot be taken is bound anew, like one that is missing.
    pub(super) fn take(left: &[ListenerLeft]) -> Self {
        let taken = left.iter().filter_map(|listener| {
            let fd = hither_pty::take_inherited(listener.fd).ok()?;
            Some((listener.name.clone(), fd))
        });
        Self(taken.collect())
    }

    /// Takes the sockets that a service manager has passed, which are TCP listeners at addresses that
    /// the settings name: so the settings say what is safe, and a successor finds them by address.
    pub(super) fn take_passed(listen: &Listen) -> Result<Self, GatewayError> {
        let last = FIRST_PASSED + RawFd::from(listen.passed);
        let taken = (FIRST_PASSED..last).map(|number| {
            let problem = |problem| GatewayError::Passed { number, problem };
            let fd = hither_pty::take_inherited(number)
                .map_err(|_| problem("is not open; mend LISTEN_FDS".to_owned()))?;
            let listener = passed_listener(fd).ok_or_else(|| {
                problem("is no TCP socket that listens; mend ListenStream in its unit".to_owned())
            })?;
            let address = listener.local_addr().map_err(|error| problem(error.to_string()))?;
            if !listen.names(address) {
                let (ip, port) = (address.ip(), address.port());
                let text = format!(
                    "listens on {address}, which no setting names; give --bind {ip} --port {port}"
                );
                return Err(problem(text));
            }
            Ok((tcp_name(address), listener.into()))
        });
        taken.collect::<Result<_, _>>().map(Self)
    }

    fn remove(&mut self, is_it: impl Fn(&str) -> bool) -> Option<OwnedFd> {
        let at = self.0.iter().position(|(name, _)| is_it(name))?;
        Some(self.0.swap_remove(at).1)
    }
}

/// The socket as a listener that does not block; none if it is anything else.
fn passed_listener(fd: OwnedFd) -> Option<std::net::TcpListener> {
    use rustix::net::AddressFamily;
    use rustix::net::sockopt::{socket_acceptconn, socket_domain};
    let is_internet = matches!(socket_domain(&fd), Ok(AddressFamily::INET | AddressFamily::INET6));
    if !is_internet || socket_acceptconn(&fd) != Ok(true) {
        return None;
    }
    let listener = std::net::TcpListener::from(fd);
    listener.set_nonblocking(true).ok()?;
    Some(listener)
}

fn tcp_name(address: SocketAddr) -> String {
    format!("tcp {address}")
}

fn unix_name(path: &Path) -> String {
    format!("unix {}", path.display())
}

/// Whether a socket of this name serves `wanted`, whose port 0 is any.
fn serves(name: &str, wanted: SocketAddr) -> bool {
    let address = name.strip_prefix("tcp ").and_then(|text| text.parse::<SocketAddr>().ok());
    address.is_some_and(|address| {
        address.ip() == wanted.ip() && (wanted.port() == 0 || wanted.port() == address.port())
    })
}

impl Listeners {
    /// Listens on the TCP addresses, by inherited sockets where there are some. With port 0 all get
    /// the one that the first is given.
    pub(super) fn bind_tcp(listen: &Listen, inherited: Inherited) -> Result<Self, GatewayError> {
        let (tcp, unix, kept) = (Vec::new(), Vec::new(), Vec::new());
        let tls = listen.tls.clone();
        let mut listeners = Self { tcp, unix, kept, inherited, tls };
        let mut port = listen.port;
        for &address in &listen.addresses {
            let address = SocketAddr::new(address, port);
            let bound = listeners.add_tcp(address);
            let bound = bound.map_err(|cause| GatewayError::Bind { address, cause })?;
            port = bound.port();
        }
        Ok(listeners)
    }

    fn add_tcp(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = self.open_tcp(address)?;
        let bound = listener.local_addr()?;
        self.tcp.push(listener);
        Ok(bound)
    }

    /// A listening socket that its caller serves, by the inherited one if there is one.
    pub(super) fn open_tcp(&mut self, address: SocketAddr) -> io::Result<TcpListener> {
        let listener = match self.inherited.remove(|name| serves(name, address)) {
            Some(fd) => TcpListener::from_std(fd.into())?,
            None => bind(address)?,
        };
        self.kept.push(Kept::copy(tcp_name(listener.local_addr()?), &listener)?);
        Ok(listener)
    }

    /// Listens on a Unix socket that only this user may use, by the inherited one if there is one,
    /// else replacing one that is left over.
    pub(super) fn bind_unix(&mut self, path: &Path) -> Result<(), GatewayError> {
        let listener = self.open_unix(path)?;
        self.unix.push(listener);
        Ok(())
    }

    /// The same for a socket that its caller serves.
    pub(super) fn open_unix(&mut self, path: &Path) -> Result<UnixListener, GatewayError> {
        let name = unix_name(path);
        let listener = match self.inherited.remove(|inherited| inherited == name) {
            Some(fd) if is_socket(path) => UnixListener::from_std(fd.into()),
            _ => bind_unix(path),
        };
        let kept = listener.and_then(|listener| Ok((Kept::copy(name, &listener)?, listener)));
        let (kept, listener) =
            kept.map_err(|cause| GatewayError::BindUnix { path: path.into(), cause })?;
        self.kept.push(kept);
        Ok(listener)
    }

    /// All are bound: lets go of inherited sockets that are not wanted any more, and gives out what
    /// a successor is to inherit. The sockets close only when that is dropped too.
    pub(super) fn finish(&mut self) -> Vec<Kept> {
        self.inherited = Inherited::default();
        std::mem::take(&mut self.kept)
    }

    /// Finds out whether a successor could listen where it has to, on sockets of these names and on
    /// new ones, and leaves everything as it was.
    pub(super) fn try_out(listen: &Listen, left: &[ListenerLeft]) -> Result<(), GatewayError> {
        for &address in &listen.addresses {
            let address = SocketAddr::new(address, listen.port);
            if !left.iter().any(|listener| serves(&listener.name, address)) {
                bind(address).map_err(|cause| GatewayError::Bind { address, cause })?;
            }
        }
        Ok(())
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.tcp.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// The origins that are known, and where the listeners themselves answer under their names.
    pub(super) fn names(&self, public: &[Origin]) -> Vec<Origin> {
        let port = self.addresses().first().map_or(0, SocketAddr::port);
        let own = public.iter().map(|origin| origin.at(self.scheme(), port));
        let mut names: Vec<Origin> = public.to_vec();
        for origin in own {
            if !names.contains(&origin) {
                names.push(origin);
            }
        }
        names
    }

    /// Address of the start page: under the first of the names if there are any, which a proxy
    /// answers unless the gateway speaks TLS itself.
    pub(super) fn page_url(&self, listen: &Listen) -> String {
        let address = self.addresses().first().copied();
        let port = address.map_or(0, |address| address.port());
        let base = listen.base_path.as_str();
        let origin = match listen.public_origins.first() {
            Some(name) if self.tls.is_some() => name.at(Scheme::Https, port).to_string(),
            Some(name) if !listen.proxies.is_empty() => name.to_string(),
            _ => format!("{}://{}", self.scheme(), reachable(address)),
        };
        format!("{origin}{base}/")
    }

    const fn scheme(&self) -> Scheme {
        if self.tls.is_some() { Scheme::Https } else { Scheme::Http }
    }

    /// Serves all of them until the gateway stops.
    pub(super) async fn serve(self, server: &Arc<Server>) {
        let tls = self.tls;
        let tcp = self.tcp.into_iter().map(|listener| match &tls {
            Some(acceptor) => Listener::Tls(listener, Arc::clone(acceptor)),
            None => Listener::Tcp(listener),
        });
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

/// The address by which this machine reaches a listener; an unspecified one is all of them.
fn reachable(address: Option<SocketAddr>) -> String {
    let Some(address) = address else { return String::new() };
    let loopback = match address.ip() {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::from(Ipv6Addr::LOCALHOST),
    };
    let ip = if address.ip().is_unspecified() { loopback } else { address.ip() };
    SocketAddr::new(ip, address.port()).to_string()
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    // A port whose last connections still linger is free (socket(7)).
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Else `::` takes the port of `0.0.0.0` too, which nobody has named (ipv6(7)).
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket())
}

fn bind_unix(path: &Path) -> io::Result<UnixListener> {
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
