//! The rows of the security catalogue (docs/security.md) that need the real gateway, real sockets
//! and real programs. Tests are named after their rows.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod audit;
mod canary;
mod catalogue;
mod children;
mod flood;
mod gateway;
mod processes;
mod revocation;
mod start;
mod websocket;
