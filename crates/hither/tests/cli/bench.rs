//! The bench measures a gateway as it is by default, too.

use crate::place::Place;

#[test]
fn a_gateway_that_wants_its_token_is_measured() {
    for target in ["hither-guarded", "hither-tls"] {
        let run = Place::new().run(&["bench", "echo", "--quick", "-r", "1", "-t", target]);
        // 1 when a round fails.
        assert_eq!(run.code, 0, "{run:#?}");
        assert!(run.stdout.contains(target) && run.stdout.contains("100 %"), "{run:#?}");
    }
}
