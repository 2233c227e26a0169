//! The rules of the house and the report about them.
//!
//! Each rule is a pure function from the tree (and what cargo says about it) to findings, so that
//! its tests can hand it a tree that breaks it.

mod bans;
mod edges;
mod glossary;
pub(crate) mod guarantees;
mod markdown;
mod names;
mod roots;
mod sizes;
mod tree;
mod workspace;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use anyhow::Context as _;

use glossary::Glossary;
use tree::Tree;
use workspace::Workspace;

/// What tidy has to say about the tree.
#[derive(Debug)]
pub(crate) struct Report {
    findings: Vec<Finding>,
    files: usize,
}

/// One place that breaks a rule, or comes near to it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    severity: Severity,
    place: String,
    message: String,
}

/// Whether a finding fails the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    /// Worth a word in a review.
    Note,
    /// Fails the check.
    Failure,
}

/// Checks the workspace at `root` against every rule.
///
/// # Errors
/// When the tree, the glossary or what `cargo metadata` says cannot be read.
pub(crate) fn check(root: &Path) -> anyhow::Result<Report> {
    let tree = Tree::read(root).context("reading the source tree")?;
    let workspace = Workspace::read(root).context("reading the workspace")?;
    let glossary = Glossary::read(&tree).context("reading docs/glossary.md")?;
    let mut findings = tree.unreadable().to_vec();
    findings.extend(edges::check(&workspace));
    findings.extend(sizes::check(&tree));
    findings.extend(names::check(&tree, &glossary));
    findings.extend(markdown::check(&tree));
    findings.extend(roots::check(&workspace, &tree));
    findings.extend(bans::check(&tree));
    findings.extend(guarantees::check(&tree));
    Ok(Report { findings, files: tree.len() })
}

impl Report {
    /// Whether no rule is broken.
    pub(crate) fn passed(&self) -> bool {
        self.count(Severity::Failure) == 0
    }

    fn count(&self, severity: Severity) -> usize {
        let same = |finding: &&Finding| finding.severity == severity;
        self.findings.iter().filter(same).count()
    }
}

impl Finding {
    fn failure(place: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { severity: Severity::Failure, place: place.to_string(), message: message.into() }
    }

    fn note(place: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::failure(place, message) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        writeln!(
            f,
            "tidy: {} files, {} failures, {} notes",
            self.files,
            self.count(Severity::Failure),
            self.count(Severity::Note)
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Note => "note",
            Severity::Failure => "FAIL",
        };
        write!(f, "{word}  {}: {}", self.place, self.message)
    }
}
