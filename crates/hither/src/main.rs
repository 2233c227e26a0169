//! The `hither` binary.
#![forbid(unsafe_code)]

fn main() {}
