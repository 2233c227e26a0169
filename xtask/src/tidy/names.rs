//! Names that the glossary avoids.
//!
//! Only definitions are looked at: the names that other crates chose are theirs.

use std::path::Path;

use syn::visit::{self, Visit};

use super::Finding;
use super::glossary::{Avoided, Glossary};
use super::tree::{File, Tree};

/// A defined name and where it stands.
struct Name {
    text: String,
    line: usize,
    kind: Kind,
}

/// What a name is the name of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A function or method whose name is ours to choose.
    Function,
    /// Anything else.
    Other,
}

/// Finds every definition whose name contains words that the glossary avoids.
pub(super) fn check(tree: &Tree, glossary: &Glossary) -> Vec<Finding> {
    let rust = tree.files_ending("rs").map(|file| (file, rust_names(file)));
    let script = tree.scripts().map(|file| (file, script_names(&file.text)));
    let mut findings = Vec::new();
    for (file, names) in rust.chain(script) {
        for name in names {
            let avoided = glossary.avoided.iter();
            let hits = avoided.filter(|avoided| avoided.matches(&name, &file.path));
            findings.extend(hits.map(|avoided| {
                let place = format!("{}:{}", file.path.display(), name.line);
                let message = format!("`{}`: say {}", name.text, avoided.instead);
                Finding::failure(place, message)
            }));
        }
    }
    findings
}

impl Avoided {
    fn matches(&self, name: &Name, path: &Path) -> bool {
        let exempt = |krate: &String| path.starts_with(Path::new("crates").join(krate));
        if self.allowed_in.iter().any(exempt) {
            return false;
        }
        let words = words(&name.text);
        if self.prefix {
            let more = words.len() > self.words.len();
            return name.kind == Kind::Function && more && words.starts_with(&self.words);
        }
        words.windows(self.words.len()).any(|run| run == self.words)
    }
}

/// The words of an identifier in lower case: `slowConsumer_max` is slow, consumer, max.
pub(super) fn words(identifier: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last_was_lower = false;
    let mut open = false;
    for c in identifier.chars() {
        let starts = !open || (c.is_uppercase() && last_was_lower);
        open = c.is_alphanumeric();
        last_was_lower = c.is_lowercase() || c.is_numeric();
        if !open {
            continue;
        }
        if starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words
}

fn rust_names(file: &File) -> Vec<Name> {
    let mut visitor = Definitions { names: Vec::new() };
    if let Some(rust) = &file.rust {
        visitor.visit_file(rust);
    }
    visitor.names
}

/// The names that TypeScript code declares, line by line.
fn script_names(text: &str) -> Vec<Name> {
    const KEYWORDS: [&str; 8] =
        ["class", "const", "enum", "function", "interface", "let", "type", "var"];
    let mut names = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if code.starts_with("//") || code.starts_with('*') || code.starts_with("/*") {
            continue;
        }
        let mut tokens = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        while let Some(token) = tokens.next() {
            if !KEYWORDS.contains(&token) {
                continue;
            }
            let Some(text) = tokens.find(|token| !token.is_empty()) else {
                break;
            };
            names.push(Name {
                text: text.to_owned(),
                line: index + 1,
                kind: if token == "function" { Kind::Function } else { Kind::Other },
            });
        }
    }
    names
}

/// Collects what a Rust file defines.
struct Definitions {
    names: Vec<Name>,
}

impl Definitions {
    fn add(&mut self, ident: &syn::Ident, kind: Kind) {
        self.names.push(Name { text: ident.to_string(), line: ident.span().start().line, kind });
    }
}

impl<'ast> Visit<'ast> for Definitions {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "syn may add items; those without a name of their own are of no interest"
    )]
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let ident = match item {
            syn::Item::Const(item) => Some(&item.ident),
            syn::Item::Enum(item) => Some(&item.ident),
            syn::Item::Mod(item) => Some(&item.ident),
            syn::Item::Static(item) => Some(&item.ident),
            syn::Item::Struct(item) => Some(&item.ident),
            syn::Item::Trait(item) => Some(&item.ident),
            syn::Item::Type(item) => Some(&item.ident),
            _ => None,
        };
        if let Some(ident) = ident {
            self.add(ident, Kind::Other);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig.ident, Kind::Function);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let own = item.trait_.is_none();
        for member in &item.items {
            if let (true, syn::ImplItem::Fn(method)) = (own, member) {
                self.add(&method.sig.ident, Kind::Function);
            }
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.add(&item.sig.ident, Kind::Function);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_variant(&mut self, item: &'ast syn::Variant) {
        self.add(&item.ident, Kind::Other);
        visit::visit_variant(self, item);
    }

    fn visit_field(&mut self, item: &'ast syn::Field) {
        if let Some(ident) = &item.ident {
            self.add(ident, Kind::Other);
        }
        visit::visit_field(self, item);
    }

    fn visit_pat_ident(&mut self, item: &'ast syn::PatIdent) {
        self.add(&item.ident, Kind::Other);
        visit::visit_pat_ident(self, item);
    }
}
