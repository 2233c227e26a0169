//! `hither version`: the version and the protocol spoken.

use crate::failure::{Exit, Failure};
use crate::output;

/// Prints both in one line.
pub(crate) fn run() -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    output::print(&format!("hither {version} (protocol hither.v1)\n"))?;
    Ok(Exit::Success)
}
