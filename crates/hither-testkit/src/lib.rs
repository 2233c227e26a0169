//! Proves from outside what the gateway promises.
//!
//! Links nothing of the product: what is checked and what checks it share no code. The programs
//! that run in sessions (`seqgen`, `seqsink`) write down what they did in files of their own; the
//! viewer speaks `hither.v1` as docs/protocol.md describes it, over an independent WebSocket; the
//! ledger compares the two. docs/reliability.md says how to use it.
#![forbid(unsafe_code)]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test waits for what it is about")]

pub mod account;
pub mod chaos;
pub mod contention;
pub mod fault;
pub mod frame;
pub mod gateway;
pub mod ledger;
pub mod pattern;
pub mod place;
pub mod process;
pub mod program;
pub mod proxy;
pub mod random;
pub mod seqgen;
pub mod seqsink;
pub mod sweep;
pub mod tracer;
pub mod typist;
pub mod viewer;
pub mod watch;
