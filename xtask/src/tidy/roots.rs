//! `#![forbid(unsafe_code)]` at the root of every crate that has no business with it.

use std::path::Path;

use super::Finding;
use super::tree::Tree;
use super::workspace::Workspace;

/// The only crates that talk to the kernel by hand.
const UNSAFE: [&str; 2] = ["hither-host", "hither-pty"];

/// Finds crate roots that do not forbid unsafe code. A root without items has nothing to forbid.
pub(super) fn check(workspace: &Workspace, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        if UNSAFE.contains(&package.name.as_str()) {
            continue;
        }
        for root in workspace.crate_roots(package) {
            if !forbids_unsafe(tree, root) {
                let message = "expected #![forbid(unsafe_code)]";
                findings.push(Finding::failure(root.display(), message));
            }
        }
    }
    findings
}

fn forbids_unsafe(tree: &Tree, root: &Path) -> bool {
    let Some(rust) = tree.file(root).and_then(|file| file.rust.as_ref()) else {
        return false;
    };
    let forbids = rust.attrs.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        list.is_ok_and(|list| {
            list.path.is_ident("forbid") && list.tokens.to_string().contains("unsafe_code")
        })
    });
    forbids || rust.items.is_empty()
}
