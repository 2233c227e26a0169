//! An honest load test for web terminals, with its own floor.
//!
//! * Pure: [`stats`], [`content`], [`report`], the loads and the link's model. They have neither
//!   clock nor socket, and the tests run them in virtual time.
//! * Thin drivers: the engine that carries loads out, the link's proxy, the servers under test,
//!   the [`floor`] and the [session programs](child).
//!
//! [`run()`] is the command `hither bench`. Response time is from the moment a key was *due* to the
//! arrival of its own echo; every byte is judged by its content.
#![forbid(unsafe_code)]

mod args;
mod budget;
pub mod child;
pub mod content;
mod engine;
pub mod floor;
pub mod link;
mod loads;
mod pin;
mod plan;
pub mod report;
mod run;
mod scenario;
pub mod stats;
mod target;
mod wire;

pub use args::BenchArgs;
pub use run::run;
