//! Fields of the messages: each is written and read by one pair of functions.

use std::ffi::CString;

use hither_core::{SessionId, WindowSize};
use hither_pty::{ExitStatus, Signal};

use super::WireError;
use crate::limits::{MESSAGE_BYTES_MAX, META_BYTES_MAX, PATH_BYTES_MAX, STRINGS_MAX};

/// Writes fields; the limits are checked as they are when reading.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new(kind: u8) -> Self {
        Self(vec![kind])
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, WireError> {
        limit("message", self.0.len(), MESSAGE_BYTES_MAX)?;
        Ok(self.0)
    }

    pub(super) fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    pub(super) fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    pub(super) fn session(&mut self, session: SessionId) -> &mut Self {
        self.raw(session.as_bytes())
    }

    pub(super) fn size(&mut self, size: WindowSize) -> &mut Self {
        self.u16(size.cols()).u16(size.rows())
    }

    pub(super) fn status(&mut self, status: ExitStatus) -> &mut Self {
        let (kind, value) = match status {
            ExitStatus::Code(code) => (0, code),
            ExitStatus::Signal { signal, core_dumped: false } => (1, signal),
            ExitStatus::Signal { signal, core_dumped: true } => (2, signal),
            ExitStatus::Unknown => (3, 0),
        };
        self.u8(kind).u8(value)
    }

    pub(super) fn meta(&mut self, meta: &[u8]) -> Result<&mut Self, WireError> {
        self.bytes("meta", meta, META_BYTES_MAX)
    }

    pub(super) fn path(&mut self, field: &'static str, path: &CString) -> Result<(), WireError> {
        self.bytes(field, path.as_bytes(), PATH_BYTES_MAX)?;
        Ok(())
    }

    pub(super) fn strings(
        &mut self,
        field: &'static str,
        strings: &[CString],
    ) -> Result<(), WireError> {
        let count = limit(field, strings.len(), STRINGS_MAX)?;
        let count = u16::try_from(count).map_err(|_| WireError::Invalid(field))?;
        self.u16(count);
        for string in strings {
            self.bytes(field, string.as_bytes(), MESSAGE_BYTES_MAX)?;
        }
        Ok(())
    }

    fn bytes(
        &mut self,
        field: &'static str,
        bytes: &[u8],
        max: usize,
    ) -> Result<&mut Self, WireError> {
        let len = limit(field, bytes.len(), max)?;
        let len = u32::try_from(len).map_err(|_| WireError::Invalid(field))?;
        Ok(self.u32(len).raw(bytes))
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

/// Reads fields from what is left of a message.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, WireError> {
        limit("message", bytes.len(), MESSAGE_BYTES_MAX)?;
        Ok(Self(bytes))
    }

    /// Makes sure that nothing is left.
    pub(super) fn finish(&self) -> Result<(), WireError> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(WireError::Trailing(left)),
        }
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        Ok(u8::from_le_bytes(self.array(field)?))
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        Ok(u16::from_le_bytes(self.array(field)?))
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        Ok(u32::from_le_bytes(self.array(field)?))
    }

    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        Ok(u64::from_le_bytes(self.array(field)?))
    }

    pub(super) fn session(&mut self) -> Result<SessionId, WireError> {
        let text = self.array::<{ SessionId::LEN }>("session")?;
        let text = std::str::from_utf8(&text).map_err(|_| WireError::Invalid("session"))?;
        text.parse().map_err(|_| WireError::Invalid("session"))
    }

    pub(super) fn size(&mut self) -> Result<WindowSize, WireError> {
        let (cols, rows) = (self.u16("window size")?, self.u16("window size")?);
        WindowSize::new(cols.into(), rows.into()).map_err(|_| WireError::Invalid("window size"))
    }

    pub(super) fn signal(&mut self) -> Result<Signal, WireError> {
        let number = self.u8("signal")?.into();
        Signal::from_named_raw(number).ok_or(WireError::Invalid("signal"))
    }

    pub(super) fn status(&mut self) -> Result<ExitStatus, WireError> {
        let (kind, value) = (self.u8("exit status")?, self.u8("exit status")?);
        match (kind, value) {
            (0, code) => Ok(ExitStatus::Code(code)),
            (1 | 2, signal) => Ok(ExitStatus::Signal { signal, core_dumped: kind == 2 }),
            (3, 0) => Ok(ExitStatus::Unknown),
            _ => Err(WireError::Invalid("exit status")),
        }
    }

    pub(super) fn meta(&mut self) -> Result<Vec<u8>, WireError> {
        Ok(self.bytes("meta", META_BYTES_MAX)?.to_vec())
    }

    pub(super) fn path(&mut self, field: &'static str) -> Result<CString, WireError> {
        self.string(field, PATH_BYTES_MAX)
    }

    pub(super) fn strings(&mut self, field: &'static str) -> Result<Vec<CString>, WireError> {
        let count = limit(field, self.u16(field)?.into(), STRINGS_MAX)?;
        (0..count).map(|_| self.string(field, MESSAGE_BYTES_MAX)).collect()
    }

    fn string(&mut self, field: &'static str, max: usize) -> Result<CString, WireError> {
        CString::new(self.bytes(field, max)?).map_err(|_| WireError::Invalid(field))
    }

    fn bytes(&mut self, field: &'static str, max: usize) -> Result<&'a [u8], WireError> {
        let len = usize::try_from(self.u32(field)?).map_err(|_| WireError::Invalid(field))?;
        limit(field, len, max)?;
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(WireError::Truncated(field))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(WireError::Truncated(field))?;
        self.0 = rest;
        Ok(*array)
    }
}

fn limit(field: &'static str, len: usize, max: usize) -> Result<usize, WireError> {
    if len <= max { Ok(len) } else { Err(WireError::TooLong { field, len, max }) }
}
