//! The protocol of `/ws?sessionId=ID`: JSON or raw text in, raw output in binary messages out.
//!
//! It has no types for the server's messages: every one is output.

use std::borrow::Cow;

use hither_core::WindowSize;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ttyd::clamped;
use crate::websocket::MessageKind;

/// A message from client to server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientFrame<'a> {
    /// Typed or pasted bytes, may be none.
    Input(Cow<'a, [u8]>),
    /// The client's window has this size now, clamped to the limits.
    Resize(WindowSize),
    /// The client wants the connection to stay; nothing is answered.
    Ping,
    /// A JSON message of a type that is not known, or whose `data` is not what its type wants: to
    /// be ignored and counted. It is not input, because a person does not type it.
    Ignored,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    data: &'a str,
}

#[derive(Deserialize, Serialize)]
struct Size {
    cols: u64,
    rows: u64,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> ClientFrame<'a> {
    /// Reads a message. A binary one is input, and so is text that is not a JSON object with a
    /// string `type`: numbers, quotes and braces are things that people type.
    #[must_use]
    pub fn decode(kind: MessageKind, message: &'a [u8]) -> Self {
        let may_be_json = message.trim_ascii_start().first() == Some(&b'{');
        if kind == MessageKind::Binary || !may_be_json {
            return Self::Input(message.into());
        }
        let Ok(envelope) = serde_json::from_slice::<Envelope<'a>>(message) else {
            return Self::Input(message.into());
        };
        let data = envelope.data.map_or("null", RawValue::get);
        match &*envelope.kind {
            "input" => decode_input(data),
            "resize" => decode_resize(data),
            "ping" => Self::Ping,
            _ => Self::Ignored,
        }
    }
}

fn decode_input(data: &str) -> ClientFrame<'_> {
    match serde_json::from_str(data) {
        Ok(Text(Cow::Borrowed(text))) => ClientFrame::Input(text.as_bytes().into()),
        Ok(Text(Cow::Owned(text))) => ClientFrame::Input(text.into_bytes().into()),
        Err(_) => ClientFrame::Ignored,
    }
}

/// The size comes as an object, or as one inside a string.
fn decode_resize(data: &str) -> ClientFrame<'_> {
    let size = match serde_json::from_str(data) {
        Ok(Text(inner)) => serde_json::from_str(&inner),
        Err(_) => serde_json::from_str(data),
    };
    match size {
        Ok(Size { cols, rows }) => ClientFrame::Resize(clamped(cols, rows)),
        Err(_) => ClientFrame::Ignored,
    }
}

/// The text message with which a client pings.
pub const PING_MESSAGE: &str = r#"{"type":"ping"}"#;

/// The text message with which a client sends input.
#[must_use]
pub fn input_message(data: &str) -> String {
    let kind = "input";
    to_json(&Message { kind, data })
}

/// The text message with which a client resizes.
#[must_use]
pub fn resize_message(size: WindowSize) -> String {
    let data = to_json(&Size { cols: size.cols().into(), rows: size.rows().into() });
    let kind = "resize";
    to_json(&Message { kind, data: &data })
}

fn to_json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("bodies are structs of strings and numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expect: &ClientFrame<'_>) {
        let frame = ClientFrame::decode(MessageKind::Text, message.as_bytes());
        assert_eq!(frame, *expect, "{message:?}");
    }

    fn input(text: &str) -> ClientFrame<'_> {
        ClientFrame::Input(text.as_bytes().into())
    }

    fn resize(cols: u32, rows: u32) -> ClientFrame<'static> {
        ClientFrame::Resize(WindowSize::new(cols, rows).unwrap())
    }

    #[test]
    fn reads_json_messages() {
        check(r#"{"type":"input","data":"ls\n"}"#, &input("ls\n"));
        check(r#" { "data":"plain", "type":"input" }"#, &input("plain"));
        check(r#"{"type":"input","data":"\u001b[A"}"#, &input("\x1b[A"));
        check(r#"{"type":"input","data":"","more":1}"#, &input(""));
        check(r#"{"type":"resize","data":"{\"cols\":80,\"rows\":24}"}"#, &resize(80, 24));
        check(r#"{"type":"resize","data":{"cols":0,"rows":9999999999}}"#, &resize(2, 500));
        check(PING_MESSAGE, &ClientFrame::Ping);
        check(r#"{"type":"ping","data":null}"#, &ClientFrame::Ping);
    }

    #[test]
    fn takes_everything_else_for_input() {
        for text in [
            "",
            "l",
            "5",
            "null",
            "\"quoted\"",
            "[1]",
            "{",
            "{}",
            "{ echo hi; }\n",
            r#"{"type":5}"#,
            r#"{"type":"input","data":"a""#,
            r#"{"key":"pasted JSON"}"#,
        ] {
            check(text, &input(text));
        }
    }

    #[test]
    fn ignores_unknown_types_and_unusable_data() {
        for text in [
            r#"{"type":"paste","data":"x"}"#,
            r#"{"type":""}"#,
            r#"{"type":"input"}"#,
            r#"{"type":"input","data":5}"#,
            r#"{"type":"resize"}"#,
            r#"{"type":"resize","data":"80x24"}"#,
            r#"{"type":"resize","data":{"cols":-1,"rows":24}}"#,
        ] {
            check(text, &ClientFrame::Ignored);
        }
    }

    #[test]
    fn takes_binary_messages_for_input() {
        let message = PING_MESSAGE.as_bytes();
        let frame = ClientFrame::decode(MessageKind::Binary, message);
        assert_eq!(frame, ClientFrame::Input(message.into()));
    }

    #[test]
    fn reads_what_a_client_writes() {
        let text = "\"\\\r\n\0ä";
        check(&input_message(text), &input(text));
        let size = WindowSize::new(132, 43).unwrap();
        check(&resize_message(size), &ClientFrame::Resize(size));
    }
}
