//! Reading the fixed part of a body, field by field.

use hither_core::WindowSize;

use super::{FrameError, NUMBER_MAX};

/// A body from which fields are taken, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    frame: &'static str,
    body: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    #[inline]
    pub(super) const fn new(frame: &'static str, body: &'a [u8]) -> Self {
        Self { frame, body, rest: body }
    }

    #[inline]
    fn take<const LEN: usize>(&mut self) -> Result<[u8; LEN], FrameError> {
        let (field, rest) = self.rest.split_first_chunk().ok_or_else(|| self.wrong_length())?;
        self.rest = rest;
        Ok(*field)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Result<u8, FrameError> {
        self.take().map(u8::from_be_bytes)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Result<u16, FrameError> {
        self.take().map(u16::from_be_bytes)
    }

    /// All 64 bits.
    #[inline]
    pub(super) fn u64(&mut self) -> Result<u64, FrameError> {
        self.take().map(u64::from_be_bytes)
    }

    /// A number below 2^53.
    #[inline]
    pub(super) fn number(&mut self, field: &'static str) -> Result<u64, FrameError> {
        check_number(field, self.u64()?)
    }

    /// A window size, exactly as it is.
    pub(super) fn size(&mut self) -> Result<WindowSize, FrameError> {
        let (cols, rows) = (self.u16()?, self.u16()?);
        WindowSize::new(u32::from(cols), u32::from(rows)).map_err(|_| WINDOW_SIZE)
    }

    /// The bytes behind the fields, whose number is limited.
    #[inline]
    pub(super) fn bytes(self, min: usize, max: usize) -> Result<&'a [u8], FrameError> {
        if (min..=max).contains(&self.rest.len()) {
            Ok(self.rest)
        } else {
            Err(self.wrong_length())
        }
    }

    /// Nothing is behind the fields.
    #[inline]
    pub(super) fn end(self) -> Result<(), FrameError> {
        self.bytes(0, 0).map(|_| ())
    }

    const fn wrong_length(&self) -> FrameError {
        FrameError::BodyLength { frame: self.frame, len: self.body.len() }
    }
}

pub(super) const WINDOW_SIZE: FrameError =
    FrameError::OutOfRange { field: "window size", expected: "2x1 to 1000x500" };

/// Checks the bound of every offset, number and id.
#[inline]
pub(super) const fn check_number(field: &'static str, number: u64) -> Result<u64, FrameError> {
    if number <= NUMBER_MAX {
        Ok(number)
    } else {
        Err(FrameError::OutOfRange { field, expected: "below 2^53" })
    }
}
