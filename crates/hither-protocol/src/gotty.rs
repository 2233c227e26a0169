//! The client's side of gotty 1.x: WebSocket subprotocol `webtty`, text messages only.
//!
//! A type digit, then the body; output is always base64.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hither_core::WindowSize;
use serde::Serialize;

use crate::MessageError;

/// Name of the WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "webtty";
/// Wants a pong.
pub const PING_MESSAGE: &str = "2";
/// From now on input is base64, so that it may be any bytes.
pub const BASE64_MESSAGE: &str = "4base64";
/// The longest message that the server takes, unless it announces another limit.
pub const MESSAGE_BYTES_MAX: usize = 1024;

/// A message from server to client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerFrame<'a> {
    /// Bytes that the program wrote.
    Output(Vec<u8>),
    /// Answers a ping.
    Pong,
    /// Title of the window.
    Title(&'a str),
    /// Settings of the page, a JSON object.
    Preferences(&'a str),
    /// After how many seconds to reconnect.
    Reconnect(u32),
    /// The longest message that the server takes.
    BufferSize(u32),
    /// A type that gotty does not have.
    Unknown(u8),
}

#[derive(Serialize)]
struct Init<'a> {
    #[serde(rename = "Arguments")]
    arguments: &'a str,
    #[serde(rename = "AuthToken")]
    token: &'a str,
}

#[derive(Serialize)]
struct Size {
    columns: u16,
    rows: u16,
}

impl<'a> ServerFrame<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// When it is empty, not text, or its body not what the type wants.
    pub fn decode(message: &'a [u8]) -> Result<Self, MessageError> {
        let (&first, body) = message.split_first().ok_or(MessageError::Empty)?;
        let text = || std::str::from_utf8(body).map_err(|_| MessageError::Utf8);
        match first {
            b'1' => decode_output(body),
            b'2' => Ok(Self::Pong),
            b'3' => text().map(Self::Title),
            b'4' => text().map(Self::Preferences),
            b'5' => decode_number(body).map(Self::Reconnect),
            b'6' => decode_number(body).map(Self::BufferSize),
            _ => Ok(Self::Unknown(first)),
        }
    }
}

fn decode_output(body: &[u8]) -> Result<ServerFrame<'static>, MessageError> {
    BASE64_STANDARD.decode(body).map(ServerFrame::Output).map_err(|_| MessageError::Base64)
}

fn decode_number(body: &[u8]) -> Result<u32, MessageError> {
    serde_json::from_slice(body).map_err(|_| MessageError::Json { expected: "a number" })
}

/// The first message; `arguments` is a query string such as `?arg=a&arg=b`.
#[must_use]
pub fn init_message(arguments: &str, token: &str) -> String {
    to_json(&Init { arguments, token })
}

/// Input as plain text, for as long as [`BASE64_MESSAGE`] was not sent.
#[must_use]
pub fn input_message(text: &str) -> String {
    format!("1{text}")
}

/// Input as base64, after [`BASE64_MESSAGE`].
#[must_use]
pub fn base64_input_message(bytes: &[u8]) -> String {
    let mut message = "1".to_owned();
    BASE64_STANDARD.encode_string(bytes, &mut message);
    message
}

/// The client's window has this size now.
#[must_use]
pub fn resize_message(size: WindowSize) -> String {
    let (columns, rows) = (size.cols(), size.rows());
    format!("3{}", to_json(&Size { columns, rows }))
}

fn to_json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("bodies are structs of strings and numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expect: Result<ServerFrame<'_>, MessageError>) {
        assert_eq!(ServerFrame::decode(message.as_bytes()), expect, "{message:?}");
    }

    #[test]
    fn reads_what_the_server_sends() {
        check("1aGkA", Ok(ServerFrame::Output(b"hi\0".to_vec())));
        check("2", Ok(ServerFrame::Pong));
        check("3bash@host", Ok(ServerFrame::Title("bash@host")));
        check("4{}", Ok(ServerFrame::Preferences("{}")));
        check("510", Ok(ServerFrame::Reconnect(10)));
        check("61024", Ok(ServerFrame::BufferSize(1024)));
        check("7", Ok(ServerFrame::Unknown(b'7')));
    }

    #[test]
    fn refuses_bodies_that_are_not_what_the_type_wants() {
        let expected = "a number";
        check("", Err(MessageError::Empty));
        check("1%", Err(MessageError::Base64));
        check("5", Err(MessageError::Json { expected }));
        check("6-1", Err(MessageError::Json { expected }));
        assert_eq!(ServerFrame::decode(b"3\xff"), Err(MessageError::Utf8));
    }

    #[test]
    fn writes_what_the_official_client_sends() {
        let size = WindowSize::new(80, 24).unwrap();
        assert_eq!(
            init_message("?arg=a", "u:\"p\""),
            r#"{"Arguments":"?arg=a","AuthToken":"u:\"p\""}"#,
        );
        assert_eq!(input_message("ls\r"), "1ls\r");
        assert_eq!(base64_input_message(b"hi\0"), "1aGkA");
        assert_eq!(resize_message(size), r#"3{"columns":80,"rows":24}"#);
    }
}
