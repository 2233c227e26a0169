//! Sessions that cannot be taken over: they are listed as lost, say why, and are left as they are, so
//! that a later gateway may have more luck.

use hither_core::{ExitStatus, History, WindowSize};
use hither_host::message::{Life, SessionState};
use hither_pty::{Mapping, sealed_memory};

use super::Directory;
use super::create::Meta;
use crate::worker::memory::{SessionMemory, memory_bytes};
use crate::worker::{Adoption, Command};

/// A session of the PTY host that this gateway cannot take over.
#[derive(Debug)]
pub(super) struct Stranded {
    pub(super) state: SessionState,
    pub(super) reason: String,
}

impl Stranded {
    fn runs(&self) -> bool {
        self.state.life == Life::Running
    }

    /// What its viewers read.
    fn sentence(&self) -> String {
        let Self { state, reason } = self;
        let cure = if self.runs() {
            format!(
                "Its program still runs: start the gateway again to try once more, or end it with \
                 `hither kill {}`.",
                state.session
            )
        } else {
            "Its program has ended.".to_owned()
        };
        format!("Hither cannot take this session over: {reason}. {cure}\r\n")
    }

    /// A memory of its own with the sentence as its whole output.
    fn stand_in(&self) -> std::io::Result<SessionMemory> {
        let memory = sealed_memory("hither-stranded", memory_bytes(History::CAPACITY_MIN))?;
        let mapping = Mapping::new(memory)?;
        let size = WindowSize::DEFAULT;
        let mut memory = SessionMemory::create(mapping, History::CAPACITY_MIN, size)
            .map_err(std::io::Error::other)?;
        let sentence = self.sentence();
        let run = memory.free_run(sentence.len() as u64);
        let len = run.len();
        run.copy_from_slice(&sentence.as_bytes()[..len]);
        memory.advance(len as u64);
        memory.publish();
        Ok(memory)
    }
}

impl Directory {
    /// Lists a session as lost. The PTY host keeps it.
    pub(super) fn show_stranded(&self, stranded: Stranded) {
        let state = &stranded.state;
        let id = state.session;
        tracing::error!(session = %id, reason = stranded.reason, "session cannot be taken over");
        let facts = Meta::facts(&state.meta, id, WindowSize::DEFAULT, state.created_unix_ms);
        if state.life == Life::Closing || facts.life == crate::sessions::Life::WithViewer {
            return self.host.close(id);
        }
        let memory = match stranded.stand_in() {
            Ok(memory) => memory,
            Err(error) => {
                return tracing::error!(session = %id, %error, "session stays unlisted");
            }
        };
        let shared = self.insert(facts);
        shared.set_stranded(stranded.runs());
        shared.set_ended(ExitStatus::Lost, self.clock.unix_ms(self.clock.now()));
        let worker = shared.worker;
        let exit = Some(ExitStatus::Lost);
        let adoption = Adoption { shared, master: None, memory, exit };
        self.tell(worker, Command::Adopt(Box::new(adoption)));
    }
}
