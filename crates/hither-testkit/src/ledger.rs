//! The verifier: what a viewer has been shown across all its connections, and whether that can be
//! true.
//!
//! The statement that is checked (docs/reliability.md): the bytes shown are those of the stream, in
//! order, each once, apart from gaps that were announced; `exit` comes last.

use crate::frame::{Exit, ServerFrame, Welcome};
use crate::pattern::{Mismatch, Pattern};

/// The account of one viewer.
#[derive(Clone, Debug)]
pub struct Ledger {
    pattern: Option<Pattern>,
    /// Offset of the next byte that it has a right to expect; none before the first connection.
    next: Option<u64>,
    phase: Phase,
    /// Bytes of output that were checked.
    bytes: u64,
    gaps: Vec<(u64, u64)>,
    snapshots: u64,
    exit: Option<Exit>,
    acks: (u64, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not connected, or `welcome` has not come.
    Unwelcome,
    /// A snapshot at this offset, or a gap, must come before output.
    Skipped { raw: bool },
    /// A gap was announced; a snapshot at its end, or for a raw viewer output, must follow.
    Announced { raw: bool },
    /// Output is contiguous.
    Live { raw: bool },
    /// `exit` or `error` has come.
    Over,
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Output was left out without a word.
    #[error("bytes {from}..{to} are missing and no gap says so")]
    Missing {
        /// First missing offset.
        from: u64,
        /// Where output went on.
        to: u64,
    },
    /// Output came a second time.
    #[error("output at {found} comes again; {expected} was due")]
    Doubled {
        /// Offset that was due.
        expected: u64,
        /// Offset that came.
        found: u64,
    },
    /// The bytes are not those of the stream.
    #[error("byte {} is wrong; what is there belongs at {:?}", .0.at, .0.belongs_at)]
    Content(Mismatch),
    /// A frame that must not come here.
    #[error("{0} must not come now")]
    OutOfOrder(&'static str),
    /// A frame that contradicts what was said before.
    #[error("{0}")]
    Contradiction(String),
    /// The stream ended elsewhere than the writer's account says.
    #[error("output ends at {shown}, but the program wrote {written}")]
    End {
        /// Where the viewer's output ended.
        shown: u64,
        /// Where it should have.
        written: u64,
    },
}

impl Ledger {
    /// The ledger of a viewer of this stream; without a pattern only offsets are checked.
    #[must_use]
    pub const fn new(pattern: Option<Pattern>) -> Self {
        Self {
            pattern,
            next: None,
            phase: Phase::Unwelcome,
            bytes: 0,
            gaps: Vec::new(),
            snapshots: 0,
            exit: None,
            acks: (0, 0),
        }
    }

    /// A viewer that has already seen everything before `offset`.
    #[must_use]
    pub const fn starting_at(mut self, offset: u64) -> Self {
        self.next = Some(offset);
        self
    }

    /// Where to resume; none on the first connection.
    #[must_use]
    pub const fn next(&self) -> Option<u64> {
        self.next
    }

    /// Bytes of output shown.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gaps that were announced.
    #[must_use]
    pub fn gaps(&self) -> &[(u64, u64)] {
        &self.gaps
    }

    /// Snapshots that came.
    #[must_use]
    pub const fn snapshots(&self) -> u64 {
        self.snapshots
    }

    /// How the session ended, if it has.
    #[must_use]
    pub const fn exit(&self) -> Option<&Exit> {
        self.exit.as_ref()
    }

    /// Highest accepted and settled input numbers heard of on this connection.
    #[must_use]
    pub const fn acks(&self) -> (u64, u64) {
        self.acks
    }

    /// A new connection begins.
    pub const fn handle_connection(&mut self) {
        self.phase = Phase::Unwelcome;
        self.acks = (0, 0);
    }

    /// The next frame of the server.
    ///
    /// # Errors
    /// The promise that it breaks.
    pub fn handle(&mut self, frame: &ServerFrame) -> Result<(), Violation> {
        match (self.phase, frame) {
            (Phase::Over, _) => Err(Violation::OutOfOrder("a frame after the last one")),
            (_, ServerFrame::Error { .. }) => {
                self.phase = Phase::Over;
                Ok(())
            }
            (Phase::Unwelcome, ServerFrame::Welcome(welcome)) => self.handle_welcome(welcome),
            (Phase::Unwelcome, _) => Err(Violation::OutOfOrder("a frame before welcome")),
            (_, ServerFrame::Welcome(_)) => Err(Violation::OutOfOrder("a second welcome")),
            (_, ServerFrame::Output { offset, bytes }) => self.handle_output(*offset, bytes),
            (_, ServerFrame::Gap { from, to }) => self.handle_gap(*from, *to),
            (_, ServerFrame::Snapshot { offset, .. }) => self.handle_snapshot(*offset),
            (_, ServerFrame::Exit(exit)) => self.handle_exit(exit),
            (_, ServerFrame::InputAck { accepted, settled }) => {
                self.handle_input_ack(*accepted, *settled)
            }
            (
                _,
                ServerFrame::Size { .. }
                | ServerFrame::Termios(_)
                | ServerFrame::Event(_)
                | ServerFrame::Pong(_)
                | ServerFrame::Unknown(_),
            ) => Ok(()),
        }
    }

    /// Compares the end of the output with what the program says that it wrote.
    ///
    /// # Errors
    /// When they differ, or no `exit` has come.
    pub fn check_end(&self, written: u64) -> Result<(), Violation> {
        let shown = self.next.unwrap_or(0);
        if self.exit.is_none() {
            return Err(Violation::OutOfOrder("the end without exit"));
        }
        if shown == written { Ok(()) } else { Err(Violation::End { shown, written }) }
    }

    fn handle_welcome(&mut self, welcome: &Welcome) -> Result<(), Violation> {
        let raw = welcome.features.iter().any(|feature| feature == "raw");
        self.acks = (welcome.accepted, 0);
        match self.next {
            Some(next) if welcome.resumed && welcome.offset != next => {
                return Err(Violation::Contradiction(format!(
                    "resumed at {}, but {next} was asked for",
                    welcome.offset
                )));
            }
            None if welcome.resumed => {
                let text = "resumed, but nothing was asked for".to_owned();
                return Err(Violation::Contradiction(text));
            }
            Some(next) if welcome.resumed || (raw && welcome.offset == next) => {
                self.phase = Phase::Live { raw };
            }
            // A raw viewer starts wherever the history does.
            None if raw => {
                self.next = Some(welcome.offset);
                self.phase = Phase::Live { raw };
            }
            Some(_) | None => self.phase = Phase::Skipped { raw },
        }
        Ok(())
    }

    fn handle_output(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Violation> {
        let raw = match self.phase {
            Phase::Live { raw } => raw,
            Phase::Announced { raw: true } => true,
            Phase::Skipped { .. } | Phase::Announced { .. } | Phase::Unwelcome | Phase::Over => {
                return Err(Violation::OutOfOrder("output before the snapshot"));
            }
        };
        let expected = self.next.unwrap_or(offset);
        if offset > expected {
            return Err(Violation::Missing { from: expected, to: offset });
        }
        if offset < expected {
            return Err(Violation::Doubled { expected, found: offset });
        }
        if let Some(pattern) = self.pattern {
            pattern.check(offset, bytes).map_err(Violation::Content)?;
        }
        self.phase = Phase::Live { raw };
        self.next = Some(offset + bytes.len() as u64);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn handle_gap(&mut self, from: u64, to: u64) -> Result<(), Violation> {
        let raw = match self.phase {
            Phase::Live { raw } | Phase::Skipped { raw } => raw,
            Phase::Announced { .. } | Phase::Unwelcome | Phase::Over => {
                return Err(Violation::OutOfOrder("a gap behind a gap"));
            }
        };
        if from >= to || self.next.is_some_and(|next| next != from) {
            return Err(Violation::Contradiction(format!(
                "gap {from}..{to}, but {:?} was due",
                self.next
            )));
        }
        self.gaps.push((from, to));
        self.next = Some(to);
        self.phase = Phase::Announced { raw };
        Ok(())
    }

    fn handle_snapshot(&mut self, offset: u64) -> Result<(), Violation> {
        let raw = match self.phase {
            Phase::Live { raw } | Phase::Skipped { raw } | Phase::Announced { raw } => raw,
            Phase::Unwelcome | Phase::Over => {
                return Err(Violation::OutOfOrder("a snapshot before welcome"));
            }
        };
        if raw {
            return Err(Violation::OutOfOrder("a snapshot for a raw viewer"));
        }
        match self.next {
            Some(next) if next < offset => {
                return Err(Violation::Missing { from: next, to: offset });
            }
            Some(next) if next > offset => {
                return Err(Violation::Doubled { expected: next, found: offset });
            }
            Some(_) | None => {}
        }
        self.next = Some(offset);
        self.snapshots += 1;
        self.phase = Phase::Live { raw };
        Ok(())
    }

    fn handle_exit(&mut self, exit: &Exit) -> Result<(), Violation> {
        if let Some(before) = self.exit.replace(exit.clone())
            && before != *exit
        {
            let text = format!("ended with {before:?}, and now with {exit:?}");
            return Err(Violation::Contradiction(text));
        }
        self.phase = Phase::Over;
        Ok(())
    }

    fn handle_input_ack(&mut self, accepted: u64, settled: u64) -> Result<(), Violation> {
        let before = self.acks;
        if accepted < before.0 || settled < before.1 || settled > accepted {
            let text = format!("input-ack ({accepted}, {settled}) behind {before:?}");
            return Err(Violation::Contradiction(text));
        }
        self.acks = (accepted, settled);
        Ok(())
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
