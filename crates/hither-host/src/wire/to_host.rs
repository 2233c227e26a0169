//! Bytes of the messages to the host.

use super::field::{Reader, Writer};
use super::{WireError, none, three};
use crate::limits::{JOURNALS_MAX, MEMORY_BYTES_MAX};
use crate::message::{JournalFds, OnClose, SignalTarget, SpawnRequest, ToHost};

// HELLO, its kind and its layout, is the same in every version.
const HELLO: u8 = 1;
const CLAIM: u8 = 2;
const SPAWN: u8 = 3;
const SIGNAL: u8 = 4;
const CLOSE: u8 = 5;
const LIST: u8 = 6;
const PUT_JOURNAL: u8 = 7;
const SET_META: u8 = 8;
const STOP: u8 = 9;

/// The bytes of a message and its descriptors.
///
/// # Errors
/// When a field exceeds its limit.
pub fn encode_to_host<F>(message: &ToHost<F>) -> Result<(Vec<u8>, Option<[&F; 3]>), WireError> {
    let mut fds = None;
    let writer = match message {
        ToHost::Hello { version } => {
            let mut writer = Writer::new(HELLO);
            writer.u16(*version);
            writer
        }
        ToHost::Claim => Writer::new(CLAIM),
        ToHost::Spawn(request) => spawn(request)?,
        ToHost::Signal { session, signal, target } => {
            let number = signal.as_raw();
            let number = u8::try_from(number).map_err(|_| WireError::Invalid("signal"))?;
            let mut writer = Writer::new(SIGNAL);
            writer.session(*session).u8(number).u8(target_byte(*target));
            writer
        }
        ToHost::Close { session } => {
            let mut writer = Writer::new(CLOSE);
            writer.session(*session);
            writer
        }
        ToHost::List => Writer::new(LIST),
        ToHost::PutJournal { index, fds: three } => {
            fds = Some(three.as_array());
            let mut writer = Writer::new(PUT_JOURNAL);
            writer.u16(journal_index(*index)?);
            writer
        }
        ToHost::SetMeta { session, meta } => {
            let mut writer = Writer::new(SET_META);
            writer.session(*session).meta(meta)?;
            writer
        }
        ToHost::Stop => Writer::new(STOP),
    };
    Ok((writer.finish()?, fds))
}

/// The message of these bytes and descriptors; those that it has no place for are dropped with the
/// error.
///
/// # Errors
/// When they are not exactly one message.
pub fn decode_to_host<F>(bytes: &[u8], fds: Vec<F>) -> Result<ToHost<F>, WireError> {
    let mut reader = Reader::new(bytes)?;
    let kind = reader.u8("kind")?;
    let message = if kind == PUT_JOURNAL {
        let index = journal_index(reader.u16("journal")?)?;
        let fds = JournalFds::from_array(three(fds)?);
        ToHost::PutJournal { index, fds }
    } else {
        none(&fds)?;
        decode_plain(kind, &mut reader)?
    };
    reader.finish()?;
    Ok(message)
}

fn decode_plain<F>(kind: u8, reader: &mut Reader<'_>) -> Result<ToHost<F>, WireError> {
    Ok(match kind {
        HELLO => ToHost::Hello { version: reader.u16("version")? },
        CLAIM => ToHost::Claim,
        SPAWN => ToHost::Spawn(Box::new(spawn_request(reader)?)),
        SIGNAL => ToHost::Signal {
            session: reader.session()?,
            signal: reader.signal()?,
            target: target(reader.u8("target")?)?,
        },
        CLOSE => ToHost::Close { session: reader.session()? },
        LIST => ToHost::List,
        SET_META => ToHost::SetMeta { session: reader.session()?, meta: reader.meta()? },
        STOP => ToHost::Stop,
        unknown => return Err(WireError::UnknownKind(unknown)),
    })
}

fn spawn(request: &SpawnRequest) -> Result<Writer, WireError> {
    let mut writer = Writer::new(SPAWN);
    writer.u64(request.request).session(request.session);
    writer.path("program", &request.program)?;
    writer.strings("arguments", &request.argv)?;
    writer.strings("environment", &request.env)?;
    writer.path("directory", &request.cwd)?;
    writer.u16(umask(request.umask)?).size(request.size);
    writer.u64(memory_bytes(request.memory_bytes)?);
    writer.meta(&request.meta)?.u8(on_close_byte(request.on_close));
    Ok(writer)
}

fn spawn_request(reader: &mut Reader<'_>) -> Result<SpawnRequest, WireError> {
    Ok(SpawnRequest {
        request: reader.u64("request")?,
        session: reader.session()?,
        program: reader.path("program")?,
        argv: reader.strings("arguments")?,
        env: reader.strings("environment")?,
        cwd: reader.path("directory")?,
        umask: umask(reader.u16("umask")?)?,
        size: reader.size()?,
        memory_bytes: memory_bytes(reader.u64("memory size")?)?,
        meta: reader.meta()?,
        on_close: on_close(reader.u8("end")?)?,
    })
}

fn on_close_byte(on_close: OnClose) -> u8 {
    match on_close {
        OnClose::Hup => 0,
        OnClose::Kill => 1,
        OnClose::Keep => 2,
    }
}

fn on_close(byte: u8) -> Result<OnClose, WireError> {
    match byte {
        0 => Ok(OnClose::Hup),
        1 => Ok(OnClose::Kill),
        2 => Ok(OnClose::Keep),
        _ => Err(WireError::Invalid("end")),
    }
}

fn umask(mask: u16) -> Result<u16, WireError> {
    if mask <= 0o777 { Ok(mask) } else { Err(WireError::Invalid("umask")) }
}

fn memory_bytes(bytes: u64) -> Result<u64, WireError> {
    if (1..=MEMORY_BYTES_MAX).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(WireError::Invalid("memory size"))
    }
}

fn journal_index(index: u16) -> Result<u16, WireError> {
    if index < JOURNALS_MAX { Ok(index) } else { Err(WireError::Invalid("journal")) }
}

fn target_byte(target: SignalTarget) -> u8 {
    match target {
        SignalTarget::Leader => 0,
        SignalTarget::Group => 1,
        SignalTarget::Foreground => 2,
    }
}

fn target(byte: u8) -> Result<SignalTarget, WireError> {
    match byte {
        0 => Ok(SignalTarget::Leader),
        1 => Ok(SignalTarget::Group),
        2 => Ok(SignalTarget::Foreground),
        _ => Err(WireError::Invalid("target")),
    }
}
