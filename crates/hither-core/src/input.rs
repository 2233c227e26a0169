//! Numbered input: each number reaches the program exactly once.

/// Number of an input frame of one client in one session: 1, 2, 3, …
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InputNumber(pub u64);

/// What to do with an input frame, given the highest number accepted from its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The next one: write it.
    Next,
    /// Already accepted, sent again after a reconnect: drop it silently.
    Duplicate,
    /// A number was left out, so something is lost: refuse it.
    SkipsAhead,
}

impl InputNumber {
    /// Decides about a frame with this number when `accepted` is the highest accepted one.
    #[must_use]
    pub const fn admit(self, accepted: Self) -> Admission {
        if self.0 <= accepted.0 {
            Admission::Duplicate
        } else if self.0 == accepted.0 + 1 {
            Admission::Next
        } else {
            Admission::SkipsAhead
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_next_number_is_written() {
        let accepted = InputNumber(4);
        assert_eq!(InputNumber(0).admit(accepted), Admission::Duplicate);
        assert_eq!(InputNumber(4).admit(accepted), Admission::Duplicate);
        assert_eq!(InputNumber(5).admit(accepted), Admission::Next);
        assert_eq!(InputNumber(6).admit(accepted), Admission::SkipsAhead);
    }
}
