//! The HTTP API on a real gateway, with real programs on real PTYs.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod agent;
mod session;
mod shell;
