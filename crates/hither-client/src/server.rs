//! Where a server is.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use hither_core::{ClientId, SessionId};

use crate::handshake::{HandshakeError, Request, upgrade};
use crate::stream::Stream;
use crate::{Attachment, Connection};

/// How long a server may take to accept a connection.
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
    /// Where it listens.
    pub address: Address,
    /// Value of the header `Authorization`, such as `Bearer …`.
    pub authorization: Option<String>,
}

impl Server {
    /// Connects, asks for `session` and says hello for `attachment`. Blocks until the server has
    /// answered the request; the welcome comes as the connection's first event.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or does not speak `hither.v1`.
    pub fn connect(
        &self,
        session: SessionId,
        client: ClientId,
        attachment: &mut Attachment,
    ) -> Result<Connection, HandshakeError> {
        let stream = self.open()?;
        let host = match &self.address {
            Address::Tcp(host, port) if host.contains(':') => format!("[{host}]:{port}"),
            Address::Tcp(host, port) => format!("{host}:{port}"),
            Address::Unix(_) => "localhost".to_owned(),
        };
        let authorization = self.authorization.as_deref();
        let request = Request { host: &host, authorization, session, client };
        let behind = upgrade(&stream, &request)?;
        let mut connection = Connection::new(stream, behind);
        connection.say_hello(attachment)?;
        Ok(connection)
    }

    fn open(&self) -> io::Result<Stream> {
        match &self.address {
            Address::Unix(path) => std::os::unix::net::UnixStream::connect(path).map(Stream::Unix),
            Address::Tcp(host, port) => {
                let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
                for address in (host.as_str(), *port).to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, CONNECT_MAX) {
                        Ok(socket) => {
                            socket.set_nodelay(true)?;
                            return Ok(Stream::Tcp(socket));
                        }
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secret = self.authorization.as_ref().map(|_| "***");
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("authorization", &secret)
            .finish()
    }
}
