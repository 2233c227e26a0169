//! What the gateway promises, proven from outside: docs/reliability.md says what and how.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]
#![expect(clippy::print_stdout, reason = "a run says what it did, and the seed that repeats it")]

mod chaos;
