//! The control plane as a stranger sees it: real sockets, a real server, sessions that are a double.

mod api;
mod client;
mod double;
mod harness;
mod hosts;
mod limits;
mod matrix;
mod pages;
mod shutdown;
mod streams;
mod upgrade;
