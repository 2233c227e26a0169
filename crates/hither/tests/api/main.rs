//! The HTTP API on a real gateway, with real programs on real PTYs.

mod agent;
mod session;
mod shell;
