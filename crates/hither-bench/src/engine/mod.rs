//! The load generator: one thread, one epoll, all connections.
//!
//! A [`Load`] decides what is typed when, and judges what comes back; it knows neither sockets nor
//! clocks, so the tests run it in virtual time. The [`Engine`] carries its wishes out. A key costs
//! three system calls (write, wait, read) and no allocation.

mod channel;
mod connection;
mod dial;
mod driver;
mod load;
#[cfg(test)]
pub(crate) mod simulation;

pub(crate) use connection::Failure;
pub(crate) use dial::Dial;
pub(crate) use driver::{Engine, Stop};
pub(crate) use load::{ConnectionId, Load, Wishes};
