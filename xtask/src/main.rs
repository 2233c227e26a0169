//! House rules as a program: `cargo xtask tidy` checks what the compiler and clippy cannot.
#![forbid(unsafe_code)]

mod tidy;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use tidy::guarantees::{self, Claims};

const USAGE: &str = "\
usage: cargo xtask tidy
       cargo xtask guarantees [--tests] < RESULTS

  tidy        check dependency edges, sizes, names, markdown, lint bans and claims;
              docs/testing.md says which
  guarantees  write the table of docs/reliability.md from what nextest or libtest printed;
              --tests: print the tests that it needs, as a filter for nextest
";

fn main() -> anyhow::Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => tidy(),
        ["guarantees"] => write_guarantees(),
        ["guarantees", "--tests"] => print_filter(),
        _ => {
            std::io::stderr().write_all(USAGE.as_bytes())?;
            Ok(ExitCode::from(64))
        }
    }
}

fn tidy() -> anyhow::Result<ExitCode> {
    let report = tidy::check(workspace_root())?;
    std::io::stdout().write_all(report.to_string().as_bytes())?;
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn claims() -> anyhow::Result<Claims> {
    Claims::parse(&std::fs::read_to_string(workspace_root().join(guarantees::CLAIMS))?)
}

/// Fails, after it has written the table, when a promise is not proven.
fn write_guarantees() -> anyhow::Result<ExitCode> {
    let claims = claims()?;
    let mut results = String::new();
    std::io::stdin().read_to_string(&mut results)?;
    let passed = guarantees::passed(&results);
    let path = workspace_root().join(guarantees::DOCUMENT);
    let document = std::fs::read_to_string(&path)?;
    let document = guarantees::rewrite(workspace_root(), &document, &claims, &passed)?;
    std::fs::write(&path, document)?;
    let unproven: Vec<&str> = claims.tests().filter(|&test| !passed.contains(test)).collect();
    let said = if unproven.is_empty() {
        "every promise is proven\n".to_owned()
    } else {
        format!("did not pass: {}\n", unproven.join(", "))
    };
    std::io::stdout().write_all(said.as_bytes())?;
    Ok(if unproven.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_filter() -> anyhow::Result<ExitCode> {
    let claims = claims()?;
    let tests: Vec<String> = claims.tests().map(|test| format!("test(/(^|::){test}$/)")).collect();
    std::io::stdout().write_all(format!("{}\n", tests.join(" + ")).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The folder that holds the workspace, which is the parent of this crate.
fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the manifest of xtask is not at the root of the file system")
}
