//! One connection of a viewer, over TCP, with the WebSocket of an independent library.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tungstenite::client::IntoClientRequest as _;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Bytes, Error, Message, WebSocket};

use crate::frame::{self, Hello, Malformed, ServerFrame};

/// Output after which an ack is due (docs/protocol.md, section 4).
const ACK_BYTES: u64 = 8 << 10;

/// A viewer's connection; it acknowledges what it is shown unless told otherwise.
#[derive(Debug)]
pub struct Connection {
    socket: WebSocket<TcpStream>,
    patience: Duration,
    acks: Acks,
    /// Highest offset acknowledged, and shown.
    acked: u64,
    shown: u64,
}

/// Whether a connection acknowledges what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// As docs/protocol.md asks for.
    Sent,
    /// Never: a viewer that does not keep up.
    Withheld,
}

/// How a connection ended, or went on saying nothing.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The server closed it with this code.
    #[error("closed with {0}")]
    Closed(u16),
    /// The connection broke.
    #[error("broken: {0}")]
    Broken(io::Error),
    /// Nothing came for as long as one was willing to wait.
    #[error("silent")]
    Silent,
    /// The request for the WebSocket was answered with this HTTP status.
    #[error("refused with HTTP status {0}")]
    Refused(u16),
    /// What came is not WebSocket, or not `hither.v1`.
    #[error("not the protocol: {0}")]
    Nonsense(String),
}

impl Lost {
    /// Whether this is what a killed gateway or a cut link looks like, or one that has no room at
    /// the moment: a viewer comes back.
    #[must_use]
    pub const fn is_transport(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Closed(1012) | Self::Refused(503))
    }
}

impl From<Malformed> for Lost {
    fn from(malformed: Malformed) -> Self {
        Self::Nonsense(malformed.to_string())
    }
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock => Self::Silent,
            Error::Io(error) => Self::Broken(error),
            Error::ConnectionClosed | Error::AlreadyClosed => {
                Self::Broken(io::Error::from(io::ErrorKind::UnexpectedEof))
            }
            Error::Protocol(
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake
                | tungstenite::error::ProtocolError::HandshakeIncomplete,
            ) => Self::Broken(io::Error::from(io::ErrorKind::ConnectionReset)),
            Error::Http(response) => Self::Refused(response.status().as_u16()),
            other => Self::Nonsense(other.to_string()),
        }
    }
}

impl Connection {
    /// Connects, asks for `session` and says hello. Waits for at most `patience`, here and later.
    ///
    /// # Errors
    /// When there is no WebSocket to be had.
    pub fn open(
        address: SocketAddr,
        session: &str,
        hello: &Hello,
        patience: Duration,
    ) -> Result<Self, Lost> {
        Self::through(address, address, session, hello, patience)
    }

    /// The same through a proxy, for the gateway at `address`.
    ///
    /// # Errors
    /// When there is no WebSocket to be had.
    pub fn through(
        proxy: SocketAddr,
        address: SocketAddr,
        session: &str,
        hello: &Hello,
        patience: Duration,
    ) -> Result<Self, Lost> {
        let stream = TcpStream::connect_timeout(&proxy, patience).map_err(Lost::Broken)?;
        stream.set_nodelay(true).map_err(Lost::Broken)?;
        stream.set_read_timeout(Some(patience)).map_err(Lost::Broken)?;
        let url = format!("ws://{address}/ws?session={session}");
        let mut request = url.into_client_request()?;
        let name = tungstenite::http::HeaderValue::from_static("hither.v1");
        request.headers_mut().insert("sec-websocket-protocol", name);
        let config = WebSocketConfig::default().max_message_size(Some(2 << 20));
        let (socket, _) = tungstenite::client::client_with_config(request, stream, Some(config))
            .map_err(|error| match error {
                tungstenite::HandshakeError::Failure(error) => Lost::from(error),
                tungstenite::HandshakeError::Interrupted(_) => Lost::Silent,
            })?;
        let mut connection = Self { socket, patience, acks: Acks::Sent, acked: 0, shown: 0 };
        connection.send(hello.encode())?;
        Ok(connection)
    }

    /// Whether output is acknowledged from now on.
    pub const fn set_acks(&mut self, acks: Acks) {
        self.acks = acks;
    }

    /// How long to wait from now on.
    ///
    /// # Errors
    /// What the socket says.
    pub fn set_patience(&mut self, patience: Duration) -> io::Result<()> {
        self.patience = patience;
        self.socket.get_ref().set_read_timeout(Some(patience))
    }

    /// The socket.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        self.socket.get_ref()
    }

    /// The next frame.
    ///
    /// # Errors
    /// When the connection is over, or says nothing.
    pub fn next_frame(&mut self) -> Result<ServerFrame, Lost> {
        let since = Instant::now();
        loop {
            match self.socket.read()? {
                Message::Binary(bytes) => {
                    let frame = ServerFrame::decode(&bytes)?;
                    self.acknowledge(&frame)?;
                    return Ok(frame);
                }
                Message::Close(close) => {
                    // The answer to the close is on its way when the next read says so.
                    let code = close.map_or(1005, |close| close.code.into());
                    return Err(Lost::Closed(code));
                }
                Message::Text(_) => return Err(Lost::Nonsense("a text message".to_owned())),
                // A peer that only pings says nothing.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                    if since.elapsed() > self.patience {
                        return Err(Lost::Silent);
                    }
                }
            }
        }
    }

    /// Reads until a frame is what is wanted, for at most `limit`.
    ///
    /// # Errors
    /// When the connection is over before, or the time is.
    pub fn wait_for<T>(
        &mut self,
        limit: Duration,
        mut wanted: impl FnMut(&ServerFrame) -> Option<T>,
    ) -> Result<T, Lost> {
        let until = Instant::now() + limit;
        loop {
            let frame = self.next_frame()?;
            if let Some(found) = wanted(&frame) {
                return Ok(found);
            }
            if Instant::now() > until {
                return Err(Lost::Silent);
            }
        }
    }

    /// Reads until the output holds `text`, for at most `limit`; gives all of it up to there.
    ///
    /// # Errors
    /// When the connection is over before, or the time is.
    pub fn read_until(&mut self, limit: Duration, text: &str) -> Result<Vec<u8>, Lost> {
        let mut output = Vec::new();
        self.wait_for(limit, |frame| {
            if let ServerFrame::Output { bytes, .. } = frame {
                output.extend_from_slice(bytes);
            }
            output.windows(text.len()).any(|window| window == text.as_bytes()).then_some(())
        })?;
        Ok(output)
    }

    /// Sends one frame.
    ///
    /// # Errors
    /// When the connection is over.
    pub fn send(&mut self, frame: Vec<u8>) -> Result<(), Lost> {
        Ok(self.socket.send(Message::Binary(Bytes::from(frame)))?)
    }

    fn acknowledge(&mut self, frame: &ServerFrame) -> Result<(), Lost> {
        let due = match frame {
            ServerFrame::Welcome(welcome) => {
                (self.acked, self.shown) = (welcome.offset, welcome.offset);
                false
            }
            ServerFrame::Output { offset, bytes } => {
                self.shown = offset + bytes.len() as u64;
                self.shown - self.acked >= ACK_BYTES
            }
            ServerFrame::Snapshot { offset, .. } => {
                (self.acked, self.shown) = (*offset, *offset);
                true
            }
            ServerFrame::Gap { to, .. } => {
                (self.acked, self.shown) = (*to, *to);
                false
            }
            _ => false,
        };
        if due && self.acks == Acks::Sent {
            self.acked = self.shown;
            return self.send(frame::ack(self.shown));
        }
        Ok(())
    }
}
