//! The end of a session's processes: hung up first, killed after a grace, and seen out.

use std::time::{Duration, Instant};

use hither_pty::Signal;

use super::Server;
use super::processes;
use crate::message::OnClose;

/// How far a session that ends has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    /// When its processes are looked at again.
    pub(super) next: Instant,
    /// How often they have been killed.
    kills: u32,
}

/// How long processes may take to end after the hang-up.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// How soon after a kill is looked whether it was enough.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Kills after which a session is given up: what is left then cannot be killed (it waits in the
/// kernel), or runs as another user.
const KILLS_MAX: u32 = 100;

impl Ending {
    fn new() -> Self {
        Self { next: Instant::now() + GRACE, kills: 0 }
    }
}

impl Server {
    /// The leader of a session has ended by itself: its followers get what the policy says.
    pub(super) fn leave_followers(&mut self, serial: u64) {
        match self.sessions.on_close(serial) {
            Some(OnClose::Hup) => self.hang_up_followers(serial),
            Some(OnClose::Kill) => {
                self.hang_up_followers(serial);
                self.sessions.set_ending(serial, Ending::new());
            }
            Some(OnClose::Keep) | None => {}
        }
    }

    /// Starts the end of a session that is closed.
    pub(super) fn begin_ending(&mut self, serial: u64) {
        if self.sessions.on_close(serial) != Some(OnClose::Keep) {
            self.hang_up_followers(serial);
        }
        self.sessions.set_ending(serial, Ending::new());
        self.look_after(serial);
    }

    /// SIGHUP, and SIGCONT so that stopped processes hear it, to all that have not left the
    /// terminal's session.
    fn hang_up_followers(&self, serial: u64) {
        let leader = self.sessions.leader(serial);
        for process in self.sessions.followers(serial) {
            if Some(process.session) == leader {
                process.signal(Signal::HUP);
                process.signal(Signal::CONT);
            }
        }
    }

    /// Forgets a closed session of which nothing is left.
    pub(super) fn look_after(&mut self, serial: u64) {
        if self.sessions.is_over(serial) {
            self.forget(serial);
        }
    }

    /// Looks after all sessions that end and whose time has come.
    pub(super) fn look_after_endings(&mut self) {
        let now = Instant::now();
        for (serial, ending) in self.sessions.endings() {
            if ending.next <= now {
                self.kill_rest(serial, ending);
            }
        }
    }

    /// Looks after all that end, because some child has ended.
    pub(super) fn look_after_closed(&mut self) {
        for (serial, _) in self.sessions.endings() {
            self.look_after(serial);
        }
    }

    fn kill_rest(&mut self, serial: u64, ending: Ending) {
        self.sessions.kill_leader(serial);
        let keeps = self.sessions.on_close(serial) == Some(OnClose::Keep);
        let rest = !keeps && self.sessions.has_processes(serial);
        if rest {
            self.sessions.kill_followers(serial);
        }
        let over = !rest && self.sessions.has_exited(serial);
        if over || ending.kills >= KILLS_MAX {
            self.sessions.clear_ending(serial);
            if self.sessions.is_closed(serial) && self.sessions.has_exited(serial) {
                self.forget(serial);
            }
            return;
        }
        let next = Instant::now() + LOOK_AGAIN;
        self.sessions.set_ending(serial, Ending { next, kills: ending.kills + 1 });
    }

    /// When something is to be looked after, if anything.
    pub(super) fn next_ending(&self) -> Option<Duration> {
        let next = self.sessions.endings().into_iter().map(|(_, ending)| ending.next).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Children of this process have ended: leaders, and orphans of sessions.
    pub(super) fn handle_children(&mut self) {
        self.children.clear();
        let mut orphans = false;
        while let Some((pid, status)) = self.children.reap() {
            match self.sessions.note_exit(pid, status) {
                Some(serial) => self.handle_exit(serial, status),
                None => orphans = true,
            }
        }
        if orphans {
            self.sessions.tidy_cgroups();
            self.look_after_closed();
        }
    }
}

/// Whether a session can have processes besides its leader, which descend from its children or are
/// orphans; a cheap look, as finding them reads all of /proc. `leader` is none when it has ended.
pub(super) fn may_have_followers(is_leader: impl Fn(u32) -> bool, leader: Option<u32>) -> bool {
    leader.is_some_and(processes::has_children) || processes::has_orphans(is_leader)
}
