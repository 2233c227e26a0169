//! Open connections are judged again when somebody may have lost a right, and now and then in case
//! nobody said so.

use std::time::Duration;

use hither_auth::Level;
use hither_protocol::websocket::CloseCode;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::app::App;
use crate::audit::{Actor, Event};
use crate::pass::Pass;

/// How often open connections are judged when nothing was said.
const JUDGE_EVERY: Duration = Duration::from_secs(15);

impl App {
    /// Judges open connections for as long as the gateway runs: those of credentials that are good
    /// no more are closed with 4401, those of viewers who may no longer see the session with 4403,
    /// and roles follow levels.
    pub async fn watch_passes(&self) {
        let mut changes = self.auth.authority_changes();
        let mut now_and_then = interval_at(Instant::now() + JUDGE_EVERY, JUDGE_EVERY);
        now_and_then.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                _ = now_and_then.tick() => {}
            }
            for pass in self.passes.all() {
                self.judge(&pass);
            }
        }
    }

    /// Judges one open connection.
    pub(super) fn judge(&self, pass: &Pass) {
        let Ok(principal) = self.auth.verify_again(pass.principal()) else {
            return self.end(pass, CloseCode::UNAUTHENTICATED, "credential is good no more");
        };
        // A session that has gone has sent its viewers away itself.
        let Some(info) = self.all_sessions().find(pass.session()) else { return };
        match self.held_level(&principal, &info, Level::Read) {
            Ok(held) => {
                let role = pass.role_for(&principal, held);
                if pass.set_role(role) {
                    self.all_sessions().set_role(pass, role);
                }
            }
            Err(_) => {
                self.end(pass, CloseCode::FORBIDDEN, "this session is no longer shown to you");
            }
        }
    }

    fn end(&self, pass: &Pass, code: CloseCode, reason: &'static str) {
        let actor = Actor::proven(pass.principal(), pass.address());
        self.note(&actor, &Event::Revoked(pass.session()));
        self.all_sessions().send_away(pass, code, reason);
    }
}
