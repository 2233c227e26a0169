//! That docs/security.md does not claim tests that are not there.

use std::fs;
use std::path::{Path, PathBuf};

/// Sources in which tests are, below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["node_modules", "dist", "target"].contains(&name) {
            sources(&path, found);
        } else if name.ends_with(".rs") || name.ends_with(".test.ts") {
            found.push(path);
        }
    }
}

#[test]
fn the_catalogue_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let document = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let catalogue = document.split("## Catalogue").nth(1).unwrap();
    for (kind, last) in [('W', 14), ('H', 10), ('A', 24), ('P', 16), ('X', 7)] {
        for number in 1..=last {
            let row = format!("| {kind}{number:02} | ");
            assert_eq!(catalogue.matches(&row).count(), 1, "row {row:?}");
        }
    }
    let table = catalogue.split("Not shown").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let tests = rows.flat_map(|row| row.split('`').skip(1).step_by(2).collect::<Vec<_>>());
    let mut files = Vec::new();
    sources(&root.join("crates"), &mut files);
    sources(&root.join("web"), &mut files);
    let texts: Vec<String> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut count = 0;
    for test in tests {
        let (rust, page) = (format!("fn {test}("), format!("{test}'"));
        let is_there = |text: &String| text.contains(&rust) || text.contains(&page);
        assert!(texts.iter().any(is_there), "{test} is named in docs/security.md and nowhere else");
        count += 1;
    }
    assert!(count > 40, "{count}");
}
