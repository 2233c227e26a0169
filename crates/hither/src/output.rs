//! Writing to standard output and standard error.

use std::io::{self, ErrorKind, Write as _};

use crate::escape::Escaped;
use crate::failure::{Exit, Failure};

/// Writes `text` to standard output as it is; what others said in it must be escaped by now.
///
/// A reader that has gone away (`hither ls | head -1`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    write(text.as_bytes())
}

fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes);
    match written.and_then(|()| stdout.flush()) {
        Err(err) if err.kind() != ErrorKind::BrokenPipe => {
            let message = format!("standard output cannot be written: {err}");
            Err(Failure::new(Exit::Internal, message))
        }
        _ => Ok(()),
    }
}

/// Writes bytes that a terminal obeys; only where somebody has asked for just that.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    write(bytes)
}

/// Writes a failure to standard error: one line, escaped, behind the name of the program.
pub(crate) fn print_failure(failure: &Failure) {
    let line = format!("hither: {}\n", Escaped(&failure.to_string()));
    // Nobody is left to be told when standard error itself is gone.
    io::stderr().write_all(line.as_bytes()).ok();
}
