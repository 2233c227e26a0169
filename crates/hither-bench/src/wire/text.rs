//! The payload forms of the text protocols: base64 and JSON strings.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Decodes base64 into `scratch`; nothing when it is none.
pub(super) fn from_base64<'a>(text: &[u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    scratch.clear();
    if BASE64_STANDARD.decode_vec(text, scratch).is_err() {
        scratch.clear();
    }
    scratch
}

/// The text of terminado's `["stdout", "…"]`; `None` for every other message.
pub(super) fn from_terminado<'a>(message: &[u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let (kind, text): (&str, String) = serde_json::from_slice(message).ok()?;
    if kind != "stdout" {
        return None;
    }
    *scratch = text.into_bytes();
    Some(scratch)
}

/// `["stdin","…"]`. Bytes that are not UTF-8 become replacement characters.
pub(super) fn to_terminado(input: &[u8]) -> String {
    serde_json::to_string(&("stdin", String::from_utf8_lossy(input)))
        .expect("a pair of strings is JSON")
}

/// The plan's `{"type":"input","data":"…"}`.
pub(super) fn to_plan(input: &[u8]) -> String {
    let data = serde_json::to_string(&String::from_utf8_lossy(input)).expect("a string is JSON");
    format!(r#"{{"type":"input","data":{data}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_the_text_forms() {
        let mut scratch = Vec::new();
        assert_eq!(from_base64(b"aGk=", &mut scratch), b"hi");
        assert_eq!(from_base64(b"?", &mut scratch), b"");
        assert_eq!(
            from_terminado(br#"["stdout","\u001b[1m"]"#, &mut scratch),
            Some(&b"\x1b[1m"[..])
        );
        assert_eq!(from_terminado(br#"["setup",{}]"#, &mut scratch), None);
        assert_eq!(to_terminado(b"\r"), r#"["stdin","\r"]"#);
        assert_eq!(to_plan(b"a\""), r#"{"type":"input","data":"a\""}"#);
    }
}
