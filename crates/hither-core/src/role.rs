//! What a viewer may do.

/// What a viewer may do with the session it is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads output, nothing else.
    Observer,
    /// Reads output, types and resizes.
    Operator,
}

impl Role {
    /// Whether input and resizes from this role are accepted.
    #[must_use]
    pub const fn may_type(self) -> bool {
        matches!(self, Self::Operator)
    }

    /// The word used on the wire and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observer => "observer",
            Self::Operator => "operator",
        }
    }
}
