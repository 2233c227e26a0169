//! The words that names avoid, read from `docs/glossary.md`.

use std::path::Path;

use anyhow::{Context as _, ensure};

use super::tree::Tree;

/// Heading of the table that this module reads.
const HEADING: &str = "## Words that names avoid";

/// The table of words that names avoid.
#[derive(Debug)]
pub(super) struct Glossary {
    pub(super) avoided: Vec<Avoided>,
}

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Avoided {
    /// Words in lower case, in order: `slow consumer`.
    pub(super) words: Vec<String>,
    /// Whether the words must be at the start of the name of a function: `get_`.
    pub(super) prefix: bool,
    /// What to say.
    pub(super) instead: String,
    /// Crates in which the words have a meaning of their own.
    pub(super) allowed_in: Vec<String>,
}

impl Glossary {
    /// Reads the table from the glossary in the tree.
    pub(super) fn read(tree: &Tree) -> anyhow::Result<Self> {
        let file = tree.file(Path::new("docs/glossary.md"));
        Self::parse(&file.context("opening docs/glossary.md")?.text)
    }

    /// Reads the table below the heading: word, what to say instead, crates that may use it.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let (_, section) = text
            .split_once(HEADING)
            .with_context(|| format!("looking for the heading {HEADING:?}"))?;
        let section = section.split("\n## ").next().unwrap_or_default();
        let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
        let avoided = rows.map(Avoided::parse).collect::<anyhow::Result<Vec<_>>>()?;
        ensure!(!avoided.is_empty(), "the table below {HEADING:?} has no rows");
        Ok(Self { avoided })
    }
}

impl Avoided {
    fn parse(row: &str) -> anyhow::Result<Self> {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, instead, allowed_in] = cells.as_slice() else {
            anyhow::bail!("expected three cells in {row:?}");
        };
        let name = name.trim_matches('`');
        let words = name.split(['_', ' ']).filter(|word| !word.is_empty());
        Ok(Self {
            words: words.map(str::to_lowercase).collect(),
            prefix: name.ends_with('_'),
            instead: (*instead).to_owned(),
            allowed_in: allowed_in
                .split([',', ' ', '`', '–'])
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }
}
