//! A client's socket while HTTP is spoken on it.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tracing::debug;

use super::headers::lines;
use crate::sessions::Socket;

/// Time in which a client must take something of what is sent to it.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// A socket of either family that gives up on a client that does not read.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    /// Runs while a write waits.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// An accepted socket.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

impl Wire {
    pub(crate) const fn new(stream: Stream) -> Self {
        Self { stream, deadline: None }
    }

    /// The socket, non-blocking, and no longer known to the runtime.
    pub(crate) fn into_socket(self) -> io::Result<Socket> {
        Ok(match self.stream {
            Stream::Tcp(stream) => Socket::Tcp(stream.into_std()?),
            Stream::Tls(stream) => {
                let (stream, state) = stream.into_inner();
                Socket::Tls(stream.into_std()?, Box::new(state))
            }
            Stream::Unix(stream) => Socket::Unix(stream.into_std()?),
        })
    }

    fn bounded(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(WRITE_DEADLINE)));
        deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Stream {
    /// Address of the other end; none on a Unix socket.
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().ok().map(|peer| peer.ip().to_canonical()),
            Self::Tls(stream) => {
                stream.get_ref().0.peer_addr().ok().map(|peer| peer.ip().to_canonical())
            }
            Self::Unix(_) => None,
        }
    }

    /// The kind of listener that it came from.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Tcp(_) | Self::Tls(_) => "tcp",
            Self::Unix(_) => "unix",
        }
    }

    /// Address of this end, as the client has chosen it, while no TLS is on it.
    pub(crate) fn local(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(stream) => {
                let local = stream.local_addr().ok()?;
                Some(SocketAddr::new(local.ip().to_canonical(), local.port()))
            }
            Self::Tls(_) | Self::Unix(_) => None,
        }
    }

    /// Whether the client has chosen HTTP/2 in the handshake of TLS.
    pub(crate) fn speaks_http2(&self) -> bool {
        match self {
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
            Self::Tcp(_) | Self::Unix(_) => false,
        }
    }

    /// Says that there is no room, if the socket takes it at once, and closes. One that expects
    /// the handshake of TLS is told nothing.
    pub(crate) fn refuse(self) {
        let response = format!(
            "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n\
             cache-control: no-store\r\n{}content-length: 0\r\n\r\n",
            lines()
        );
        let sent = match self {
            Self::Tcp(stream) => stream.try_write(response.as_bytes()),
            Self::Unix(stream) => stream.try_write(response.as_bytes()),
            Self::Tls(_) => return,
        };
        if let Err(error) = sent {
            debug!(%error, "refusal was not sent");
        }
    }

    fn writer(&mut self) -> Pin<&mut (dyn AsyncWrite + Unpin)> {
        match self {
            Self::Tcp(stream) => Pin::new(stream),
            Self::Tls(stream) => Pin::new(&mut **stream),
            Self::Unix(stream) => Pin::new(stream),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(&mut **stream).poll_read(context, buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream.writer().poll_write(context, bytes);
        self.bounded(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream.writer().poll_write_vectored(context, slices);
        self.bounded(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.writer().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.writer().poll_shutdown(context)
    }
}
