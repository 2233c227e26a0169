//! An honest load test for web terminals, with its own floor.
#![forbid(unsafe_code)]

pub mod content;
pub mod stats;
