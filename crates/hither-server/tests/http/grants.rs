//! Levels that the owner of a session gives to other users, and what goes with a session.

use hither_auth::{GRANTS_MAX, Scopes, UserKind};
use hither_core::Role;
use serde_json::json;

use crate::client::Response;
use crate::shares::owned;
use crate::users::Stored;

impl Stored {
    async fn grant(&self, token: &str, user: &str, level: &str) -> Response {
        let body = json!({ "level": level }).to_string();
        let request = self.as_user("PUT", &format!("/grants/{user}"), token).json(body);
        request.send(self.harness.address).await
    }

    async fn withdraw(&self, token: &str, user: &str) -> Response {
        let request = self.as_user("DELETE", &format!("/grants/{user}"), token);
        request.send(self.harness.address).await
    }
}

#[tokio::test]
async fn a_grant_shows_a_session_to_a_user_and_its_end_closes_it() {
    let (mut stored, _, token) = owned().await;
    let bob = stored.add_user("bob", UserKind::Member);
    let theirs = stored.add_token(bob, Scopes::MEMBER);
    stored.reload().await;
    assert_eq!(stored.get("/api/sessions", &theirs).await.json(), json!([]));
    assert_eq!(stored.grant(&token, "bob", "read").await.json()["level"], "read");
    assert_eq!(stored.get("/api/sessions", &theirs).await.json()[0]["id"], {
        stored.harness.id.as_str()
    });
    let target = format!("/ws?session={}", stored.harness.id);
    let request = stored.harness.request("GET", &target).websocket();
    let request = request.header("sec-websocket-protocol", "hither.v1");
    let request = request.header("authorization", format!("Bearer {theirs}"));
    assert_eq!(request.send(stored.harness.address).await.status, 101);
    let viewer = stored.harness.attached.recv().await.unwrap();
    assert_eq!(viewer.role, Role::Observer);
    // What is open follows: up, then out.
    assert_eq!(stored.grant(&token, "bob", "write").await.status, 200);
    let told = stored.harness.told().await;
    assert!(told.contains("role") && told.contains("operator"), "{told}");
    let list = stored.as_user("GET", "/grants", &token).send(stored.harness.address).await;
    assert_eq!(list.json(), json!([{ "user": "bob", "level": "write" }]));
    assert_eq!(stored.withdraw(&token, "bob").await.status, 204);
    let mut told = stored.harness.double.told.subscribe();
    told.wait_for(|count| *count > 1).await.unwrap();
    let told = stored.harness.double.state().told.join("; ");
    assert!(told.contains(" 4403 "), "{told}");
    assert_eq!(stored.get("/api/sessions", &theirs).await.json(), json!([]));
    assert_eq!(stored.withdraw(&token, "bob").await.code(), "user_not_found");
}

#[tokio::test]
async fn what_is_granted_is_not_granted_on() {
    let (mut stored, _, token) = owned().await;
    let bob = stored.add_user("bob", UserKind::Member);
    stored.add_user("eve", UserKind::Member);
    let theirs = stored.add_token(bob, Scopes::MEMBER);
    stored.reload().await;
    assert_eq!(stored.grant(&theirs, "bob", "write").await.status, 404);
    stored.grant(&token, "bob", "write").await;
    for user in ["bob", "eve"] {
        assert_eq!(stored.grant(&theirs, user, "write").await.code(), "level_too_low");
    }
    let list = stored.as_user("GET", "/grants", &theirs).send(stored.harness.address).await;
    assert_eq!(list.code(), "level_too_low");
    for level in ["own", "admin", "", "none"] {
        assert_eq!(stored.grant(&token, "eve", level).await.code(), "invalid_level", "{level}");
    }
    for user in ["nobody", "EVE", "a%20b", "..%2F.."] {
        assert_eq!(stored.grant(&token, user, "read").await.code(), "user_not_found", "{user}");
    }
}

#[tokio::test]
async fn a_session_has_so_many_grants_and_no_more() {
    let (mut stored, _, token) = owned().await;
    let id = stored.harness.id;
    for number in 0..=GRANTS_MAX {
        let user = stored.add_user_without_password(&format!("user{number}"));
        if number < GRANTS_MAX {
            stored.store.set_grant(id, user, Some(hither_auth::Level::Read)).unwrap();
        }
    }
    stored.reload().await;
    let last = format!("user{GRANTS_MAX}");
    let refused = stored.grant(&token, &last, "read").await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "too_many_grants"));
    // One that is there may change.
    assert_eq!(stored.grant(&token, "user0", "write").await.status, 200);
    assert_eq!(stored.withdraw(&token, "user0").await.status, 204);
    assert_eq!(stored.grant(&token, &last, "read").await.status, 200);
}

#[tokio::test]
async fn what_was_stored_about_a_session_goes_with_it() {
    let (mut stored, _, token) = owned().await;
    stored.add_user("bob", UserKind::Member);
    stored.reload().await;
    stored.grant(&token, "bob", "read").await;
    assert_eq!(stored.share(&token, "{}").await.status, 201);
    let id = stored.harness.id;
    let held = |stored: &Stored| {
        let people = stored.store.people("somebody").unwrap();
        let links = people.shares_of(id, std::time::SystemTime::now()).count();
        (people.grants_of(id).count(), links)
    };
    assert_eq!(held(&stored), (1, 1));
    let app = std::sync::Arc::clone(&stored.harness.app);
    let forgetting = app.forget_gone();
    let closed = async {
        let mut changes = stored.harness.app.auth.authority_changes();
        let gone = stored.as_user("DELETE", "", &token).send(stored.harness.address).await;
        assert_eq!(gone.status, 200);
        changes.wait_for(|_| held(&stored) == (0, 0)).await.unwrap();
    };
    tokio::select! {
        () = forgetting => panic!("it goes on as long as the gateway runs"),
        () = closed => {}
    }
}
