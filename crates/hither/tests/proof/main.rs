//! What the gateway promises, proven from outside: docs/reliability.md says what and how.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test waits for what it is about")]
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]
#![expect(clippy::print_stdout, reason = "a run says what it did, and the seed that repeats it")]

mod chaos;
mod faults;
mod overload;
mod sessions;
mod stage;
mod sweep;
mod takeover;
