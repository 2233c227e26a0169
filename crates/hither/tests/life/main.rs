//! The life of gateways and sessions, with the real program, real PTYs and real signals.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "in a test, a panic is the report, also of what was not expected"
)]

mod cgroups;
mod ends;
mod late;
mod limits;
mod place;
mod queries;
mod ready;
mod shortage;
mod sizes;
mod slow;
mod stop;
mod upgrade;
mod viewer_bytes;
mod watcher;
