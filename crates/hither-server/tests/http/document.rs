//! docs/api.md and the table of routes say the same.

use std::collections::BTreeSet;
use std::fs;

use hither_server::http::ROUTES;

fn document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");
    fs::read_to_string(path).unwrap()
}

#[test]
fn every_route_is_documented_and_every_documented_route_exists() {
    let document = document();
    let documented: BTreeSet<String> = document
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let route = cells.next()?.strip_suffix('`')?;
            route.contains(" /").then(|| format!("{route} {}", cells.next().unwrap()))
        })
        .collect();
    let routes = ROUTES.iter().map(|r| format!("{} {} {}", r.method, r.path, r.guard.as_str()));
    assert_eq!(documented, routes.collect());
}

#[test]
fn every_code_of_an_error_is_documented() {
    let document = document();
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let http = fs::read_dir(format!("{sources}/http")).unwrap();
    let files = http.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let mut codes = BTreeSet::new();
    for file in files.chain([format!("{sources}/sessions.rs").into()]) {
        let source = fs::read_to_string(file).unwrap();
        // The second line of a call that rustfmt broke, or the whole of one that it did not.
        for call in ["bad_request(", "unauthorized(", "Self::new(StatusCode::"] {
            for (at, _) in source.match_indices(call) {
                let words = source[at + call.len()..].split('"').nth(1).unwrap_or("");
                codes.insert(words.to_owned());
            }
        }
        for (at, _) in source.match_indices("=> \"") {
            codes.insert(source[at + 4..].split('"').next().unwrap().to_owned());
        }
    }
    let is_code = |code: &&String| {
        code.contains('_') && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    let codes: Vec<_> = codes.iter().filter(is_code).collect();
    assert!(codes.len() >= 25, "the sources were not understood: {codes:?}");
    for code in codes {
        assert!(document.contains(&format!("`{code}`")), "{code} is not in docs/api.md");
    }
}
