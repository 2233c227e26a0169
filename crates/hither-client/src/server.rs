//! Where a server is.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use hither_core::{ClientId, SessionId};

use crate::handshake::{HandshakeError, Request, upgrade};
use crate::stream::Stream;
use crate::trust::Trust;
use crate::{Attachment, Connection};

/// How long a server may take to accept a connection, and for each answer of a TLS handshake.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Host name or address, and port.
    Tcp(String, u16),
    /// A Unix socket.
    Unix(PathBuf),
}

/// A server, and how to get in.
#[derive(Clone)]
pub struct Server {
    address: Address,
    trust: Option<Trust>,
    base_path: String,
    authorization: Option<String>,
}

impl Server {
    /// A server without TLS that asks for nothing.
    #[must_use]
    pub const fn new(address: Address) -> Self {
        Self { address, trust: None, base_path: String::new(), authorization: None }
    }

    /// The same over TLS, which is for TCP only.
    #[must_use]
    pub fn over_tls(self, trust: Trust) -> Self {
        Self { trust: Some(trust), ..self }
    }

    /// The same below a path without a slash at its end, as in `/term`.
    #[must_use]
    pub fn below(self, base_path: impl Into<String>) -> Self {
        Self { base_path: base_path.into(), ..self }
    }

    /// The same with a value of the header `Authorization`, such as `Bearer …`.
    #[must_use]
    pub fn authorized(self, authorization: impl Into<String>) -> Self {
        Self { authorization: Some(authorization.into()), ..self }
    }

    /// The value of the header `Authorization`.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// Connects, asks for `session` and says hello for `attachment`. Blocks until the server has
    /// answered the request; the welcome comes as the connection's first event.
    ///
    /// # Errors
    /// When the server cannot be reached, is not believed, refuses, or does not speak `hither.v1`.
    pub fn connect(
        &self,
        session: SessionId,
        client: ClientId,
        attachment: &mut Attachment,
    ) -> Result<Connection, HandshakeError> {
        let mut stream = self.open()?;
        let request = Request {
            host: &self.host(),
            base_path: &self.base_path,
            authorization: self.authorization.as_deref(),
            session,
            client,
        };
        let behind = upgrade(&mut stream, &request)?;
        let mut connection = Connection::new(stream, behind);
        connection.say_hello(attachment)?;
        Ok(connection)
    }

    /// The header `Host`, without the port that goes without saying (RFC 9110 section 4.2).
    fn host(&self) -> String {
        let Address::Tcp(host, port) = &self.address else { return "localhost".to_owned() };
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        match (&self.trust, port) {
            (None, 80) | (Some(_), 443) => host,
            _ => format!("{host}:{port}"),
        }
    }

    fn open(&self) -> Result<Stream, HandshakeError> {
        match &self.address {
            Address::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path)?)),
            Address::Tcp(host, port) => {
                let socket = dial(host, *port)?;
                match &self.trust {
                    None => Ok(Stream::Tcp(socket)),
                    Some(trust) => Stream::secure(socket, host, trust, CONNECT_MAX),
                }
            }
        }
    }
}

/// Connects to the first address of a host that answers.
fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_MAX) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secret = self.authorization.as_ref().map(|_| "***");
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("trust", &self.trust)
            .field("base_path", &self.base_path)
            .field("authorization", &secret)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_what_the_address_says() {
        for (host, port, tls, expect) in [
            ("box", 80, false, "box"),
            ("box", 443, false, "box:443"),
            ("box", 80, true, "box:80"),
            ("box", 443, true, "box"),
            ("::1", 7681, false, "[::1]:7681"),
        ] {
            let server = Server::new(Address::Tcp(host.to_owned(), port));
            let server = if tls {
                server.over_tls(Trust::new(rustls::RootCertStore::empty()))
            } else {
                server
            };
            assert_eq!(server.host(), expect);
        }
        assert_eq!(Server::new(Address::Unix("/x".into())).host(), "localhost");
    }
}
