//! Sessions that the settings describe and requests name.

use hither_auth::{Mode, Scope, Scopes, UserKind};
use serde_json::json;

use crate::client::Response;
use crate::harness::Harness;
use crate::users::Stored;

#[tokio::test]
async fn a_profile_has_what_the_request_does_not_say() {
    let harness = Harness::start(Mode::Required).await;
    let body = json!({ "profile": "build", "title": "nightly", "rows": 50,
        "env": { "CI": "2", "TZ": "UTC" }, "labels": { "when": "night" } });
    let response = harness.post("/api/sessions", &body.to_string()).await;
    assert_eq!(response.status, 201, "{response:?}");
    let new = harness.double.state().created.pop().unwrap();
    assert_eq!(new.command.unwrap(), ["make"]);
    assert_eq!(new.cwd.unwrap().to_str(), Some("/tmp"));
    assert_eq!(new.title.as_deref(), Some("nightly"));
    let variables = [("CI", "2"), ("MAKEFLAGS", "-s"), ("TZ", "UTC")];
    assert_eq!(new.environment, variables.map(|(n, v)| (n.to_owned(), v.to_owned())));
    let labels: Vec<_> = new.labels.keys().map(String::as_str).collect();
    assert_eq!(labels, ["team", "when"]);
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let harness = Harness::start(Mode::Required).await;
    let many: serde_json::Map<_, _> = (0..16).map(|n| (format!("l{n}"), json!(""))).collect();
    for (body, code) in [
        (json!({ "profile": "nothing" }), "profile_not_found"),
        (json!({ "profile": "../x\u{0}" }), "profile_not_found"),
        (json!({ "profile": "build", "command": "ls" }), "invalid_profile"),
        (json!({ "profile": "build", "env": { "LD_PRELOAD": "x" } }), "invalid_env"),
        (json!({ "profile": "build", "labels": many }), "invalid_label"),
        (json!({ "profile": 7 }), "invalid_json"),
    ] {
        let response = harness.post("/api/sessions", &body.to_string()).await;
        assert_eq!((response.status, response.code().as_str()), (400, code), "{body}");
    }
    assert!(harness.double.state().created.is_empty());
    // As a client that fills in every member.
    let body = json!({ "profile": "", "command": "cat" });
    assert_eq!(harness.post("/api/sessions", &body.to_string()).await.status, 201);
}

#[tokio::test]
async fn nobody_hears_of_a_profile_that_is_not_theirs() {
    let mut stored = Stored::start().await;
    let scopes = Scopes::NONE.with(Scope::SessionCreate).with(Scope::SessionRead);
    let ada = stored.add_user("ada", UserKind::Member);
    let eve = stored.add_user("eve", UserKind::Member);
    let [ada, eve] = [ada, eve].map(|user| stored.add_token(user, scopes));
    stored.reload().await;
    let profiles = |response: Response| response.json()["profiles"].clone();
    assert_eq!(profiles(stored.get("/api/config", &ada).await), json!(["build", "private"]));
    assert_eq!(profiles(stored.get("/api/config", &eve).await), json!(["build"]));
    // An admin sees them all.
    let own = stored.harness.get("/api/config").await;
    assert_eq!(profiles(own), json!(["build", "private"]));
    let start = async |token: &str, name: &str| {
        let request = stored.harness.request("POST", "/api/sessions");
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = request.json(json!({ "profile": name }).to_string());
        request.send(stored.harness.address).await
    };
    assert_eq!(start(&ada, "private").await.status, 201);
    let refused = start(&eve, "private").await;
    let absent = start(&eve, "absent").await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json(), absent.json(), "what one may not see does not exist");
    assert_eq!(refused.json()["detail"], "no such profile: there are build");
}
