//! Output from the history to the viewers' sockets.
//!
//! One `writev` carries what waits in the outbox, small frames, and the header and bytes of the
//! next output. What the socket does not take goes to the outbox; only then is writability awaited.

use std::io::IoSlice;
use std::time::Duration;

use hither_core::Offset;
use hither_core::viewer::Next;
use rustix::io::Errno;

use super::codec;
use super::session::{Child, Session};
use super::viewer::{Phase, Viewer, ViewerKey};
use super::{Settings, Worker};
use crate::sessions::ViewerProtocol;

/// What one attempt to send came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// Something was sent and there may be more.
    More,
    /// Nothing more can or need be sent now.
    Enough,
    /// The socket is broken.
    Broken,
}

/// Output after which a viewer that sends no acks is pinged.
const PING_EVERY: u64 = 8 << 10;

impl Worker {
    /// Sends a viewer whatever it may be sent now.
    pub(super) fn serve(&mut self, key: ViewerKey) {
        loop {
            match self.send_some(key) {
                Sent::More => {}
                Sent::Enough => return self.after_sending(key),
                Sent::Broken => return self.detach(key),
            }
        }
    }

    /// Sends the viewers of a session what they may be sent now.
    pub(super) fn serve_session(&mut self, key: usize) {
        // A session that lives with its one viewer may have gone with it.
        let count = self.sessions.get(key).map_or(0, |session| session.viewers.len());
        for index in (0..count).rev() {
            // Viewers that leave are removed while this goes on, from the end.
            let Some(&viewer) = self.sessions.get(key).and_then(|s| s.viewers.get(index)) else {
                continue;
            };
            self.serve(viewer);
            if !self.sessions.contains(key) {
                return;
            }
        }
    }

    fn send_some(&mut self, key: ViewerKey) -> Sent {
        let Self { viewers, sessions, scratch, settings, now, metrics, .. } = self;
        let viewer = &mut viewers[key];
        if !viewer.writable {
            return Sent::Enough;
        }
        if viewer.stream.is_pending() {
            match viewer.stream.flush() {
                Ok(()) => {}
                Err(Errno::AGAIN) => {
                    viewer.writable = false;
                    return Sent::Enough;
                }
                Err(_) => return Sent::Broken,
            }
        }
        scratch.clear();
        let mut output: [&[u8]; 2] = [&[], &[]];
        let mut until = None;
        let mut notices = 0;
        if let Some(session) = viewer.session.map(|session| &sessions[session])
            && viewer.phase == Phase::Open
            && viewer.outbox.is_empty()
        {
            codec::append_notices(viewer, session, *now, scratch);
            notices = scratch.len();
            if let Some((from, len)) = next_output(viewer, session, settings, *now) {
                codec::append_output_prefix(viewer.protocol, from, len, scratch);
                output = session.memory.output(from, len);
                until = Some(from.plus(len));
            }
        }
        if viewer.outbox.is_empty() && scratch.is_empty() && until.is_none() {
            return Sent::Enough;
        }
        let slices = [viewer.outbox.pending(), scratch, output[0], output[1]].map(IoSlice::new);
        // The usual case is a prefix and one run of output.
        let first = usize::from(viewer.outbox.is_empty());
        let last = if output[1].is_empty() { 3 } else { 4 };
        let result = viewer.stream.write(&slices[first..last]);
        match result {
            Ok(taken) => {
                metrics.sent_bytes += taken as u64;
                keep_rest(viewer, taken, scratch, output);
                if let Some(until) = until {
                    viewer.handle_output_sent(until, *now);
                }
                if viewer.outbox.is_empty() { Sent::More } else { Sent::Enough }
            }
            Err(Errno::AGAIN) => {
                viewer.writable = false;
                viewer.outbox.bytes_mut().extend_from_slice(&scratch[..notices]);
                Sent::Enough
            }
            Err(_) => Sent::Broken,
        }
    }

    /// What follows when a viewer has been sent all that it may be sent.
    fn after_sending(&mut self, key: ViewerKey) {
        let viewer = &mut self.viewers[key];
        match viewer.phase {
            Phase::Leaving if viewer.outbox.is_empty() => {
                viewer.stream.finish();
                viewer.phase = Phase::Left(self.now);
            }
            Phase::Open => {
                let Some(session) = viewer.session else { return };
                let history = *self.sessions[session].memory.history();
                let Some(cursor) = &mut viewer.cursor else { return };
                match cursor.poll(&history) {
                    Next::Snapshot if viewer.outbox.is_empty() => self.want_snapshot(key),
                    Next::Idle if viewer.outbox.is_empty() => self.say_farewell(key),
                    Next::Snapshot | Next::Idle | Next::Blocked | Next::Output(_) => {}
                }
                self.ungate(session);
            }
            Phase::Leaving | Phase::Left(_) => {}
        }
    }

    /// A session that waited for a slow viewer may be read again.
    fn ungate(&mut self, key: usize) {
        if self.sessions.get(key).is_some_and(|session| session.reading.gated) && self.room(key) > 0
        {
            self.sessions[key].reading.gated = false;
            self.enqueue(key);
        }
    }

    /// A viewer that has everything of a session that has ended is told so.
    fn say_farewell(&mut self, key: ViewerKey) {
        let viewer = &self.viewers[key];
        let Some(session) = viewer.session else { return };
        if let Child::Ended(status) = self.sessions[session].child {
            self.send_exit(key, status);
        }
    }
}

impl Viewer {
    fn handle_output_sent(&mut self, until: Offset, now: Duration) {
        let Some(cursor) = &mut self.cursor else { return };
        let len = until.since(cursor.cursor());
        cursor.handle_sent(until, now);
        match self.protocol {
            ViewerProtocol::Hither => {}
            // The buffer of the socket is all the flow control there is.
            ViewerProtocol::Raw => {
                let acked = cursor.handle_ack(until, now);
                debug_assert!(acked.is_ok());
            }
            ViewerProtocol::Ttyd | ViewerProtocol::Plan => {
                self.unpinged += len;
                if self.unpinged >= PING_EVERY {
                    self.unpinged = 0;
                    codec::append_ack_ping(until, self.outbox.bytes_mut());
                }
            }
        }
    }
}

/// The next run of output for a viewer; none when there is none, no room, or it is held back to
/// be sent together with what follows.
fn next_output(
    viewer: &mut Viewer,
    session: &Session,
    settings: &Settings,
    now: Duration,
) -> Option<(Offset, u64)> {
    let cursor = viewer.cursor.as_mut()?;
    let from = cursor.cursor();
    let Next::Output(len) = cursor.poll(session.memory.history()) else { return None };
    let held = session.reading.held.is_some_and(|since| now < since + settings.batch_delay);
    (!held || len >= settings.batch_bytes).then_some((from, len))
}

/// Puts into the outbox what the socket did not take.
fn keep_rest(viewer: &mut Viewer, mut taken: usize, scratch: &[u8], output: [&[u8]; 2]) {
    let waiting = viewer.outbox.len().min(taken);
    viewer.outbox.consume(waiting);
    taken -= waiting;
    for part in [scratch, output[0], output[1]] {
        let sent = part.len().min(taken);
        taken -= sent;
        if sent < part.len() {
            viewer.outbox.bytes_mut().extend_from_slice(&part[sent..]);
        }
    }
    viewer.writable = viewer.outbox.is_empty() && !viewer.stream.is_pending();
}
