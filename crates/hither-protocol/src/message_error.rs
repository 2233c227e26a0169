//! What can be wrong with a message of somebody else's protocol.

/// A message that another protocol does not have. Messages of an unknown type are not errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// A message without a type.
    #[error("message must start with a type")]
    Empty,
    /// A body that is not the JSON that it has to be.
    #[error("body must be JSON: {expected}")]
    Json {
        /// What was expected.
        expected: &'static str,
    },
    /// A body that is not base64.
    #[error("body must be base64")]
    Base64,
    /// A body that is not text.
    #[error("body must be UTF-8")]
    Utf8,
}
