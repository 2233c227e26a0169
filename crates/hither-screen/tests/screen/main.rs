//! Tests of the screen from outside: its laws, on random and on recorded output.
#![allow(clippy::print_stdout, reason = "what was measured belongs into the log of the test")]

mod common;
mod hostile;
mod oracle;
mod oracle_random;
mod oracle_recorded;
mod recorded;
mod skip_law;
mod snapshot_law;
