//! The opening handshake, as far as the floor needs it.

use hither_protocol::websocket::accept_key;

/// Longest request head.
const HEAD_MAX: usize = 8192;

/// What became of the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// The request is not whole yet.
    Unfinished,
    /// Send this and speak WebSocket; so many bytes of the input were the request.
    Accept(String, usize),
    /// Send this and close.
    Refuse(&'static str),
}

/// Answers a request to `/ws`.
pub(super) fn answer(input: &[u8]) -> Upgrade {
    const BAD: Upgrade = Upgrade::Refuse("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(input) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if input.len() < HEAD_MAX => return Upgrade::Unfinished,
        Ok(httparse::Status::Partial) | Err(_) => return BAD,
    };
    let key = request.headers.iter().find(|h| h.name.eq_ignore_ascii_case("sec-websocket-key"));
    let Some(key) = key.and_then(|header| std::str::from_utf8(header.value).ok()) else {
        return BAD;
    };
    let accept = accept_key(key.trim());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: tty\r\n\r\n"
    );
    Upgrade::Accept(head, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nrest";

    #[test]
    fn accepts_the_request_of_the_rfc() {
        let Upgrade::Accept(head, length) = answer(REQUEST) else { panic!("refused") };
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(&REQUEST[length..], b"rest");
    }

    #[test]
    fn waits_for_the_rest_but_not_for_ever() {
        assert_eq!(answer(&REQUEST[..40]), Upgrade::Unfinished);
        let endless = [&REQUEST[..40], &[b'x'; HEAD_MAX][..]].concat();
        assert!(matches!(answer(&endless), Upgrade::Refuse(_)));
        assert!(matches!(answer(b"GET / HTTP/1.1\r\n\r\n"), Upgrade::Refuse(_)));
    }
}
