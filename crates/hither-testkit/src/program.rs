//! Where the test kit's own program is, which runs inside sessions.

use std::path::PathBuf;
use std::process::Command;

/// Name of the environment variable that names the program, for tests of installed kits.
const VARIABLE: &str = "HITHER_TESTKIT";

/// The program `testkit`, built if it has to be: cargo builds programs for the tests of their own
/// crate only.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn testkit() -> PathBuf {
    if let Some(path) = std::env::var_os(VARIABLE) {
        return path.into();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--locked", "--package", "hither-testkit", "--bin", "testkit"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .status()
        .expect("cargo runs");
    assert!(built.success(), "building the test kit");
    let here = std::env::current_exe().expect("a program has a path");
    // target/debug/deps/TEST → target/debug/testkit
    let folder = here.parent().and_then(std::path::Path::parent).expect("a test lies in deps");
    folder.join("testkit")
}
