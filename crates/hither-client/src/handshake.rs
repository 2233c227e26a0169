//! The opening handshake, as a client makes it (RFC 6455 section 4.1).

use std::io::{self, Read, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hither_core::{ClientId, SessionId};
use hither_protocol::hither::SUBPROTOCOL;
use hither_protocol::websocket::accept_key;
use thiserror::Error;

use crate::stream::Stream;
use crate::trust::TlsError;

/// Longest head of an answer.
const HEAD_MAX: usize = 16 * 1024;

/// Why a server did not become a WebSocket.
#[derive(Debug, Error)]
pub enum HandshakeError {
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The answer is not HTTP, or too long.
    #[error("the server's answer is not HTTP: {0}")]
    NotHttp(#[from] httparse::Error),
    /// The server is not believed, or speaks no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server refuses. 401 wants credentials, 403 others, 404 knows no such page.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The answer is not that of a server that speaks `hither.v1`.
    #[error("the server does not speak {SUBPROTOCOL}")]
    OtherProtocol,
}

/// What a request for a session says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) host: &'a str,
    pub(crate) base_path: &'a str,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) session: SessionId,
    pub(crate) client: ClientId,
}

/// Asks for the session; gives what was read behind the answer.
pub(crate) fn upgrade(
    stream: &mut Stream,
    request: &Request<'_>,
) -> Result<Vec<u8>, HandshakeError> {
    let nonce = u128::from(request.client.0) << 64 | u128::from(!request.client.0);
    let key = BASE64_STANDARD.encode(nonce.to_be_bytes());
    let Request { host, base_path, session, .. } = request;
    let authorization = request.authorization.map(|value| format!("Authorization: {value}\r\n"));
    let head = format!(
        "GET {base_path}/ws?session={session} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n{}\r\n",
        authorization.unwrap_or_default()
    );
    stream.write_all(head.as_bytes())?;
    stream.flush()?;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk)? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            len => answer.extend_from_slice(&chunk[..len]),
        }
        if let Some(length) = check(&answer, &accept_key(&key))? {
            return Ok(answer.split_off(length));
        }
    }
}

/// The length of the answer's head when it is whole and right.
fn check(answer: &[u8], accept: &str) -> Result<Option<usize>, HandshakeError> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(answer)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial if answer.len() < HEAD_MAX => return Ok(None),
        httparse::Status::Partial => return Err(httparse::Error::TooManyHeaders.into()),
    };
    let status = response.code.unwrap_or(0);
    if status != 101 {
        return Err(HandshakeError::Status(status));
    }
    let has = |name: &str, value: &str| {
        let mut found = response.headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name));
        found.any(|header| header.value.trim_ascii() == value.as_bytes())
    };
    let right = has("sec-websocket-accept", accept) && has("sec-websocket-protocol", SUBPROTOCOL);
    if right { Ok(Some(length)) } else { Err(HandshakeError::OtherProtocol) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: abc\r\n\
                        Sec-WebSocket-Protocol: hither.v1\r\n\r\n";

    #[test]
    fn takes_the_right_answer_only() {
        assert_eq!(check(GOOD.as_bytes(), "abc").unwrap(), Some(GOOD.len()));
        assert_eq!(check(&GOOD.as_bytes()[..50], "abc").unwrap(), None);
        let refused = |answer: &str| check(answer.as_bytes(), "abc").unwrap_err().to_string();
        assert!(refused(&GOOD.replace("abc", "abd")).contains("does not speak"));
        assert!(refused(&GOOD.replace("hither.v1", "tty")).contains("does not speak"));
        assert!(refused("HTTP/1.1 401 No\r\n\r\n").contains("401"));
        assert!(refused("SSH-2.0-OpenSSH\r\n").contains("not HTTP"));
        assert!(check(&[&b"HTTP/1.1 101 x\r\nA: "[..], &[b'x'; HEAD_MAX]].concat(), "").is_err());
    }
}
