//! The two header values of the opening handshake that have to be computed (RFC 6455 section 4).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest as _, Sha1};

/// A `Sec-WebSocket-Key` that is not the base64 form of 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("websocket key must be 16 bytes in base64")]
pub struct InvalidKey;

/// Checks a client's `Sec-WebSocket-Key` (RFC 6455 section 4.2.1, item 5).
///
/// # Errors
/// When it is not the padded base64 form of exactly 16 bytes.
pub fn check_key(key: &str) -> Result<(), InvalidKey> {
    let mut nonce = [0; 18];
    match BASE64_STANDARD.decode_slice(key, &mut nonce) {
        Ok(16) => Ok(()),
        Ok(_) | Err(_) => Err(InvalidKey),
    }
}

/// The `Sec-WebSocket-Accept` that answers a key (RFC 6455 section 4.2.2, item 5.4).
#[must_use]
pub fn accept_key(key: &str) -> String {
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let digest = Sha1::new().chain_update(key.as_bytes()).chain_update(GUID).finalize();
    BASE64_STANDARD.encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_the_key_of_the_rfc() {
        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        assert_eq!(check_key(key), Ok(()));
        assert_eq!(accept_key(key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn refuses_keys_that_are_not_16_bytes() {
        for key in [
            "",
            "AA==",
            "AAAAAAAAAAAAAAAAAAAA",     // 15 bytes
            "AAAAAAAAAAAAAAAAAAAAAAA=", // 17 bytes
            "AAAAAAAAAAAAAAAAAAAAAA",   // no padding
            "AAAAAAAAAAAAAAAAAAAA!A==",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(check_key(key), Err(InvalidKey), "{key}");
        }
    }
}
