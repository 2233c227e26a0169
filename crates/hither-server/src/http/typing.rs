//! `POST /api/sessions/{id}/input`: text, pasted text and keys.

use hither_screen::{Key, Modes, encode_paste};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::handle::SessionHandle;
use super::handle::level::Write;
use super::problem::Problem;

/// Most keys in one request.
const KEYS_MAX: usize = 1024;

/// What to type: any of these, in this order. Members that are not listed are ignored, as clients
/// of other servers send them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "Input", extend("minProperties" = 1))]
pub(crate) struct InputJson {
    /// Text, typed as it is.
    data: Option<String>,
    /// Text, pasted: between the marks that tell it from typed text, if the program asked for them.
    paste: Option<String>,
    /// Keys by name, such as `Enter`, `Ctrl-C`, `Alt-x`, `Shift-Tab`, `Up`, `PageDown` or `F5`.
    #[schemars(length(max = 1024))]
    keys: Option<Vec<String>>,
}

/// What was typed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Typed")]
pub(crate) struct TypedJson {
    /// Always true.
    success: bool,
    /// Bytes that the program was given.
    bytes: usize,
    /// Where the output ended just before: what the input causes comes behind it.
    offset: u64,
}

/// Something to type whose bytes may depend on the program's modes.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Paste(String),
    Key(Key),
}

impl InputJson {
    fn parse(self) -> Result<Vec<Part>, Problem> {
        if self.data.is_none() && self.paste.is_none() && self.keys.is_none() {
            let detail = "data must be there, a text; or paste, or keys";
            return Err(Problem::bad_request("invalid_input", detail));
        }
        let keys = self.keys.unwrap_or_default();
        if keys.len() > KEYS_MAX {
            let detail = format!("keys exceed limit of {KEYS_MAX}");
            return Err(Problem::bad_request("invalid_input", detail));
        }
        let mut parts: Vec<Part> = self.data.into_iter().map(Part::Text).collect();
        parts.extend(self.paste.map(Part::Paste));
        for name in keys {
            let key = name.parse().map_err(|error: hither_screen::InvalidKey| {
                Problem::bad_request("invalid_key_name", error.to_string())
            })?;
            parts.push(Part::Key(key));
        }
        Ok(parts)
    }

    /// Types it into a session, all of it or, with an error, nothing.
    pub(crate) async fn send(
        self,
        session: &SessionHandle<'_, Write>,
    ) -> Result<TypedJson, Problem> {
        let parts = self.parse()?;
        let offset = session.head().await?;
        let modes = if parts.iter().any(Part::depends_on_modes) {
            *session.look(0).await?.screen.modes()
        } else {
            Modes::default()
        };
        let mut bytes = Vec::new();
        for part in &parts {
            part.encode(&modes, &mut bytes);
        }
        let sent = bytes.len();
        session.input(bytes).await?;
        Ok(TypedJson { success: true, bytes: sent, offset: offset.0 })
    }
}

impl Part {
    const fn depends_on_modes(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Paste(_) => true,
            Self::Key(key) => key.depends_on_modes(),
        }
    }

    fn encode(&self, modes: &Modes, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend(text.bytes()),
            Self::Paste(text) => encode_paste(text, modes, out),
            Self::Key(key) => key.encode(modes, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_then_paste_then_keys() {
        let body = r#"{"keys":["Enter","Up"],"data":"a","paste":"b","type":"input"}"#;
        let parts = serde_json::from_str::<InputJson>(body).unwrap().parse().unwrap();
        let mut out = Vec::new();
        let modes = Modes { application_cursor: true, bracketed_paste: true, ..Modes::default() };
        for part in &parts {
            part.encode(&modes, &mut out);
        }
        assert_eq!(out, b"a\x1b[200~b\x1b[201~\r\x1bOA");
        assert!(parts.iter().any(Part::depends_on_modes));
        assert!(!parts[0].depends_on_modes());
    }

    #[test]
    fn refuses_what_cannot_be() {
        let many = vec!["a"; KEYS_MAX + 1];
        for body in [
            "{}".to_owned(),
            r#"{"keys":["Hyper-x"]}"#.to_owned(),
            serde_json::json!({ "keys": many }).to_string(),
        ] {
            assert!(
                serde_json::from_str::<InputJson>(&body).unwrap().parse().is_err(),
                "{body:.40}"
            );
        }
    }
}
