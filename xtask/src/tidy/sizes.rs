//! Lengths of files and functions.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use super::Finding;
use super::tree::{File, Tree};

/// Lines of a file, tests apart: above the first, talk about it; above the second, split it.
const FILE_LINES: Limit = Limit { note: 400, fail: 600 };
/// Lines between the braces of a function.
const FUNCTION_LINES: Limit = Limit { note: 50, fail: 70 };
/// Lines of a test module inside a file; a longer one moves into a sibling `tests.rs`.
const TEST_MODULE_LINES_MAX: usize = 150;

struct Limit {
    note: usize,
    fail: usize,
}

/// Finds files and functions that are too long to be read in one go. Tests are free.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let sources = tree.files_ending("rs").chain(tree.scripts());
    sources.filter(|file| !file.is_test()).flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut visitor =
        Functions { path: file.path.display().to_string(), test_lines: 0, findings: Vec::new() };
    if let Some(rust) = &file.rust {
        visitor.visit_file(rust);
    }
    let lines = file.text.lines().count() - visitor.test_lines;
    let what = format!("{lines} lines without tests");
    visitor.findings.extend(FILE_LINES.judge(lines, &visitor.path, &what));
    visitor.findings
}

impl Limit {
    fn judge(&self, lines: usize, place: &str, what: &str) -> Option<Finding> {
        if lines > self.fail {
            let message = format!("{what}; the limit is {}", self.fail);
            Some(Finding::failure(place, message))
        } else if lines > self.note {
            let message = format!("{what}; talk about it above {}", self.note);
            Some(Finding::note(place, message))
        } else {
            None
        }
    }
}

/// Measures the functions of one file and the test modules to be left out.
struct Functions {
    path: String,
    test_lines: usize,
    findings: Vec<Finding>,
}

impl Functions {
    fn judge(&mut self, name: &syn::Ident, body: &syn::Block) {
        let span = body.span();
        let lines = (span.end().line - span.start().line).saturating_sub(1);
        let place = format!("{}:{}", self.path, name.span().start().line);
        let what = format!("function {name} has {lines} lines");
        self.findings.extend(FUNCTION_LINES.judge(lines, &place, &what));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test_module(item) {
            return visit::visit_item_mod(self, item);
        }
        let lines = item.span().end().line + 1 - item.span().start().line;
        self.test_lines += lines;
        if lines > TEST_MODULE_LINES_MAX {
            let message = format!("test module of {lines} lines; move it into tests.rs");
            self.findings.push(Finding::note(&self.path, message));
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.judge(&item.sig.ident, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.judge(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.judge(&item.sig.ident, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

/// Whether a module is compiled for tests only: `#[cfg(test)]`.
pub(super) fn is_test_module(item: &syn::ItemMod) -> bool {
    item.attrs.iter().any(|attribute| {
        let cfg = attribute.meta.require_list();
        cfg.is_ok_and(|list| list.path.is_ident("cfg") && list.tokens.to_string() == "test")
    })
}
