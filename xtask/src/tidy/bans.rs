//! The `clippy.toml` of each pure crate.
//!
//! A crate's own `clippy.toml` replaces the one at the root and does not extend it. So a pure
//! crate repeats the root's settings and bans, and this rule makes sure that it does.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use toml::{Table, Value};

use super::Finding;
use super::edges::pure_crates;
use super::tree::Tree;

/// What no pure crate may call: a clock, a thread, the environment, a runtime, an order by chance.
const PURE_BANS: [&str; 12] = [
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::thread::spawn",
    "std::env::var",
    "std::env::var_os",
    "tokio::spawn",
    "std::collections::HashMap::iter",
    "std::collections::HashMap::iter_mut",
    "std::collections::HashMap::keys",
    "std::collections::HashMap::values",
    "std::collections::HashMap::values_mut",
    "std::collections::HashSet::iter",
];

/// Finds pure crates whose lint settings miss something of the root's, or a ban of their own.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let root = match read(tree, Path::new("clippy.toml")) {
        Ok(root) => root,
        Err(err) => return vec![Finding::failure("clippy.toml", format!("{err:#}"))],
    };
    pure_crates().flat_map(|name| check_crate(tree, &root, name)).collect()
}

fn check_crate(tree: &Tree, root: &Table, name: &str) -> Vec<Finding> {
    let path: PathBuf = ["crates", name, "clippy.toml"].iter().collect();
    let fail = |message: String| Finding::failure(path.display(), message);
    let own = match read(tree, &path) {
        Ok(own) => own,
        Err(err) => return vec![fail(format!("{err:#}"))],
    };
    let mut findings = Vec::new();
    for (key, value) in root {
        let same = own.get(key) == Some(value);
        if !same && !value.is_array() {
            findings.push(fail(format!("expected {key} = {value}, as at the root")));
        }
    }
    let banned = bans(&own);
    let wanted = bans(root).into_iter().chain(PURE_BANS);
    let missing = wanted.filter(|ban| !banned.contains(ban));
    findings.extend(missing.map(|ban| fail(format!("expected a ban of {ban} with a reason"))));
    findings
}

/// The paths below `disallowed-methods` that say their reason.
fn bans(settings: &Table) -> Vec<&str> {
    let rows = settings.get("disallowed-methods").and_then(Value::as_array);
    let reasoned = rows.into_iter().flatten().filter(|row| row.get("reason").is_some());
    let paths = reasoned.filter_map(|row| row.get("path"));
    paths.filter_map(Value::as_str).collect()
}

fn read(tree: &Tree, path: &Path) -> anyhow::Result<Table> {
    let file = tree.file(path).context("expected this file")?;
    file.text.parse().context("expected TOML")
}
