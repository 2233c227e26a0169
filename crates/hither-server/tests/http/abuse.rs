//! What guessing earns.

use hither_auth::Mode;

use crate::client::Response;
use crate::harness::Harness;

async fn guess(harness: &Harness, name: &str) -> Response {
    harness
        .request("POST", "/api/auth/login")
        .header("origin", harness.origin())
        .json(format!(r#"{{"username":"{name}","password":"guess"}}"#))
        .send(harness.address)
        .await
}

#[tokio::test]
async fn a16_guesses_at_an_account_are_slowed_down() {
    let harness = Harness::start(Mode::Required).await;
    let mut looked_at = 0;
    for _ in 0..100 {
        let response = guess(&harness, "ada").await;
        if response.status == 401 {
            looked_at += 1;
        } else {
            assert_eq!((response.status, &*response.code()), (429, "too_many_attempts"));
            let wait: u64 = response.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=301).contains(&wait), "{wait}");
        }
    }
    // One of a source without a record every two seconds: a slow machine may see a few more.
    assert!(looked_at <= 20, "{looked_at}");
    assert_eq!(guess(&harness, "bob").await.status, 401, "other accounts are not concerned");
    // Whoever has a credential is not asked, and the launch secret is a way in of its own.
    assert_eq!(harness.get("/api/sessions").await.status, 200);
    harness.cookie().await;
}

#[tokio::test]
async fn guesses_at_the_launch_secret_do_not_lock_this_machine_out() {
    let harness = Harness::start(Mode::Required).await;
    for _ in 0..50 {
        assert_eq!(harness.launch("guess").await.status, 401);
    }
    harness.cookie().await;
}
