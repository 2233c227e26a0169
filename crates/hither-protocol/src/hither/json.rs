//! JSON bodies. The types with serde's derives stay private to the module that converts them.

use serde::{Deserialize, Serialize};

use super::FrameError;

/// Reads the one JSON object that a body is.
pub(super) fn decode<'a, T: Deserialize<'a>>(
    frame: &'static str,
    body: &'a [u8],
) -> Result<T, FrameError> {
    // serde_json does not look into strings that it skips, so the whole body is checked first.
    let text = std::str::from_utf8(body).map_err(|_| invalid(frame, "expected UTF-8"))?;
    // It also reads a struct from an array, which other languages do not.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(invalid(frame, "expected an object"));
    }
    serde_json::from_str(text).map_err(|error| invalid(frame, &error.to_string()))
}

/// Appends a JSON body.
pub(super) fn encode(body: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, body).expect("bodies are structs of strings and numbers");
}

/// A body that is JSON, but not the object that it has to be.
pub(super) fn invalid(frame: &'static str, detail: &str) -> FrameError {
    FrameError::Json { frame, detail: detail.to_owned() }
}
