//! Bytes of the messages from the host.

use hither_pty::{SpawnError, Stage};

use super::field::{Reader, Writer};
use super::{WireError, none, three};
use crate::message::{FromHost, JournalFds, Life, Refusal, SessionFds, SessionState};

// WELCOME and WRONG_VERSION, their kinds and the version in them, are the same in every version.
const WELCOME: u8 = 101;
const WRONG_VERSION: u8 = 102;
const CLAIMED: u8 = 103;
const CLAIM_REFUSED: u8 = 104;
const ADOPT: u8 = 105;
const JOURNAL: u8 = 106;
const ADOPT_END: u8 = 107;
const SPAWNED: u8 = 108;
const SPAWN_FAILED: u8 = 109;
const SPAWN_REFUSED: u8 = 110;
const EXITED: u8 = 111;
const CLOSED: u8 = 112;
const SIGNALLED: u8 = 113;
const REFUSED: u8 = 114;
const LISTED: u8 = 115;
const LIST_END: u8 = 116;

/// The bytes of a message and its descriptors.
///
/// # Errors
/// When a field exceeds its limit.
pub fn encode_from_host<F>(message: &FromHost<F>) -> Result<(Vec<u8>, Option<[&F; 3]>), WireError> {
    let fds = match message {
        FromHost::Adopt { fds, .. } | FromHost::Spawned { fds, .. } => Some(fds.as_array()),
        FromHost::Journal { fds, .. } => Some(fds.as_array()),
        FromHost::Welcome { .. }
        | FromHost::WrongVersion { .. }
        | FromHost::Claimed
        | FromHost::ClaimRefused { .. }
        | FromHost::AdoptEnd
        | FromHost::SpawnFailed { .. }
        | FromHost::SpawnRefused { .. }
        | FromHost::Exited { .. }
        | FromHost::Closed { .. }
        | FromHost::Signalled { .. }
        | FromHost::Refused { .. }
        | FromHost::Listed(_)
        | FromHost::ListEnd => None,
    };
    let mut writer = Writer::new(kind(message));
    write_fields(message, &mut writer)?;
    Ok((writer.finish()?, fds))
}

fn kind<F>(message: &FromHost<F>) -> u8 {
    match message {
        FromHost::Welcome { .. } => WELCOME,
        FromHost::WrongVersion { .. } => WRONG_VERSION,
        FromHost::Claimed => CLAIMED,
        FromHost::ClaimRefused { .. } => CLAIM_REFUSED,
        FromHost::Adopt { .. } => ADOPT,
        FromHost::Journal { .. } => JOURNAL,
        FromHost::AdoptEnd => ADOPT_END,
        FromHost::Spawned { .. } => SPAWNED,
        FromHost::SpawnFailed { .. } => SPAWN_FAILED,
        FromHost::SpawnRefused { .. } => SPAWN_REFUSED,
        FromHost::Exited { .. } => EXITED,
        FromHost::Closed { .. } => CLOSED,
        FromHost::Signalled { .. } => SIGNALLED,
        FromHost::Refused { .. } => REFUSED,
        FromHost::Listed(_) => LISTED,
        FromHost::ListEnd => LIST_END,
    }
}

fn write_fields<F>(message: &FromHost<F>, writer: &mut Writer) -> Result<(), WireError> {
    match message {
        FromHost::Welcome { version, pid } => writer.u16(*version).u32(*pid),
        FromHost::WrongVersion { version } => writer.u16(*version),
        FromHost::ClaimRefused { pid } => writer.u32(*pid),
        FromHost::Adopt { session, .. } | FromHost::Listed(session) => {
            write_state(session, writer)?
        }
        FromHost::Journal { index, .. } => writer.u16(*index),
        FromHost::Spawned { request, session, pid, .. } => {
            writer.u64(*request).session(*session).u32(*pid)
        }
        FromHost::SpawnFailed { request, error } => {
            let errno = u32::try_from(error.errno).map_err(|_| WireError::Invalid("error"))?;
            writer.u64(*request).u8(stage_byte(error.stage)).u32(errno)
        }
        FromHost::SpawnRefused { request, reason } => {
            writer.u64(*request).u8(refusal_byte(*reason))
        }
        FromHost::Exited { session, status } => writer.session(*session).status(*status),
        FromHost::Closed { session } | FromHost::Signalled { session } => writer.session(*session),
        FromHost::Refused { session, reason } => writer.session(*session).u8(refusal_byte(*reason)),
        FromHost::Claimed | FromHost::AdoptEnd | FromHost::ListEnd => writer,
    };
    Ok(())
}

/// The message of these bytes and descriptors; those that it has no place for are dropped with the
/// error.
///
/// # Errors
/// When they are not exactly one message.
pub fn decode_from_host<F>(bytes: &[u8], fds: Vec<F>) -> Result<FromHost<F>, WireError> {
    let mut reader = Reader::new(bytes)?;
    let message = match reader.u8("kind")? {
        ADOPT => FromHost::Adopt {
            session: state(&mut reader)?,
            fds: SessionFds::from_array(three(fds)?),
        },
        JOURNAL => FromHost::Journal {
            index: reader.u16("journal")?,
            fds: JournalFds::from_array(three(fds)?),
        },
        SPAWNED => FromHost::Spawned {
            request: reader.u64("request")?,
            session: reader.session()?,
            pid: reader.u32("pid")?,
            fds: SessionFds::from_array(three(fds)?),
        },
        kind => {
            none(&fds)?;
            decode_plain(kind, &mut reader)?
        }
    };
    reader.finish()?;
    Ok(message)
}

fn decode_plain<F>(kind: u8, reader: &mut Reader<'_>) -> Result<FromHost<F>, WireError> {
    Ok(match kind {
        WELCOME => FromHost::Welcome { version: reader.u16("version")?, pid: reader.u32("pid")? },
        WRONG_VERSION => FromHost::WrongVersion { version: reader.u16("version")? },
        CLAIMED => FromHost::Claimed,
        CLAIM_REFUSED => FromHost::ClaimRefused { pid: reader.u32("pid")? },
        ADOPT_END => FromHost::AdoptEnd,
        SPAWN_FAILED => {
            FromHost::SpawnFailed { request: reader.u64("request")?, error: spawn_error(reader)? }
        }
        SPAWN_REFUSED => FromHost::SpawnRefused {
            request: reader.u64("request")?,
            reason: refusal(reader.u8("reason")?)?,
        },
        EXITED => FromHost::Exited { session: reader.session()?, status: reader.status()? },
        CLOSED => FromHost::Closed { session: reader.session()? },
        SIGNALLED => FromHost::Signalled { session: reader.session()? },
        REFUSED => {
            FromHost::Refused { session: reader.session()?, reason: refusal(reader.u8("reason")?)? }
        }
        LISTED => FromHost::Listed(state(reader)?),
        LIST_END => FromHost::ListEnd,
        unknown => return Err(WireError::UnknownKind(unknown)),
    })
}

fn write_state<'a>(
    state: &SessionState,
    writer: &'a mut Writer,
) -> Result<&'a mut Writer, WireError> {
    writer.session(state.session).u32(state.pid);
    writer.u64(state.created_unix_ms);
    match state.life {
        Life::Running => writer.u8(0),
        Life::Exited(status) => writer.u8(1).status(status),
        Life::Closing => writer.u8(2),
    };
    writer.meta(&state.meta)
}

fn state(reader: &mut Reader<'_>) -> Result<SessionState, WireError> {
    Ok(SessionState {
        session: reader.session()?,
        pid: reader.u32("pid")?,
        created_unix_ms: reader.u64("time")?,
        life: match reader.u8("life")? {
            0 => Life::Running,
            1 => Life::Exited(reader.status()?),
            2 => Life::Closing,
            _ => return Err(WireError::Invalid("life")),
        },
        meta: reader.meta()?,
    })
}

fn spawn_error(reader: &mut Reader<'_>) -> Result<SpawnError, WireError> {
    let stage = usize::from(reader.u8("stage")?);
    let stage = Stage::ALL.get(stage).ok_or(WireError::Invalid("stage"))?;
    let errno = reader.u32("error")?;
    Ok(SpawnError {
        stage: *stage,
        errno: i32::try_from(errno).map_err(|_| WireError::Invalid("error"))?,
    })
}

/// Position in [`Stage::ALL`].
fn stage_byte(stage: Stage) -> u8 {
    stage as u8
}

pub(super) const REFUSALS: [Refusal; 7] = [
    Refusal::NotClaimed,
    Refusal::UnknownSession,
    Refusal::DuplicateSession,
    Refusal::TooManySessions,
    Refusal::NoProcess,
    Refusal::NotPermitted,
    Refusal::Stopping,
];

/// Position in [`REFUSALS`].
fn refusal_byte(reason: Refusal) -> u8 {
    reason as u8
}

fn refusal(byte: u8) -> Result<Refusal, WireError> {
    let reason = REFUSALS.get(usize::from(byte));
    reason.copied().ok_or(WireError::Invalid("reason"))
}
