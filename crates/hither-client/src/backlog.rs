//! Input that the server has not accepted yet.

use std::collections::VecDeque;

use hither_core::InputNumber;
use thiserror::Error;

/// Most bytes of input that are kept to be sent again.
pub const BACKLOG_MAX: usize = 1 << 20;

/// The server has not accepted so much input that no more can be kept.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the server has not accepted the last {BACKLOG_MAX} bytes of input")]
pub struct BacklogFull;

/// Numbered input, kept until it is accepted.
#[derive(Clone, Debug)]
pub(crate) struct Backlog {
    /// Highest number that was given.
    last: InputNumber,
    kept: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Backlog {
    /// Nothing was typed yet.
    pub(crate) const EMPTY: Self = Self { last: InputNumber(0), kept: VecDeque::new(), bytes: 0 };

    /// Whether `len` more bytes can be kept.
    pub(crate) const fn check_space(&self, len: usize) -> Result<(), BacklogFull> {
        if self.bytes + len > BACKLOG_MAX { Err(BacklogFull) } else { Ok(()) }
    }

    /// Gives `input` the next number and keeps it.
    pub(crate) fn add(&mut self, input: &[u8]) -> Result<InputNumber, BacklogFull> {
        self.check_space(input.len())?;
        self.last = InputNumber(self.last.0 + 1);
        self.bytes += input.len();
        self.kept.push_back(input.to_vec());
        Ok(self.last)
    }

    /// Forgets everything up to `accepted`.
    pub(crate) fn accept(&mut self, accepted: InputNumber) {
        while !self.kept.is_empty() && self.first().0 <= accepted.0 {
            let input = self.kept.pop_front().unwrap_or_default();
            self.bytes -= input.len();
        }
        // Input of this client id from before this process was started.
        self.last = InputNumber(self.last.0.max(accepted.0));
    }

    /// What has not been accepted, with its numbers.
    pub(crate) fn rest(&self) -> impl Iterator<Item = (InputNumber, &[u8])> {
        let numbers = (self.first().0..).map(InputNumber);
        numbers.zip(self.kept.iter().map(Vec::as_slice))
    }

    /// Whether everything has been accepted.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Number of the oldest kept input.
    fn first(&self) -> InputNumber {
        InputNumber(self.last.0 + 1 - self.kept.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(backlog: &Backlog) -> Vec<(u64, &[u8])> {
        backlog.rest().map(|(number, input)| (number.0, input)).collect()
    }

    #[test]
    fn keeps_what_is_not_accepted_under_its_number() {
        let mut backlog = Backlog::EMPTY;
        for input in [b"a".as_slice(), b"bc", b"d"] {
            backlog.add(input).unwrap();
        }
        backlog.accept(InputNumber(1));
        assert_eq!(rest(&backlog), [(2, b"bc".as_slice()), (3, b"d")]);
        backlog.accept(InputNumber(1));
        assert_eq!(rest(&backlog).len(), 2, "an old acknowledgement changes nothing");
        backlog.accept(InputNumber(3));
        assert!(backlog.is_empty() && backlog.bytes == 0);
        assert_eq!(backlog.add(b"e"), Ok(InputNumber(4)));
    }

    #[test]
    fn goes_on_behind_numbers_of_an_earlier_life() {
        let mut backlog = Backlog::EMPTY;
        backlog.accept(InputNumber(9));
        assert_eq!(backlog.add(b"x"), Ok(InputNumber(10)));
    }

    #[test]
    fn is_bounded() {
        let mut backlog = Backlog::EMPTY;
        backlog.add(&vec![0; BACKLOG_MAX]).unwrap();
        assert_eq!(backlog.add(b"x"), Err(BacklogFull));
        backlog.accept(InputNumber(1));
        assert!(backlog.add(b"x").is_ok());
    }
}
