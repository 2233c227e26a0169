//! Exactly-once reading: what a survivor does with the journal of a reader that was killed.
//!
//! Output goes `splice(master → pipe)`, then `read(pipe → history)`, then the new head is
//! published. The pipe survives its reader, because the PTY host holds both ends of it. Before each
//! step the reader stores in shared memory what it is about to do:
//!
//! 1. store the session and its head, with `pending = 0`;
//! 2. `n = splice(master → pipe)`;
//! 3. store `pending = n`;
//! 4. `read(pipe → history at head)`, n bytes in all;
//! 5. store the session's head + n, then `pending = 0`.
//!
//! The kernel runs each call to its end before SIGKILL takes effect, and a pipe counts as unread
//! (FIONREAD) exactly what has not been copied out of it. So at any instant the number of
//! bytes that have reached the history is `pending − unread`, and nothing is lost or doubled.
//!
//! A survivor can be killed, too. It goes on with steps 4 and 5, but a reader that died before
//! step 3 has left bytes of which nothing is pending yet: they must be made pending first.

use crate::{Offset, SessionId};

/// What the journal of a reader says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The session whose output is, or was last, in the pipe.
    pub session: SessionId,
    /// Head of its history before this read; stale when nothing is pending.
    pub head: Offset,
    /// Bytes that were put into the pipe by this read and may have been taken out.
    /// Zero: none has been taken out.
    pub pending: u64,
}

/// What a survivor must do: store the intent, move the head, then move the rest of the pipe behind
/// it, publish, and clear what is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The session concerned.
    pub session: SessionId,
    /// To be stored before a byte leaves the pipe, `head` before `pending`; none when the one that
    /// stands there is right.
    pub intent: Option<Intent>,
    /// Its true head: everything before it is in the history.
    pub head: Offset,
    /// Bytes still in the pipe that belong at `head`.
    pub unread: u64,
}

/// A journal that contradicts its pipe, which no sequence of the steps above can bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("journal says that {pending} bytes were pending, but its pipe holds {unread}")]
pub struct CorruptJournal {
    /// Bytes that the journal calls pending.
    pub pending: u64,
    /// Bytes in the pipe.
    pub unread: u64,
}

/// Decides from the journal, the head that the session itself last published, and the number of
/// unread bytes in the pipe where the stream stands.
///
/// # Errors
/// When the two contradict each other.
pub const fn recover(
    intent: Intent,
    published: Offset,
    unread: u64,
) -> Result<Recovery, CorruptJournal> {
    let session = intent.session;
    if intent.pending == 0 {
        let intent = Some(Intent { session, head: published, pending: unread });
        return Ok(Recovery { session, intent, head: published, unread });
    }
    if unread > intent.pending {
        return Err(CorruptJournal { pending: intent.pending, unread });
    }
    let head = intent.head.plus(intent.pending - unread);
    Ok(Recovery { session, intent: None, head, unread })
}

#[cfg(test)]
#[path = "journal_model.rs"]
mod model;
