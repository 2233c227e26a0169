//! The reader in a session: keeps what arrives as input, byte for byte.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::frame::Hello;
use crate::pattern::{Discipline, sum};
use crate::seqgen::set_modes;
use crate::viewer::{Connection, Lost};

/// Where `testkit seqsink` keeps what it reads.
#[derive(Clone, Debug, Args)]
pub struct SeqsinkArgs {
    /// File to which everything that is read is appended
    #[arg(long)]
    pub log: PathBuf,
    /// End with status 0 once this many bytes were read; else at the end of input or a byte 4
    #[arg(long)]
    pub until: Option<u64>,
}

/// Bytes of a numbered record of input.
pub const INPUT_BYTES: usize = 43;

/// What a sink says when its terminal is raw.
const READY: &str = "ready";
/// What ends a sink that does not count: end of transmission.
pub const END: &[u8] = &[4];

impl SeqsinkArgs {
    /// Reads standard input. Says `ready` when the terminal is raw, and after each read how many
    /// bytes have come in all, one number a line.
    ///
    /// # Errors
    /// When the terminal or the log fail.
    pub fn run(&self) -> io::Result<u8> {
        let (input, mut out) = (io::stdin(), io::stdout());
        set_modes(&input, Discipline::Raw)?;
        let mut log = OpenOptions::new().append(true).create(true).open(&self.log)?;
        out.write_all(format!("{READY}\r\n").as_bytes())?;
        out.flush()?;
        let mut total = 0;
        let mut buffer = [0; 4096];
        while self.until.is_none_or(|until| total < until) {
            let len = rustix::io::retry_on_intr(|| rustix::io::read(&input, &mut buffer))?;
            let ends = self.until.is_none() && buffer[..len].ends_with(END);
            log.write_all(&buffer[..len - usize::from(ends)])?;
            if ends || len == 0 {
                break;
            }
            total += len as u64;
            out.write_all(format!("{total}\r\n").as_bytes())?;
            out.flush()?;
        }
        Ok(0)
    }
}

/// Waits until a sink reads raw input: what is typed before is not taken as it is.
///
/// # Errors
/// When the sink does not say so.
pub fn wait_until_ready(
    address: SocketAddr,
    session: &str,
    patience: Duration,
) -> Result<(), Lost> {
    let hello = Hello { client: u64::MAX, features: vec!["raw"], ..Hello::default() };
    let mut viewer = Connection::open(address, session, &hello, patience)?;
    viewer.read_until(patience, READY).map(drop)
}

/// The record of a client's input number: `CLIENT NUMBER SUM` and a line feed.
#[must_use]
pub fn input_record(client: u64, number: u64) -> Vec<u8> {
    let mut record = format!("{client:016x} {number:016x} ").into_bytes();
    let sum = sum(&record);
    record.extend_from_slice(format!("{sum:08x}\n").as_bytes());
    record
}

/// Reads a log of records back: client and number of each.
///
/// # Errors
/// The index of the first byte that does not begin a whole, right record.
pub fn parse_log(log: &[u8]) -> Result<Vec<(u64, u64)>, usize> {
    let mut records = Vec::new();
    for (index, record) in log.chunks(INPUT_BYTES).enumerate() {
        let parsed = parse_record(record).ok_or(index * INPUT_BYTES)?;
        records.push(parsed);
    }
    Ok(records)
}

fn parse_record(record: &[u8]) -> Option<(u64, u64)> {
    let text = std::str::from_utf8(record).ok()?;
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    let (client, at) = (number(text.get(..16)?)?, number(text.get(17..33)?)?);
    (input_record(client, at) == record).then_some((client, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_back_and_damage_is_found() {
        let log: Vec<u8> = (1..=3).flat_map(|number| input_record(9, number)).collect();
        assert_eq!(log.len(), 3 * INPUT_BYTES);
        assert_eq!(parse_log(&log), Ok(vec![(9, 1), (9, 2), (9, 3)]));
        assert_eq!(parse_log(&log[..50]), Err(INPUT_BYTES));
        let mut damaged = log;
        damaged[INPUT_BYTES * 2 + 20] = b'7';
        assert_eq!(parse_log(&damaged), Err(INPUT_BYTES * 2));
    }
}
