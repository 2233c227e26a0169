//! One attached connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use hither_core::liveness::Liveness;
use hither_core::viewer::ViewerCursor;
use hither_core::{InputNumber, Role, ViewerId, WindowSize};
use hither_protocol::hither::Features;
use hither_protocol::replies::ReplyFilter;
use hither_protocol::websocket::{Decoder, Limits, Side};

use super::memory::ClientSlot;
use super::outbox::Outbox;
use super::stream::Stream;
use crate::pass::Pass;
use crate::sessions::ViewerProtocol;

/// Index of a viewer on its worker.
pub(super) type ViewerKey = usize;

/// A connection and everything that is known of its other end.
#[derive(Debug)]
pub(super) struct Viewer {
    pub(super) stream: Stream,
    pub(super) protocol: ViewerProtocol,
    /// The most it may do, and after hello what it does.
    pub(super) role: Role,
    /// Whether it ever asked for more than to watch.
    pub(super) wants_to_type: bool,
    /// Whether it could type and may no more: what it typed before it knew is not its fault.
    pub(super) demoted: bool,
    /// For whom it is attached.
    pub(super) pass: Arc<Pass>,
    /// Index of its session; none once that is gone and only the goodbye is left to send.
    pub(super) session: Option<usize>,
    pub(super) id: ViewerId,
    pub(super) decoder: Decoder,
    /// The start of a message whose rest has not come.
    pub(super) inbox: Vec<u8>,
    pub(super) outbox: Outbox,
    /// None until it has said hello.
    pub(super) cursor: Option<ViewerCursor>,
    pub(super) features: Features,
    pub(super) window: Option<WindowSize>,
    pub(super) input: InputSide,
    pub(super) notices: Notices,
    pub(super) phase: Phase,
    /// The socket takes bytes.
    pub(super) writable: bool,
    /// The peer sends no more; what it has sent is read to the end.
    pub(super) finished: bool,
    /// When it came or last said something; from its goodbye on, when that was written.
    pub(super) liveness: Liveness,
    /// Bytes of output sent since the last ping that serves as an ack.
    pub(super) unpinged: u64,
    pub(super) replies: ReplyFilter,
    /// When a ping was sent whose pong tells the round trip.
    pub(super) probed: Option<Duration>,
    /// Before this time it is not asked again.
    pub(super) probe_due: Duration,
}

/// What a viewer has typed.
#[derive(Debug, Default)]
pub(super) struct InputSide {
    pub(super) slot: Option<ClientSlot>,
    /// Highest number written to the PTY.
    pub(super) accepted: InputNumber,
    /// Its last frame waits for the program; it is not read until then.
    pub(super) waiting: bool,
    /// Its socket has more to read.
    pub(super) unread: bool,
    /// It has typed since its round trip was last asked for.
    pub(super) typed: bool,
    settling: VecDeque<(InputNumber, Duration)>,
    settled: InputNumber,
}

/// What it has to be told besides output. A flag, not a queue: the last state is enough.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts, each said at most once
pub(super) struct Notices {
    pub(super) input_ack: bool,
    pub(super) size: bool,
    pub(super) title: bool,
    pub(super) bell: bool,
    pub(super) viewers: bool,
    pub(super) termios: bool,
    pub(super) role: bool,
}

/// Where a connection stands on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// The goodbye is in the outbox.
    Leaving,
    /// The goodbye was sent at this time; the peer is to close.
    Left(Duration),
}

/// Numbers whose settling is still watched; typing faster than this merges them.
const SETTLING_MAX: usize = 32;
/// How long a program must have had input before it is settled (mosh's ECHO_TIMEOUT).
const SETTLED_AFTER: Duration = Duration::from_millis(50);
/// Who types on within this time is told with the next echo what has settled.
const PAUSED_AFTER: Duration = Duration::from_millis(500);

impl Viewer {
    pub(super) fn new(
        stream: Stream,
        protocol: ViewerProtocol,
        role: Role,
        pass: Arc<Pass>,
        session: usize,
        now: Duration,
    ) -> Self {
        let limits = Limits {
            message_max: hither_protocol::hither::CLIENT_MESSAGE_BYTES_MAX,
            fragments_max: hither_protocol::hither::FRAGMENTS_MAX,
        };
        Self {
            stream,
            protocol,
            role,
            wants_to_type: true,
            demoted: false,
            pass,
            session: Some(session),
            id: ViewerId::NOBODY,
            decoder: Decoder::new(Side::Server, limits),
            inbox: Vec::new(),
            outbox: Outbox::default(),
            cursor: None,
            features: Features::none(),
            window: None,
            input: InputSide::default(),
            notices: Notices::default(),
            phase: Phase::Open,
            writable: true,
            finished: false,
            liveness: Liveness::new(now),
            unpinged: 0,
            replies: ReplyFilter::default(),
            probed: None,
            probe_due: Duration::ZERO,
        }
    }
}

impl InputSide {
    /// Everything up to `number` has been written to the PTY at `now`.
    pub(super) fn handle_accepted(&mut self, number: InputNumber, now: Duration) {
        self.accepted = number;
        if self.settling.len() == SETTLING_MAX {
            self.settling.pop_back();
        }
        self.settling.push_back((number, now));
    }

    /// The highest number that the program has had for a while.
    pub(super) fn settled(&mut self, now: Duration) -> InputNumber {
        while let Some(&(number, at)) = self.settling.front()
            && at + SETTLED_AFTER <= now
        {
            self.settled = number;
            self.settling.pop_front();
        }
        self.settled
    }

    /// Whether a number has settled at `now` and no echo is to be expected that could say so.
    pub(super) fn has_paused(&self, now: Duration) -> bool {
        self.settling.back().is_some_and(|&(_, at)| at + PAUSED_AFTER <= now)
    }

    /// The client continues with `slot`, of which `accepted` was written long ago.
    pub(super) fn resume(&mut self, slot: ClientSlot, accepted: InputNumber) {
        self.slot = Some(slot);
        self.accepted = accepted;
        self.settled = accepted;
        self.settling.clear();
    }
}

impl Notices {
    pub(super) const fn any(self) -> bool {
        self.input_ack
            || self.size
            || self.title
            || self.bell
            || self.viewers
            || self.termios
            || self.role
    }
}
