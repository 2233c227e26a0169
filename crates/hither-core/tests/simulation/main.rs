//! A seeded simulation: sessions, viewers, slow links, drops, resizes, typing and crashes against a
//! model so simple that it cannot be wrong.
//!
//! `HITHER_SEEDS=5000` tries more seeds than `make test` does, `HITHER_SEED=17` one alone. A seed
//! that fails is printed; it fails every time, since nothing here depends on time or chance.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // a test of small numbers

mod client;
mod link;
mod random;
mod store;
mod world;

use world::World;

/// Seeds of `make test`.
const SEEDS: u64 = 200;
/// Simulated milliseconds of each.
const STEPS: u64 = 1000;

#[test]
fn every_viewer_is_shown_each_byte_once_or_told_which_not() {
    let (first, count) = match (setting("HITHER_SEED"), setting("HITHER_SEEDS")) {
        (Some(seed), _) => (seed, 1),
        (None, count) => (0, count.unwrap_or(SEEDS)),
    };
    let mut seen = world::Seen::default();
    for seed in first..first + count {
        let result = std::panic::catch_unwind(|| World::new(seed).run(STEPS));
        match result {
            Ok(of_this) => seen.add(&of_this),
            Err(panic) => {
                let fixed = panic.downcast_ref::<&str>().copied();
                let text = panic.downcast_ref::<String>().map(String::as_str).or(fixed);
                panic!("HITHER_SEED={seed} fails: {}", text.unwrap_or("(no message)"));
            }
        }
    }
    if count >= SEEDS {
        assert!(seen.is_thorough(), "too little happened to prove anything: {seen:?}");
    }
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "the core reads no settings, its tests may")]
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}
