//! What a worker measures of itself; see [`crate::metrics`].

use std::time::Duration;

use hither_core::viewer::ViewerState;
use hither_protocol::websocket::{CloseCode, Opcode, append_frame};

use super::Worker;
use super::receiving::Refusal;
use super::typing::Source;
use super::viewer::{Phase, Viewer, ViewerKey};
use crate::metrics::{WorkerMetrics, thread_cpu};
use crate::sessions::ViewerProtocol;

/// Names of the limits that a worker guards.
pub(super) const VIEWERS_PER_SESSION: &str = "viewers_per_session";
pub(super) const HELLO_TIME_LIMIT: &str = "hello_time";
pub(super) const UNANSWERED_PINGS: &str = "unanswered_pings";
pub(super) const INPUT_QUEUE: &str = "input_queue";
pub(super) const VIEWER_BYTES: &str = "viewer_bytes";
pub(super) const VIEWER_REPLIES: &str = "viewer_replies";

const STATES: [&str; 5] = ["greeting", "live", "behind", "syncing", "leaving"];
const PROTOCOLS: [&str; 4] = ["hither", "ttyd", "plan", "raw"];

/// A viewer that types on is asked so often for its round trip: each time costs a write and a read,
/// which at ten keys a second is a tenth of what its keys cost.
const PROBE_EVERY: Duration = Duration::from_secs(10);

impl Worker {
    /// A copy of the counters, with what is only worth counting when somebody asks.
    pub(super) fn measure(&self) -> WorkerMetrics {
        let mut metrics = self.metrics.clone();
        metrics.cpu = thread_cpu();
        let pairs = PROTOCOLS.iter().flat_map(|protocol| STATES.map(|state| (*protocol, state)));
        metrics.viewers = pairs.map(|pair| (pair, 0)).collect();
        for (_, viewer) in &self.viewers {
            *metrics.viewers.entry((protocol(viewer), state(viewer))).or_default() += 1;
            metrics.held_bytes += viewer.held_bytes() as u64;
        }
        metrics
    }

    /// Types what a viewer has sent and times it.
    pub(super) fn take_keystroke(
        &mut self,
        session: usize,
        source: Source,
        bytes: &[u8],
    ) -> Result<(), Refusal> {
        self.metrics.inputs += 1;
        #[cfg(debug_assertions)]
        self.simulate_latency();
        if !self.type_input(session, source, bytes) {
            self.metrics.hit(INPUT_QUEUE);
            let reason = "input queue of the session is full";
            return Err(Refusal::new(CloseCode::TOO_MANY_VIEWERS, reason));
        }
        let session = &mut self.sessions[session];
        // Among the output of a flood, the echo cannot be told.
        if session.echo_timer.wants() && !session.reading.pace.is_flooding(self.now) {
            let overdue = session.echo_timer.handle_written(self.now, self.clock.now());
            self.metrics.unechoed += u64::from(overdue);
        }
        Ok(())
    }

    /// Output of a session was sent. If it answers the keystroke that is timed, its parts are known.
    #[inline]
    pub(super) fn finish_echo(&mut self, index: usize) {
        let Some(session) = self.sessions.get_mut(index) else { return };
        if session.echo_timer.is_answered()
            && session.reading.held.is_none()
            && let Some(parts) = session.echo_timer.handle_sent(self.clock.now())
        {
            session.shared.set_echo(parts.server + parts.pty);
            self.metrics.observe_echo(parts);
        }
    }

    /// Whether a pong answers a probe; if so, the round trip is known.
    pub(super) fn handle_probe(&mut self, key: ViewerKey, payload: &[u8]) -> bool {
        let viewer = &mut self.viewers[key];
        let Some(probed) = viewer.probed.filter(|at| payload == probe(*at)) else { return false };
        viewer.probed = None;
        let round_trip = self.now.saturating_sub(probed);
        self.metrics.echo_network.observe(round_trip);
        if let Some(session) = viewer.session {
            self.sessions[session].shared.set_round_trip(round_trip);
        }
        true
    }

    #[cfg(debug_assertions)]
    #[expect(clippy::disallowed_methods, reason = "it is the point: a test wants a slow server")]
    fn simulate_latency(&self) {
        if !self.settings.simulated_latency.is_zero() {
            std::thread::sleep(self.settings.simulated_latency);
        }
    }
}

impl Viewer {
    /// Asks one who types for its round trip: a ping whose pong only this probe can mean.
    pub(super) fn send_probe(&mut self, now: Duration) {
        if now >= self.probe_due && std::mem::take(&mut self.input.typed) && self.probed.is_none() {
            (self.probed, self.probe_due) = (Some(now), now + PROBE_EVERY);
            append_frame(self.outbox.bytes_mut(), Opcode::Ping, &[&probe(now)], None);
        }
    }
}

/// Payload of the ping that is sent at `now`. Pings that take the place of acks have eight bytes.
fn probe(now: Duration) -> [u8; 16] {
    now.as_nanos().to_be_bytes()
}

const fn protocol(viewer: &Viewer) -> &'static str {
    match viewer.protocol {
        ViewerProtocol::Hither => PROTOCOLS[0],
        ViewerProtocol::Ttyd => PROTOCOLS[1],
        ViewerProtocol::Plan => PROTOCOLS[2],
        ViewerProtocol::Raw => PROTOCOLS[3],
    }
}

fn state(viewer: &Viewer) -> &'static str {
    match (viewer.phase, viewer.cursor.as_ref().map(|cursor| cursor.state())) {
        (Phase::Leaving | Phase::Left(_), _) => STATES[4],
        (Phase::Open, None) => STATES[0],
        (Phase::Open, Some(ViewerState::Live)) => STATES[1],
        (Phase::Open, Some(ViewerState::Behind)) => STATES[2],
        (Phase::Open, Some(ViewerState::Syncing)) => STATES[3],
    }
}
