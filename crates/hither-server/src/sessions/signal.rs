//! The signals that may be sent to a session.

/// A signal that may be sent to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "signal(7) says what they mean")]
pub enum Signal {
    Hup,
    Int,
    Quit,
    Kill,
    Usr1,
    Usr2,
    Term,
    Cont,
    Stop,
    Tstp,
}

impl Signal {
    /// All there are, with their names.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Hup, "HUP"),
        (Self::Int, "INT"),
        (Self::Quit, "QUIT"),
        (Self::Kill, "KILL"),
        (Self::Usr1, "USR1"),
        (Self::Usr2, "USR2"),
        (Self::Term, "TERM"),
        (Self::Cont, "CONT"),
        (Self::Stop, "STOP"),
        (Self::Tstp, "TSTP"),
    ];

    /// The signal of this name, with or without `SIG`, in letters of any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let name = name.strip_prefix("SIG").unwrap_or(&name);
        Self::ALL.iter().find(|(_, own)| *own == name).map(|&(signal, _)| signal)
    }
}
