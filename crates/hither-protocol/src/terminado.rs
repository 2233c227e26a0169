//! The client's side of terminado, the terminals of Jupyter: JSON arrays in text messages.

use hither_core::WindowSize;
use serde_json::{Value, json};

use crate::MessageError;

/// A message from server to client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerFrame {
    /// The connection is open.
    Setup,
    /// Text that the program wrote; the first one may be the history.
    Stdout(String),
    /// The program has exited.
    Disconnect,
    /// A type that terminado does not have.
    Unknown(String),
}

impl ServerFrame {
    /// Reads a message.
    ///
    /// # Errors
    /// When it is not a JSON array that starts with a string, or output without text.
    pub fn decode(message: &[u8]) -> Result<Self, MessageError> {
        let invalid = |expected| MessageError::Json { expected };
        let items: Vec<Value> = serde_json::from_slice(message)
            .map_err(|_| invalid("an array that starts with a type"))?;
        let mut items = items.into_iter();
        let Some(Value::String(kind)) = items.next() else {
            return Err(invalid("an array that starts with a type"));
        };
        match (kind.as_str(), items.next()) {
            ("setup", _) => Ok(Self::Setup),
            ("disconnect", _) => Ok(Self::Disconnect),
            ("stdout", Some(Value::String(text))) => Ok(Self::Stdout(text)),
            ("stdout", _) => Err(invalid("output as a string")),
            _ => Ok(Self::Unknown(kind)),
        }
    }
}

/// Input.
#[must_use]
pub fn stdin_message(text: &str) -> String {
    json!(["stdin", text]).to_string()
}

/// The client's window has this size now. Rows come first on this wire.
#[must_use]
pub fn set_size_message(size: WindowSize) -> String {
    json!(["set_size", size.rows(), size.cols()]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expect: Result<ServerFrame, MessageError>) {
        assert_eq!(ServerFrame::decode(message.as_bytes()), expect, "{message:?}");
    }

    #[test]
    fn reads_what_the_server_sends() {
        check(r#"["setup", {}]"#, Ok(ServerFrame::Setup));
        let text = "ä\r\n".to_owned();
        check(r#"["stdout", "ä\r\n"]"#, Ok(ServerFrame::Stdout(text)));
        check(r#"["disconnect", 1]"#, Ok(ServerFrame::Disconnect));
        check(r#"["new"]"#, Ok(ServerFrame::Unknown("new".to_owned())));
    }

    #[test]
    fn refuses_everything_else() {
        for message in ["", "{}", "[]", "[1]", r#"["stdout"]"#, r#"["stdout",1]"#] {
            let result = ServerFrame::decode(message.as_bytes());
            assert!(matches!(result, Err(MessageError::Json { .. })), "{message}");
        }
    }

    #[test]
    fn writes_what_the_official_client_sends() {
        assert_eq!(stdin_message("\"\r"), r#"["stdin","\"\r"]"#);
        let size = WindowSize::new(80, 24).unwrap();
        assert_eq!(set_size_message(size), r#"["set_size",24,80]"#);
    }
}
