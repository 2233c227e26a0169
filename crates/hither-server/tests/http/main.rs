//! The control plane as a stranger sees it: real sockets, a real server, sessions that are a double.

#![allow(clippy::unwrap_used, reason = "clippy.toml lets only test functions unwrap, not helpers")]

mod abuse;
mod agent;
mod api;
mod client;
mod document;
mod double;
mod grants;
mod harness;
mod hostile;
mod hosts;
mod http2;
mod levels;
mod limits;
mod matrix;
mod openapi;
mod pages;
mod profiles;
mod provider;
mod proxied;
mod shares;
mod shutdown;
mod sign_on;
mod signed_on;
mod streams;
mod upgrade;
mod users;
