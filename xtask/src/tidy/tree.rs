//! The files that the rules look at.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Finding;

/// Folders that hold what tools wrote or fetched.
const SKIPPED: [&str; 9] = [
    ".git",
    "artifacts",
    "corpus",
    "web/dist",
    "node_modules",
    "out",
    "target",
    "test-results",
    "coverage",
];

/// Endings of the files whose text is read; of all others only the path is known.
const READ: [&str; 5] = ["md", "rs", "toml", "ts", "tsx"];

/// Folders that hold tests and nothing else.
const TEST_FOLDERS: [&str; 3] = ["e2e", "test", "tests"];

/// Every file of the repository by its path from the root.
pub(super) struct Tree {
    files: Vec<File>,
    paths: BTreeSet<PathBuf>,
    unreadable: Vec<Finding>,
}

/// One text file.
pub(super) struct File {
    /// Path from the root.
    pub(super) path: PathBuf,
    /// Its whole text.
    pub(super) text: String,
    /// What it says, if it is Rust.
    pub(super) rust: Option<syn::File>,
}

impl Tree {
    /// Reads the tree below `root`.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut paths = BTreeSet::new();
        walk(root, Path::new(""), &mut paths)?;
        let texts = paths
            .iter()
            .filter(|path| READ.iter().any(|ending| has_ending(path, ending)))
            .map(|path| {
                let text = fs::read_to_string(root.join(path))
                    .with_context(|| format!("reading {}", path.display()))?;
                Ok((path.clone(), text))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let mut tree = Self::from_texts(texts);
        tree.paths = paths;
        Ok(tree)
    }

    /// A tree of these files and nothing else.
    pub(super) fn from_texts(texts: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let mut tree = Self { files: Vec::new(), paths: BTreeSet::new(), unreadable: Vec::new() };
        for (path, text) in texts {
            let rust = tree.parse(&path, &text);
            tree.paths.insert(path.clone());
            tree.files.push(File { path, text, rust });
        }
        tree
    }

    fn parse(&mut self, path: &Path, text: &str) -> Option<syn::File> {
        if !has_ending(path, "rs") {
            return None;
        }
        match syn::parse_file(text) {
            Ok(file) => Some(file),
            Err(err) => {
                let place = format!("{}:{}", path.display(), err.span().start().line);
                let finding = Finding::failure(place, format!("not valid Rust: {err}"));
                self.unreadable.push(finding);
                None
            }
        }
    }

    /// How many files were read.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Rust files that could not be parsed.
    pub(super) fn unreadable(&self) -> &[Finding] {
        &self.unreadable
    }

    /// The file at `path`, if it is there and its text was read.
    pub(super) fn file(&self, path: &Path) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// All TypeScript files.
    pub(super) fn scripts(&self) -> impl Iterator<Item = &File> {
        self.files_ending("ts").chain(self.files_ending("tsx"))
    }

    /// All files that end in `.ending`.
    pub(super) fn files_ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| has_ending(&file.path, ending))
    }

    /// Whether `path` is a file, or a folder with files in it.
    pub(super) fn contains(&self, path: &Path) -> bool {
        self.paths.iter().any(|known| known.starts_with(path))
    }
}

impl File {
    /// Whether the file is for tests only, and so free of the limits on size.
    pub(super) fn is_test(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let mut folders = self.path.parent().into_iter().flat_map(Path::iter);
        let in_test_folder =
            folders.any(|folder| TEST_FOLDERS.iter().any(|tests| folder == *tests));
        in_test_folder || name == "tests.rs" || name.contains(".test.") || name.contains(".spec.")
    }
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

fn walk(root: &Path, folder: &Path, paths: &mut BTreeSet<PathBuf>) -> anyhow::Result<()> {
    let full = root.join(folder);
    let listing = fs::read_dir(&full).with_context(|| format!("listing {}", full.display()))?;
    for entry in listing {
        let entry = entry.with_context(|| format!("listing {}", full.display()))?;
        let name = entry.file_name();
        let path = folder.join(&name);
        let kind = entry.file_type().context("reading a file type")?;
        if kind.is_file() {
            paths.insert(path);
        } else if kind.is_dir() && !SKIPPED.iter().any(|skipped| path.ends_with(skipped)) {
            walk(root, &path, paths)?;
        }
    }
    Ok(())
}
