//! Reading a log: all its files, in order.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use super::chain::{Checker, Flaw, Head, RECORD_BYTES_MAX};
use super::log::{CURRENT, HEAD, read_head};

/// Flaws that are told one by one; more are only counted.
pub const FLAWS_MAX: usize = 20;

/// What a check has found.
#[derive(Debug)]
pub struct Report {
    /// Records that were read.
    pub records: u64,
    /// Where the log ends.
    pub head: Head,
    /// The first flaws, with the file and the line; line 0 is the end of the log.
    pub flaws: Vec<(PathBuf, u64, Flaw)>,
    /// Number of flaws.
    pub flaw_count: u64,
    /// Whether the last record is half written: a crash came in between, before it was promised.
    pub torn: bool,
}

/// The files of a log in the order in which they were written, the full ones first.
///
/// # Errors
/// When the directory cannot be read.
pub fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut full = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if name.starts_with("audit-") && name.ends_with(".jsonl") {
            full.push(path);
        }
    }
    full.sort();
    let current = dir.join(CURRENT);
    if current.exists() {
        full.push(current);
    }
    Ok(full)
}

/// Checks a log. `first` is the number of its first record, 1 unless older files were moved into an
/// archive; `expected` is a head that was noted earlier.
///
/// # Errors
/// When a file cannot be read.
pub fn verify(dir: &Path, first: u64, expected: Option<Head>) -> io::Result<Report> {
    let stored = match File::open(dir.join(HEAD)) {
        Ok(file) => read_head(&file)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    check(&files(dir)?, first, stored.into_iter().chain(expected).collect())
}

/// Checks these files, one after the other; `known` are heads that they are known to have had.
///
/// # Errors
/// When a file cannot be read.
pub fn check(files: &[PathBuf], first: u64, known: Vec<Head>) -> io::Result<Report> {
    let mut checker = Checker::new(first, known);
    let head = checker.head().clone();
    let mut report = Report { records: 0, head, flaws: Vec::new(), flaw_count: 0, torn: false };
    for path in files {
        let mut number = 0;
        each_line(path, |line, whole| {
            number += 1;
            report.torn = !whole;
            if whole {
                report.records += 1;
                report.note(path, number, checker.handle_line(line).err());
            }
        })?;
    }
    report.head = checker.head().clone();
    let last = files.last().map_or_else(|| Path::new(CURRENT), PathBuf::as_path);
    report.note(last, 0, checker.finish().err());
    Ok(report)
}

/// Calls `handle` with each line of a file, and whether it ended with a line feed.
///
/// # Errors
/// When the file cannot be read.
pub fn each_line(path: &Path, mut handle: impl FnMut(&str, bool)) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let most = RECORD_BYTES_MAX as u64 + 1;
        let len = io::Read::take(&mut reader, most).read_until(b'\n', &mut bytes)?;
        if len == 0 {
            return Ok(());
        }
        let whole = bytes.ends_with(b"\n") || len as u64 == most;
        handle(String::from_utf8_lossy(&bytes).trim_end_matches('\n'), whole);
    }
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.flaw_count == 0
    }

    fn note(&mut self, path: &Path, line: u64, flaw: Option<Flaw>) {
        if let Some(flaw) = flaw {
            self.flaw_count += 1;
            if self.flaws.len() < FLAWS_MAX {
                self.flaws.push((path.to_owned(), line, flaw));
            }
        }
    }
}
