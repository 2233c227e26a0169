//! An honest load test for web terminals, with its own floor.
#![forbid(unsafe_code)]

pub mod child;
pub mod content;
mod engine;
pub mod floor;
pub mod link;
mod loads;
pub mod report;
mod scenario;
pub mod stats;
mod target;
mod wire;
