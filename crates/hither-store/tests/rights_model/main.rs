//! Row A23: users, tokens, logins, levels and share links come and go in any order, on a real
//! store, and after each step everybody may do with every session exactly what a naive model says.

#![allow(clippy::unwrap_used, reason = "clippy.toml lets only test functions unwrap, not helpers")]

mod judge;
mod step;
mod world;

use proptest::collection::vec;
use proptest::prelude::*;

use step::step;
use world::World;

/// Together a few more than 10,000 steps.
const CASES: u32 = 51;
const STEPS: usize = 200;

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn a23_rights_follow_the_model_whatever_happens(steps in vec(step(), STEPS)) {
        let mut world = World::new();
        for step in &steps {
            world.apply(step);
            world.check()?;
        }
    }
}
