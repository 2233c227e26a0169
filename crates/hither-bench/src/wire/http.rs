//! HTTP/1.1 as a client speaks it: requests as text, responses parsed by `httparse`.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::Protocol;

/// Longest response head and body that are read.
const RESPONSE_MAX: usize = 16 << 20;

/// Makes requests to one server.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Whether the server's pages are at https, for the header `Origin`.
    pub(crate) is_tls: bool,
    /// For the header `Host`.
    pub(crate) host: String,
    /// The value of the header `Authorization`, if the server wants one.
    pub(crate) authorization: Option<String>,
}

/// The start of a response that has arrived whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
    /// Bytes that the response took.
    pub(crate) consumed: usize,
}

impl Request {
    /// A request without a WebSocket. `body` is JSON.
    pub(crate) fn plain(&self, method: &str, path: &str, body: &str) -> String {
        let mut text = self.head(method, path);
        if method == "POST" || !body.is_empty() {
            let length = body.len();
            let _ = write!(text, "Content-Type: application/json\r\nContent-Length: {length}\r\n");
        }
        text + "\r\n" + body
    }

    /// A request to speak WebSocket. `nonce` makes the key; nobody needs it to be unguessable.
    pub(crate) fn upgrade(&self, path: &str, protocol: Protocol, nonce: u64) -> String {
        let mut text = self.head("GET", path);
        let key =
            BASE64_STANDARD.encode((u128::from(nonce) << 64 | u128::from(nonce)).to_be_bytes());
        let _ = write!(
            text,
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {key}\r\nOrigin: http{}://{}\r\n",
            if self.is_tls { "s" } else { "" },
            self.host
        );
        if let Some(name) = protocol.subprotocol() {
            let _ = write!(text, "Sec-WebSocket-Protocol: {name}\r\n");
        }
        text + "\r\n"
    }

    fn head(&self, method: &str, path: &str) -> String {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        if let Some(value) = &self.authorization {
            let _ = write!(text, "Authorization: {value}\r\n");
        }
        text
    }
}

/// Reads the response at the start of `input`: `None` while it is not whole, an error when it is
/// none. A response without a length is whole with its head (101, 204), as none else is kept alive.
pub(crate) fn parse_response(input: &[u8]) -> Result<Option<Response<'_>>, httparse::Error> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    if input.len() > RESPONSE_MAX {
        return Err(httparse::Error::TooManyHeaders);
    }
    let httparse::Status::Complete(head) = response.parse(input)? else { return Ok(None) };
    let status = response.code.unwrap_or(0);
    let find = |name: &str| {
        let header = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok().map(str::trim)
    };
    if find("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        let consumed = chunked_len(&input[head..])?.map(|len| head + len);
        return Ok(consumed.map(|end| Response { status, body: &input[head..end], consumed: end }));
    }
    let length = find("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    let end = head.saturating_add(length);
    Ok(input.get(head..end).map(|body| Response { status, body, consumed: end }))
}

/// How long a chunked body is, with its framing; `None` while it is not whole.
fn chunked_len(mut body: &[u8]) -> Result<Option<usize>, httparse::Error> {
    let whole = body.len();
    loop {
        let Ok(status) = httparse::parse_chunk_size(body) else {
            return Err(httparse::Error::NewLine);
        };
        let httparse::Status::Complete((start, size)) = status else { return Ok(None) };
        let size = usize::try_from(size).map_err(|_| httparse::Error::TooManyHeaders)?;
        let end = start.saturating_add(size).saturating_add(2);
        let Some(rest) = body.get(end..) else { return Ok(None) };
        body = rest;
        if size == 0 {
            return Ok(Some(whole - body.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            is_tls: false,
            host: "h:1".to_owned(),
            authorization: Some("Bearer x".to_owned()),
        }
    }

    #[test]
    fn writes_requests() {
        let post = request().plain("POST", "/api/sessions", "{}");
        assert!(post.starts_with("POST /api/sessions HTTP/1.1\r\nHost: h:1\r\n"));
        assert!(post.contains("Authorization: Bearer x\r\n"));
        assert!(post.ends_with("Content-Length: 2\r\n\r\n{}"));
        let upgrade = request().upgrade("/ws", Protocol::Ttyd, 7);
        assert!(upgrade.contains("Sec-WebSocket-Protocol: tty\r\n"));
        assert!(upgrade.contains("Sec-WebSocket-Key: AAAAAAAAAAcAAAAAAAAABw==\r\n"));
        assert!(!request().upgrade("/ws", Protocol::Plan, 7).contains("Sec-WebSocket-Protocol"));
    }

    #[test]
    fn reads_responses_however_they_are_cut() {
        let plain = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}HTTP".as_slice();
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHTTP"
                .as_slice();
        let upgraded = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\nHTTP".as_slice();
        for (input, status) in [(plain, 201), (chunked, 200), (upgraded, 101)] {
            let whole = input.len() - 4;
            for cut in 0..whole {
                assert_eq!(parse_response(&input[..cut]), Ok(None), "{status} {cut}");
            }
            let response = parse_response(input).unwrap().unwrap();
            assert_eq!((response.status, response.consumed), (status, whole));
        }
        assert!(parse_response(b"SSH-2.0-x\r\n").is_err());
    }
}
