//! The viewer's own idea of the output: the model.

use hither_core::Offset;

use crate::link::{Frame, Message};
use crate::random::byte_at;

/// What a viewer remembers across connections, and may complain about.
#[derive(Debug, Default)]
pub(crate) struct Client {
    /// Offset of the byte that is due.
    pub(crate) next: Option<u64>,
    /// Something must be announced before output goes on.
    skipped: bool,
    announced: bool,
    acked: u64,
    pub(crate) given: u64,
    pub(crate) accepted: u64,
    pub(crate) raw: bool,
    pub(crate) patient: bool,
    pub(crate) gaps: u64,
    pub(crate) shown: u64,
}

/// Output after which a viewer acknowledges.
const ACK_BYTES: u64 = 8 << 10;

impl Client {
    pub(crate) fn new(raw: bool, patient: bool) -> Self {
        Self { raw, patient, ..Self::default() }
    }

    /// A frame arrives. Gives what the viewer says to it.
    pub(crate) fn handle(&mut self, frame: Frame) -> Vec<Message> {
        match frame {
            Frame::Welcome { offset, resumed, accepted } => {
                assert!(accepted >= self.accepted && accepted <= self.given);
                self.accepted = accepted;
                if resumed {
                    assert_eq!(self.next, Some(offset.0));
                }
                (self.skipped, self.announced) = (!resumed, false);
                self.acked = offset.0;
                // Whatever was not accepted is sent again.
                (accepted + 1..=self.given).map(Message::Input).collect()
            }
            Frame::Output(offset, bytes) => self.handle_output(offset.0, &bytes),
            Frame::Gap(from, to) => {
                assert!(from < to && self.next.is_none_or(|next| next == from.0));
                assert!(!self.patient || self.skipped, "a patient viewer was skipped");
                self.gaps += 1;
                (self.next, self.announced) = (Some(to.0), true);
                self.skipped = !self.raw;
                if self.raw {
                    self.acked = to.0;
                }
                Vec::new()
            }
            Frame::Snapshot(offset) => {
                assert!(!self.raw, "a snapshot for a raw viewer");
                assert!(self.next.is_none_or(|next| next == offset.0), "a snapshot elsewhere");
                (self.next, self.skipped, self.announced) = (Some(offset.0), false, false);
                self.acked = offset.0;
                vec![Message::Ack(offset)]
            }
            Frame::InputAck(accepted) => {
                assert!(accepted >= self.accepted && accepted <= self.given);
                self.accepted = accepted;
                Vec::new()
            }
        }
    }

    fn handle_output(&mut self, offset: u64, bytes: &[u8]) -> Vec<Message> {
        assert!(!self.skipped || self.raw, "output before the snapshot");
        let next = *self.next.get_or_insert(offset);
        assert_eq!(next, offset, "output continues where it was");
        self.skipped = false;
        let right = (offset..).map(byte_at);
        assert!(bytes.iter().copied().eq(right.take(bytes.len())), "wrong bytes at {offset}");
        let end = offset + bytes.len() as u64;
        self.next = Some(end);
        self.shown += bytes.len() as u64;
        if end - self.acked < ACK_BYTES {
            return Vec::new();
        }
        self.acked = end;
        vec![Message::Ack(Offset(end))]
    }
}
