//! Titles and links of the documents.

use std::path::{Component, Path, PathBuf};

use super::Finding;
use super::tree::{File, Tree};

/// Finds documents without exactly one title, and links to files that are not there.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let documents = tree.files_ending("md");
    documents.flat_map(|file| check_document(tree, file)).collect()
}

fn check_document(tree: &Tree, file: &File) -> Vec<Finding> {
    let prose = prose(&file.text);
    let mut findings = Vec::new();
    let titles = prose.iter().filter(|(_, line)| line.starts_with("# ")).count();
    if titles != 1 {
        let message = format!("expected one title (a line `# …`), found {titles}");
        findings.push(Finding::failure(file.path.display(), message));
    }
    for (number, line) in prose {
        for target in targets(&line) {
            if let Some(path) = local_path(&file.path, target)
                && !tree.contains(&path)
            {
                let place = format!("{}:{number}", file.path.display());
                findings.push(Finding::failure(place, format!("nothing at the link {target}")));
            }
        }
    }
    findings
}

/// The lines outside fenced code, with their numbers, and without what stands in backticks.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| start.starts_with(marker));
        match (fence, marker) {
            (None, None) => lines.push((index + 1, without_code(line))),
            (None, Some(marker)) => fence = Some(marker),
            (Some(open), Some(marker)) if open == marker => fence = None,
            (Some(_), _) => {}
        }
    }
    lines
}

fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// What the links and pictures of a line point at: `[text](target)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let inside = rest.split(')').next()?;
        inside.split_whitespace().next()
    })
}

/// The path from the root that a link in `document` means, unless it leads elsewhere.
fn local_path(document: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split('#').next().unwrap_or_default();
    if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
        return None;
    }
    let mut resolved = PathBuf::new();
    for part in document.parent()?.join(path).components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::Normal(name) => resolved.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(resolved)
}
