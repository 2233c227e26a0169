//! Every rule is shown a tree that breaks it; the last test shows them this repository.

use super::*;

fn tree(texts: &[(&str, &str)]) -> Tree {
    let owned = |(path, text): &(&str, &str)| ((*path).into(), (*text).to_owned());
    Tree::from_texts(texts.iter().map(owned))
}

fn failures(findings: Vec<Finding>) -> Vec<String> {
    let failed = |finding: &Finding| finding.severity == Severity::Failure;
    let lines = findings.into_iter().filter(failed);
    lines.map(|finding| format!("{}: {}", finding.place, finding.message)).collect()
}

#[track_caller]
fn assert_one(findings: Vec<Finding>, expect: &str) {
    let failures = failures(findings);
    assert_eq!(failures.len(), 1, "{failures:#?}");
    assert!(failures[0].contains(expect), "{failures:#?}");
}

#[track_caller]
fn assert_none(findings: Vec<Finding>) {
    assert_eq!(failures(findings), [""; 0]);
}

/// What cargo would say about one crate with one dependency.
fn workspace(name: &str, dependency: &str, kind: &str) -> Workspace {
    let json = format!(
        r#"{{"workspace_root": "/repo", "packages": [{{
            "name": "{name}",
            "dependencies": [{{"name": "{dependency}", "kind": {kind}}}],
            "targets": [{{"kind": ["lib"], "src_path": "/repo/crates/{name}/src/lib.rs"}}]
        }}]}}"#
    );
    Workspace::parse(&json).unwrap()
}

#[test]
fn edges_that_the_design_forbids_are_found() {
    for (name, dependency, kind) in [
        ("hither-core", "hither-protocol", "null"),
        ("hither-client", "hither-server", "null"),
        ("hither-bench", "hither-server", "\"dev\""),
        ("hither-pty", "hither-core", "\"build\""),
        ("hither-pty", "hither-core", "null"),
        ("hither", "hither-testkit", "null"),
        ("hither-server", "hither-testkit", "\"dev\""),
        ("hither-core", "tokio", "null"),
        ("hither-screen", "rustix", "\"build\""),
    ] {
        assert_one(
            edges::check(&workspace(name, dependency, kind)),
            &format!("may not depend on {dependency}"),
        );
    }
    let always = workspace("hither", "opentelemetry_sdk", "null");
    assert_one(edges::check(&always), "without the feature otel");
    let by_default = r#"{"workspace_root": "/repo", "packages": [{
        "name": "hither", "dependencies": [], "targets": [], "features": {"default": ["otel"]}
    }]}"#;
    assert_one(edges::check(&Workspace::parse(by_default).unwrap()), "by default");
    let unknown = workspace("hither-surprise", "serde", "null");
    assert_one(edges::check(&unknown), "is not in the table");
}

#[test]
fn edges_that_the_design_draws_are_allowed() {
    for (name, dependency, kind) in [
        ("hither-server", "hither-core", "null"),
        ("hither-server", "tokio", "null"),
        ("hither-pty", "hither-core", "\"dev\""),
        ("hither", "hither-testkit", "\"dev\""),
        ("hither-core", "serde", "null"),
        ("hither-screen", "rustix", "\"dev\""),
    ] {
        assert_none(edges::check(&workspace(name, dependency, kind)));
    }
}

#[test]
fn a_long_file_is_found_and_its_tests_are_not_counted() {
    let lines = |count: usize| "// a line\n".repeat(count);
    let path = "crates/hither-core/src/lib.rs";
    assert_none(sizes::check(&tree(&[(path, &lines(600))])));
    assert_one(sizes::check(&tree(&[(path, &lines(601))])), "601 lines");
    assert_one(sizes::check(&tree(&[("web/src/ui/page.ts", &lines(601))])), "601 lines");
    let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", lines(590), lines(90));
    assert_none(sizes::check(&tree(&[(path, &tested)])));
    for test in ["crates/hither/tests/cli.rs", "web/src/a.test.ts", "a/src/b/tests.rs"] {
        assert_none(sizes::check(&tree(&[(test, &lines(900))])));
    }
}

#[test]
fn a_file_or_test_module_that_grows_is_noted() {
    let path = "crates/hither-core/src/lib.rs";
    let grown = "// a line\n".repeat(401);
    assert_eq!(sizes::check(&tree(&[(path, &grown)]))[0].severity, Severity::Note);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// a line\n".repeat(200));
    let findings = sizes::check(&tree(&[(path, &tests)]));
    assert!(findings[0].message.contains("tests.rs"), "{findings:#?}");
}

#[test]
fn a_long_function_is_found_wherever_it_stands() {
    let body = "let _brace = \"}\"; // }\n".repeat(71);
    for text in [
        format!("fn long() {{\n{body}}}\n"),
        format!("impl Thing {{\n    fn long(&self) {{\n{body}}}\n}}\n"),
        format!("trait Thing {{\n    fn long(&self) {{\n{body}}}\n}}\n"),
    ] {
        let findings = sizes::check(&tree(&[("src/lib.rs", &text)]));
        assert_one(findings, "function long has 71 lines");
    }
    let test = format!("#[cfg(test)]\nmod tests {{\n    fn long() {{\n{body}}}\n}}\n");
    assert_none(sizes::check(&tree(&[("src/lib.rs", &test)])));
}

const WORDS: &str = "\
## Words that names avoid

| name | say | allowed in |
|---|---|---|
| `slow_consumer` | behind | – |
| `winsize` | `WindowSize` | hither-pty |
| `get_` | the noun | – |

## Another section

| `viewer` | not part of the table | – |
";

#[test]
fn names_that_the_glossary_avoids_are_found() {
    let glossary = Glossary::parse(WORDS).unwrap();
    for (path, text) in [
        ("crates/hither-core/src/a.rs", "struct SlowConsumer;"),
        ("crates/hither-core/src/a.rs", "enum State { SlowConsumer }"),
        ("crates/hither-core/src/a.rs", "struct A { old_winsize: u8 }"),
        ("crates/hither-core/src/a.rs", "const SLOW_CONSUMER_MAX: u8 = 1;"),
        ("crates/hither-core/src/a.rs", "fn a() { let slow_consumer = 1; }"),
        ("crates/hither-core/src/a.rs", "impl A { fn get_size(&self) {} }"),
        ("crates/hither-core/src/a.rs", "trait A { fn get_size(&self); }"),
        ("web/src/a.ts", "export function getSize() {}"),
        ("web/src/a.ts", "  const slowConsumer = 1;"),
    ] {
        assert_one(names::check(&tree(&[(path, text)]), &glossary), "say ");
    }
}

#[test]
fn names_of_others_and_words_in_prose_are_left_alone() {
    let glossary = Glossary::parse(WORDS).unwrap();
    for (path, text) in [
        ("crates/hither-pty/src/a.rs", "fn set_winsize() {}"),
        ("crates/hither-core/src/a.rs", "// a slow_consumer\nfn a() { \"winsize\"; }"),
        ("crates/hither-core/src/a.rs", "fn a() { rustix::winsize(); map.get_mut(); }"),
        ("crates/hither-core/src/a.rs", "impl Theirs for A { fn get_size(&self) {} }"),
        ("crates/hither-core/src/a.rs", "fn get() {}\nstruct Consumer;\nstruct Viewer;"),
        ("web/src/a.ts", "// const slowConsumer\nmap.getSize();"),
    ] {
        assert_none(names::check(&tree(&[(path, text)]), &glossary));
    }
}

#[test]
fn identifiers_are_split_into_words() {
    for (identifier, expect) in [
        ("slow_consumer", "slow consumer"),
        ("SlowConsumer", "slow consumer"),
        ("SLOW_CONSUMER", "slow consumer"),
        ("slowConsumer2Max", "slow consumer2 max"),
        ("__x", "x"),
    ] {
        assert_eq!(names::words(identifier).join(" "), expect);
    }
}

#[test]
fn a_glossary_without_the_table_is_an_error() {
    assert!(Glossary::parse("# Glossary\n").is_err());
    assert!(Glossary::parse("## Words that names avoid\n").is_err());
    assert!(Glossary::parse("## Words that names avoid\n\n|a|\n|-|\n|one cell|\n").is_err());
}

#[test]
fn documents_have_one_title() {
    let path = "docs/a.md";
    assert_none(markdown::check(&tree(&[(path, "# One\n\n```\n# not a title\n```\n")])));
    assert_one(markdown::check(&tree(&[(path, "words\n")])), "found 0");
    assert_one(markdown::check(&tree(&[(path, "# One\n# Two\n")])), "found 2");
}

#[test]
fn links_lead_to_files() {
    let with = |link: &str| {
        let text = format!("# A\n\nsee {link}\n");
        tree(&[("docs/a.md", &text), ("docs/b.md", "# B\n"), ("LICENSE.md", "# C\n")])
    };
    for good in [
        "[b](b.md)",
        "[c](../LICENSE.md#part)",
        "[folder](../docs/)",
        "[web](https://example.org/x.md)",
        "[here](#part)",
        "`[code](nowhere.md)`",
    ] {
        assert_none(markdown::check(&with(good)));
    }
    for bad in ["[b](c.md)", "![picture](images/no.png)", "[b](b.md) [c](LICENSE.md)"] {
        assert_one(markdown::check(&with(bad)), "nothing at the link");
    }
}

#[test]
fn crate_roots_forbid_unsafe_code() {
    let check = |name: &str, text: &str| {
        let path = format!("crates/{name}/src/lib.rs");
        roots::check(&workspace(name, "serde", "null"), &tree(&[(&path, text)]))
    };
    assert_none(check("hither-core", "//! Doc.\n#![forbid(unsafe_code)]\nmod a;\n"));
    assert_none(check("hither-pty", "mod a;\n"));
    assert_one(check("hither-core", "// #![forbid(unsafe_code)]\nmod a;\n"), "forbid");
    assert_one(check("hither-core", "#![deny(unsafe_code)]\nmod a;\n"), "forbid");
}

#[test]
fn pure_crates_repeat_the_bans_of_the_root_and_add_theirs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let real = Tree::read(root).unwrap();
    let path = "crates/hither-core/clippy.toml";
    let text = &real.file(Path::new(path)).unwrap().text;
    for (from, to, expect) in [
        ("std::thread::sleep", "std::thread::park", "ban of std::thread::sleep"),
        ("std::time::Instant::now", "std::time::a", "ban of std::time::Instant::now"),
        ("\"std::env::var\", reason", "\"std::env::var\", because", "with a reason"),
        ("threshold = 70", "threshold = 71", "too-many-lines-threshold = 70"),
        ("[", "(", "expected TOML"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(*text, changed);
        assert_one(bans::check(&with_file(&real, path, Some(changed))), expect);
    }
    assert_one(bans::check(&with_file(&real, path, None)), "expected this file");
}

/// The tree with one file changed or taken away.
fn with_file(tree: &Tree, path: &str, text: Option<String>) -> Tree {
    let others = tree.files_ending("toml").filter(|file| file.path != Path::new(path));
    let others = others.map(|file| (file.path.clone(), file.text.clone()));
    Tree::from_texts(others.chain(text.map(|text| (path.into(), text))))
}

#[test]
fn rust_that_does_not_parse_is_found() {
    assert_one(tree(&[("src/lib.rs", "fn (")]).unreadable().to_vec(), "not valid Rust");
}

#[test]
fn this_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let report = check(root).unwrap();
    assert!(report.passed(), "\n{report}");
}

const CLAIM: &str =
    "[[promise]]\nevent = \"a kill\"\nsays = \"nothing is lost\"\ntests = [\"t01\"]\n";
const PROOF: &str = "#[test]\nfn t01() {}\nproptest! { #[test] fn law(x in 0..3) {} }\n";

fn claimed(claim: &str, row: &str, proof: &str) -> Vec<Finding> {
    let document = format!(
        "# R\n<!-- guarantees: written by `cargo xtask guarantees` -->\n\n\
         | event | promise | proven by |\n|---|---|---|\n{row}\n\n<!-- end of guarantees -->\n"
    );
    let files =
        [("docs/guarantees.toml", claim), ("docs/reliability.md", &document), ("a.rs", proof)];
    guarantees::check(&tree(&files))
}

#[test]
fn claims_without_tests_and_tables_that_differ_are_found() {
    let row = "| a kill | nothing is lost | [`t01`](../a.rs) |";
    assert_none(claimed(CLAIM, row, PROOF));
    assert_none(claimed(CLAIM, "| a kill | not claimed | [`t01`](../a.rs) |", PROOF));
    assert_none(claimed(&CLAIM.replace("t01", "law"), &row.replace("t01", "law"), PROOF));
    assert_one(claimed(CLAIM, &row.replace("nothing", "little"), PROOF), "differs");
    assert_one(claimed(CLAIM, "", PROOF), "differs");
    let gone = "| a kill | nothing is lost | `t01` |";
    assert_one(claimed(CLAIM, gone, "fn t01() {}"), "no test is called t01");
    assert_one(claimed("promise = 7", row, PROOF), "guarantees.toml");
}

#[test]
fn results_of_both_runners_are_read() {
    let results = "        PASS [   0.005s] (1/2) hither::proof chaos::k01_a\n\
                   test sweep::k04_b ... ok\ntest sweep::k04_c ... FAILED\n\
                   FAIL [   1.0s] (2/2) hither::proof chaos::k02\n";
    let passed: Vec<String> = guarantees::passed(results).into_iter().collect();
    assert_eq!(passed, ["k01_a", "k04_b"]);
}
