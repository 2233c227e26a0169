//! What docs/reliability.md claims, and the tests that prove it.
//!
//! `docs/guarantees.toml` names for each promise the tests that prove it. The table in the document
//! is written from it and from the results of a test run; a promise without a test that passed is
//! printed as not claimed. The rule: every test that is named exists, and the document says what
//! the file says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use proc_macro2::{TokenStream, TokenTree};
use serde::Deserialize;
use syn::visit::{self, Visit};

use super::Finding;
use super::tree::{File, Tree};

/// Where the promises are.
pub(crate) const CLAIMS: &str = "docs/guarantees.toml";
/// Where the table is.
pub(crate) const DOCUMENT: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- guarantees: written by `cargo xtask guarantees` -->";
const END: &str = "<!-- end of guarantees -->";

/// All promises.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    promise: Vec<Promise>,
}

/// One row of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Promise {
    /// What happens.
    event: String,
    /// What is promised then.
    says: String,
    /// Names of test functions that prove it, all of which must pass.
    tests: Vec<String>,
}

/// Names of the tests that passed, last segments of their paths.
pub(crate) type Passed = std::collections::BTreeSet<String>;

impl Claims {
    /// Reads the promises.
    ///
    /// # Errors
    /// When the text is not what is expected.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        toml::from_str(text).context("reading docs/guarantees.toml")
    }

    /// Every test that is named.
    pub(crate) fn tests(&self) -> impl Iterator<Item = &str> {
        self.promise.iter().flat_map(|promise| promise.tests.iter().map(String::as_str))
    }

    /// The table, given where tests are and which of them passed.
    fn table(&self, places: &BTreeMap<String, PathBuf>, passed: &dyn Fn(&str) -> bool) -> String {
        let mut table = String::from("| event | promise | proven by |\n|---|---|---|\n");
        for Promise { event, says, tests } in &self.promise {
            let proven = !tests.is_empty() && tests.iter().all(|test| passed(test));
            let says = if proven { says.as_str() } else { "not claimed" };
            let links: Vec<String> = tests
                .iter()
                .map(|test| match places.get(test) {
                    Some(path) => format!("[`{test}`](../{})", path.display()),
                    None => format!("`{test}`"),
                })
                .collect();
            writeln!(table, "| {event} | {says} | {} |", links.join("<br>"))
                .expect("writing to a String cannot fail");
        }
        table
    }
}

/// The document with its table written anew.
///
/// # Errors
/// When the document has no place for it.
pub(crate) fn rewrite(
    root: &Path,
    document: &str,
    claims: &Claims,
    passed: &Passed,
) -> anyhow::Result<String> {
    let tree = Tree::read(root).context("reading the source tree")?;
    let places = tests(&tree).into_iter().map(|(test, mut at)| (test, at.swap_remove(0))).collect();
    let table = claims.table(&places, &|test| passed.contains(test));
    let (before, _, after) = split(document).context("docs/reliability.md has no table")?;
    Ok(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

/// The tests that passed, from what nextest or libtest print.
pub(crate) fn passed(results: &str) -> Passed {
    let line = |line: &str| {
        let line = line.trim();
        // PASS [   0.005s] (1/2) crate::binary module::test, or: test module::test ... ok
        let path = if let Some(rest) = line.strip_prefix("PASS ") {
            rest.rsplit(' ').next()
        } else {
            line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... ok"))
        }?;
        path.rsplit("::").next().map(str::to_owned)
    };
    results.lines().filter_map(line).collect()
}

/// Finds claims without tests, and a document that says something else than the claims.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let (Some(claims), Some(document)) =
        (tree.file(Path::new(CLAIMS)), tree.file(Path::new(DOCUMENT)))
    else {
        return Vec::new();
    };
    let claims = match Claims::parse(&claims.text) {
        Ok(claims) => claims,
        Err(error) => return vec![Finding::failure(CLAIMS, format!("{error:#}"))],
    };
    let tests = tests(tree);
    let mut findings: Vec<Finding> = claims
        .tests()
        .filter_map(|test| match tests.get(test).map_or(0, Vec::len) {
            1 => None,
            0 => Some(Finding::failure(CLAIMS, format!("no test is called {test}"))),
            _ => Some(Finding::failure(CLAIMS, format!("several tests are called {test}"))),
        })
        .collect();
    let places = tests.into_iter().map(|(test, mut at)| (test, at.swap_remove(0))).collect();
    let Some((_, table, _)) = split(&document.text) else {
        findings.push(Finding::failure(DOCUMENT, "expected a table of guarantees"));
        return findings;
    };
    // Either everything passed, or the row says that it is not claimed.
    let full = claims.table(&places, &|_| true);
    let none = claims.table(&places, &|_| false);
    let agrees = table.trim().lines().count() == full.lines().count()
        && table
            .trim()
            .lines()
            .zip(full.lines().zip(none.lines()))
            .all(|(found, (all, no))| found == all || found == no);
    if !agrees {
        let message = "differs from docs/guarantees.toml; write it with `make guarantees`";
        findings.push(Finding::failure(DOCUMENT, message));
    }
    findings
}

/// What is before the table, in it, and behind it.
fn split(document: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (table, after) = rest.split_once(END)?;
    Some((before, table, after))
}

/// All test functions of the tree, and the files they are in.
fn tests(tree: &Tree) -> BTreeMap<String, Vec<PathBuf>> {
    let mut tests: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for File { path, rust, .. } in tree.files_ending("rs") {
        let Some(rust) = rust else { continue };
        let mut found = Found(Vec::new());
        found.visit_file(rust);
        for name in found.0 {
            tests.entry(name).or_default().push(path.clone());
        }
    }
    tests
}

struct Found(Vec<String>);

impl<'ast> Visit<'ast> for Found {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        // `#[test]`, `#[tokio::test]` and the like.
        let is_test = |attribute: &syn::Attribute| {
            attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
        };
        if function.attrs.iter().any(is_test) {
            self.0.push(function.sig.ident.to_string());
        }
        visit::visit_item_fn(self, function);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if call.path.is_ident("proptest") {
            self.find_functions(call.tokens.clone());
        }
    }
}

impl Found {
    fn find_functions(&mut self, tokens: TokenStream) {
        let mut after_fn = false;
        for token in tokens {
            if let TokenTree::Ident(ident) = &token {
                if after_fn {
                    self.0.push(ident.to_string());
                }
                after_fn = ident == "fn";
            } else {
                after_fn = false;
            }
        }
    }
}
