//! Every law holds for the corpus that is checked in, and for random bytes.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::path::PathBuf;

use hither_fuzz::LAWS;
use proptest::prelude::*;

/// Where the corpus of a law lies.
fn corpus(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz").join(name)
}

#[test]
fn the_corpus_of_every_law_passes() {
    for law in LAWS {
        let mut files: Vec<_> = std::fs::read_dir(corpus(law.name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{} has a corpus", law.name);
        for file in files {
            let data = std::fs::read(&file).unwrap();
            let result = std::panic::catch_unwind(|| (law.holds)(&data));
            assert!(result.is_ok(), "{} fails for {}", law.name, file.display());
        }
    }
}

#[test]
fn every_corpus_has_a_law() {
    for entry in std::fs::read_dir(corpus("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(LAWS.iter().any(|law| law.name == name), "{name}");
    }
}

#[test]
fn every_law_is_a_fuzz_target() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for law in LAWS {
        let path = format!("fuzz_targets/{}.rs", law.name);
        assert!(manifest.contains(&format!("path = \"{path}\"")), "{}", law.name);
        let target = std::fs::read_to_string(folder.join(path)).unwrap();
        assert!(target.contains(&format!("check(\"{}\", data)", law.name)), "{}", law.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bytes of all values, and those that mean something to terminals and headers.
    #[test]
    fn random_bytes_pass(
        data in prop::collection::vec(
            prop_oneof![
                any::<u8>(),
                prop::sample::select(&b"\x1b[]?;0123456789mhlHJKPcnR\x07\r\n{}\":,= \x81\x82\x88\x89"[..]),
            ],
            0..300,
        )
    ) {
        for law in LAWS {
            (law.holds)(&data);
        }
    }
}
