//! Bytes of the messages: fixed layouts, little-endian, one message per datagram of a SEQPACKET socket.
//!
//! A message is its kind (one byte) and its fields in the order in which [`crate::message`] names
//! them. Numbers have the width of their type; a session is its 16 characters; bytes and strings
//! have their length before them (`u32`), lists their number of entries (`u16`). Descriptors travel
//! beside the bytes: a message carries three or none. Everything here is pure.

mod field;
mod from_host;
#[cfg(test)]
mod tests;
mod to_host;

pub use from_host::{decode_from_host, encode_from_host};
pub use to_host::{decode_to_host, encode_to_host};

/// Why bytes are not a message, or a message does not fit into bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end within a field.
    #[error("message ends within its {0}")]
    Truncated(&'static str),
    /// The bytes go on after the last field.
    #[error("message has {0} bytes too many")]
    Trailing(usize),
    /// No message has this kind.
    #[error("message kind {0} is unknown")]
    UnknownKind(u8),
    /// A field has a value that it cannot have.
    #[error("message has an invalid {0}")]
    Invalid(&'static str),
    /// A field is longer than its limit.
    #[error("{field} of {len} exceeds limit of {max}")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Its length.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// The message came with another number of descriptors than its kind has.
    #[error("message carries {found} descriptors, expected {expected}")]
    Descriptors {
        /// How many came.
        found: usize,
        /// How many its kind has.
        expected: usize,
    },
}

/// The three descriptors of a message that has some.
fn three<F>(fds: Vec<F>) -> Result<[F; 3], WireError> {
    let found = fds.len();
    let expected = 3;
    fds.try_into().map_err(|_| WireError::Descriptors { found, expected })
}

fn none<F>(fds: &[F]) -> Result<(), WireError> {
    let (found, expected) = (fds.len(), 0);
    if found == expected { Ok(()) } else { Err(WireError::Descriptors { found, expected }) }
}
