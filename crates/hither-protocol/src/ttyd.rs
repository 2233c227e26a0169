//! The protocol of ttyd 1.7: WebSocket subprotocol `tty`, one type byte, then the body.
//!
//! Except for a client's first message, which is a JSON object as a whole: its type byte is its `{`.

use std::borrow::Cow;

use hither_core::WindowSize;
use serde::{Deserialize, Serialize};

use crate::websocket::{Opcode, append_frame, push_header};
use crate::{InlineBytes, MessageError};

/// Name of the WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "tty";

/// WebSocket header and type byte in one.
pub type Prefix = InlineBytes<11>;

/// A message from client to server, text or binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientFrame<'a> {
    /// The first message: starts the program.
    Init {
        /// What `GET /token` answered; empty without one.
        token: Cow<'a, str>,
        /// The client's window, clamped to the limits; `None` when it did not say.
        size: Option<WindowSize>,
    },
    /// Typed or pasted bytes.
    Input(&'a [u8]),
    /// The client's window has this size now, clamped to the limits.
    Resize(WindowSize),
    /// The client cannot take more output.
    Pause,
    /// The client can take output again.
    Resume,
    /// A type that ttyd does not have: to be ignored.
    Unknown(u8),
}

/// A message from server to client, always binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerFrame<'a> {
    /// Bytes that the program wrote.
    Output(&'a [u8]),
    /// Title of the window. Bytes that are not UTF-8 are replaced.
    Title(Cow<'a, str>),
    /// Settings of the page, a JSON object.
    Preferences(Cow<'a, str>),
    /// A type that ttyd does not have: to be ignored.
    Unknown(u8),
}

mod client_kind {
    pub(super) const INPUT: u8 = b'0';
    pub(super) const RESIZE: u8 = b'1';
    pub(super) const PAUSE: u8 = b'2';
    pub(super) const RESUME: u8 = b'3';
    pub(super) const INIT: u8 = b'{';
}

mod server_kind {
    pub(super) const OUTPUT: u8 = b'0';
    pub(super) const TITLE: u8 = b'1';
    pub(super) const PREFERENCES: u8 = b'2';
}

#[derive(Deserialize, Serialize)]
struct Init<'a> {
    #[serde(borrow, default, rename = "AuthToken")]
    token: Cow<'a, str>,
    #[serde(default)]
    columns: u64,
    #[serde(default)]
    rows: u64,
}

#[derive(Deserialize, Serialize)]
struct Resize {
    columns: u64,
    rows: u64,
}

impl<'a> ClientFrame<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// When it is empty, or its JSON is not what the type wants.
    #[inline]
    pub fn decode(message: &'a [u8]) -> Result<Self, MessageError> {
        let (&first, body) = message.split_first().ok_or(MessageError::Empty)?;
        match first {
            client_kind::INPUT => Ok(Self::Input(body)),
            client_kind::RESIZE => decode_resize(body),
            client_kind::PAUSE => Ok(Self::Pause),
            client_kind::RESUME => Ok(Self::Resume),
            client_kind::INIT => decode_init(message),
            _ => Ok(Self::Unknown(first)),
        }
    }

    /// Appends the message, which is to be sent as a binary one.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Init { token, size } => {
                let token = Cow::Borrowed(&**token);
                let columns = size.map_or(0, |size| u64::from(size.cols()));
                let rows = size.map_or(0, |size| u64::from(size.rows()));
                push_json(out, &Init { token, columns, rows });
            }
            Self::Input(bytes) => {
                out.push(client_kind::INPUT);
                out.extend_from_slice(bytes);
            }
            Self::Resize(size) => {
                let (columns, rows) = (u64::from(size.cols()), u64::from(size.rows()));
                out.push(client_kind::RESIZE);
                push_json(out, &Resize { columns, rows });
            }
            Self::Pause => out.push(client_kind::PAUSE),
            Self::Resume => out.push(client_kind::RESUME),
            Self::Unknown(kind) => out.push(*kind),
        }
    }
}

impl<'a> ServerFrame<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// When it is empty.
    #[inline]
    pub fn decode(message: &'a [u8]) -> Result<Self, MessageError> {
        let (&first, body) = message.split_first().ok_or(MessageError::Empty)?;
        Ok(match first {
            server_kind::OUTPUT => Self::Output(body),
            server_kind::TITLE => Self::Title(String::from_utf8_lossy(body)),
            server_kind::PREFERENCES => Self::Preferences(String::from_utf8_lossy(body)),
            _ => Self::Unknown(first),
        })
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (kind, body) = match self {
            Self::Output(bytes) => (server_kind::OUTPUT, *bytes),
            Self::Title(title) => (server_kind::TITLE, title.as_bytes()),
            Self::Preferences(json) => (server_kind::PREFERENCES, json.as_bytes()),
            Self::Unknown(kind) => (*kind, &[][..]),
        };
        out.push(kind);
        out.extend_from_slice(body);
    }
}

/// WebSocket header (a server's, unmasked) and type byte for `len` bytes of output.
#[must_use]
#[inline]
pub fn output_prefix(len: usize) -> Prefix {
    let mut prefix = Prefix::new();
    push_header(&mut prefix, Opcode::Binary, 1 + len, None);
    prefix.push(&[server_kind::OUTPUT]);
    prefix
}

/// Appends a whole masked WebSocket message with input, as a client sends it.
pub fn append_input_message(out: &mut Vec<u8>, bytes: &[u8], mask: [u8; 4]) {
    append_frame(out, Opcode::Binary, &[&[client_kind::INPUT], bytes], Some(mask));
}

fn decode_init(message: &[u8]) -> Result<ClientFrame<'_>, MessageError> {
    let Init { token, columns, rows } = serde_json::from_slice(message)
        .map_err(|_| MessageError::Json { expected: "AuthToken, columns and rows" })?;
    let is_known = columns > 0 && rows > 0;
    Ok(ClientFrame::Init { token, size: is_known.then(|| clamped(columns, rows)) })
}

fn decode_resize(body: &[u8]) -> Result<ClientFrame<'_>, MessageError> {
    serde_json::from_slice(body)
        .map(|Resize { columns, rows }| ClientFrame::Resize(clamped(columns, rows)))
        .map_err(|_| MessageError::Json { expected: "columns and rows" })
}

/// The nearest window size within the limits.
pub(crate) fn clamped(cols: u64, rows: u64) -> WindowSize {
    let narrow = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
    WindowSize::clamped(narrow(cols), narrow(rows))
}

fn push_json(out: &mut Vec<u8>, body: &impl Serialize) {
    serde_json::to_writer(out, body).expect("bodies are structs of strings and numbers");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expect: Result<ClientFrame<'_>, MessageError>) {
        assert_eq!(ClientFrame::decode(message.as_bytes()), expect, "{message:?}");
    }

    fn size(cols: u32, rows: u32) -> WindowSize {
        WindowSize::new(cols, rows).unwrap()
    }

    fn init(token: &str, size: Option<WindowSize>) -> Result<ClientFrame<'_>, MessageError> {
        let token = token.into();
        Ok(ClientFrame::Init { token, size })
    }

    #[test]
    fn reads_what_the_official_client_sends() {
        check(r#"{"AuthToken":"dTpw","columns":120,"rows":40}"#, init("dTpw", Some(size(120, 40))));
        check("0ls\r", Ok(ClientFrame::Input(b"ls\r")));
        check("0", Ok(ClientFrame::Input(b"")));
        check(r#"1{"columns":80,"rows":24}"#, Ok(ClientFrame::Resize(size(80, 24))));
        check("2", Ok(ClientFrame::Pause));
        check("3", Ok(ClientFrame::Resume));
    }

    #[test]
    fn reads_a_first_message_with_members_missing() {
        check("{}", init("", None));
        check(r#"{"AuthToken":"a\n"}"#, init("a\n", None));
        check(r#"{"columns":80}"#, init("", None));
        check(r#"{"columns":0,"rows":0}"#, init("", None));
        check(
            r#"{"columns":1,"rows":18446744073709551615,"more":[1]}"#,
            init("", Some(size(2, 500))),
        );
    }

    #[test]
    fn refuses_or_ignores_the_rest() {
        let json = |expected| Err(MessageError::Json { expected });
        check("", Err(MessageError::Empty));
        check("{", json("AuthToken, columns and rows"));
        check(r#"{"columns":-1}"#, json("AuthToken, columns and rows"));
        check("1", json("columns and rows"));
        check(r#"1{"columns":80}"#, json("columns and rows"));
        check("4", Ok(ClientFrame::Unknown(b'4')));
    }

    #[test]
    fn a_client_reads_what_a_server_writes() {
        for frame in [
            ServerFrame::Output(b"\xff\x00"),
            ServerFrame::Title("bash (host)".into()),
            ServerFrame::Preferences("{}".into()),
            ServerFrame::Unknown(b'9'),
        ] {
            let mut message = Vec::new();
            frame.encode(&mut message);
            assert_eq!(ServerFrame::decode(&message), Ok(frame));
        }
        assert_eq!(ServerFrame::decode(b""), Err(MessageError::Empty));
    }

    #[test]
    fn a_server_reads_what_a_client_writes() {
        for frame in [
            ClientFrame::Init { token: "\"".into(), size: Some(size(80, 24)) },
            ClientFrame::Init { token: "".into(), size: None },
            ClientFrame::Input(b"\xff\x00"),
            ClientFrame::Resize(size(1000, 500)),
            ClientFrame::Pause,
            ClientFrame::Resume,
        ] {
            let mut message = Vec::new();
            frame.encode(&mut message);
            assert_eq!(ClientFrame::decode(&message), Ok(frame));
        }
    }

    #[test]
    fn prefixes_carry_the_type() {
        assert_eq!(output_prefix(5).as_bytes(), b"\x82\x060");
        assert_eq!(output_prefix(65_535).as_bytes(), b"\x82\x7f\0\0\0\0\0\x01\0\x000");
    }
}
