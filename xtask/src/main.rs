//! House rules as a program: `cargo xtask tidy` checks what the compiler and clippy cannot.
#![forbid(unsafe_code)]

mod tidy;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask tidy

  tidy   check dependency edges, sizes, names, markdown and lint bans; docs/testing.md says which
";

fn main() -> anyhow::Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !matches!(words.as_slice(), [word] if word == "tidy") {
        std::io::stderr().write_all(USAGE.as_bytes())?;
        return Ok(ExitCode::from(64));
    }
    let report = tidy::check(workspace_root())?;
    std::io::stdout().write_all(report.to_string().as_bytes())?;
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The folder that holds the workspace, which is the parent of this crate.
fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the manifest of xtask is not at the root of the file system")
}
