//! The answers of the API.

use hither_auth::Mode;
use hither_core::WindowSize;
use hither_server::sessions::{CreateError, Life, Resource};
use serde_json::json;

use crate::double::EXITED;
use crate::harness::Harness;

#[tokio::test]
async fn a_session_looks_as_the_plan_says() {
    let harness = Harness::start(Mode::Required).await;
    let running = json!({
        "id": harness.id.as_str(),
        "title": "a title",
        "command": "sh -c 'exit 3'",
        "argv": ["sh", "-c", "exit 3"],
        "labels": {},
        "shell": "unknown",
        "cwd": "/tmp",
        "cols": 80,
        "rows": 24,
        "createdAt": "1970-01-01T00:00:00.000Z",
        "updatedAt": "1970-01-01T00:00:01.500Z",
        "status": "running",
        "active": true,
        "clients": 2,
        "outputBytes": 4096,
        "echoMs": 0.25,
        "roundTripMs": 1.5,
    });
    let response = harness.get("/api/sessions").await;
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.json(), json!([running]));

    let response = harness.get(&format!("/api/sessions/{}", harness.id)).await;
    assert_eq!(response.json(), running);

    let exited = harness.double.add(EXITED);
    let answer = harness.get(&format!("/api/sessions/{exited}")).await.json();
    assert_eq!(
        (&answer["status"], &answer["active"], &answer["exitCode"]),
        (&json!("exited"), &json!(false), &json!(3))
    );
}

#[tokio::test]
async fn creates_what_is_asked_for() {
    let harness = Harness::start(Mode::Required).await;
    let body = r#"{"command":["htop","-d","5"],"cwd":"/srv","title":"Load","cols":132,"rows":50}"#;
    let response = harness.post("/api/sessions", body).await;
    assert_eq!(response.status, 201);
    let id = response.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(response.header("location"), Some(&*format!("/api/sessions/{id}")));
    let created = harness.double.state().created[0].clone();
    assert_eq!(created.command.unwrap(), ["htop", "-d", "5"]);
    assert_eq!(created.cwd.unwrap().to_str(), Some("/srv"));
    assert_eq!(created.title.as_deref(), Some("Load"));
    assert_eq!(created.size, Some(WindowSize::new(132, 50).unwrap()));
    assert_eq!(created.life, Life::Lasting);

    // No body at all asks for the default.
    let response = harness.trusted("POST", "/api/sessions").send(harness.address).await;
    assert_eq!(response.status, 201);
    let created = harness.double.state().created[1].clone();
    assert_eq!((created.command, created.cwd, created.size), (None, None, None));
}

#[tokio::test]
async fn says_why_a_session_was_not_created() {
    let harness = Harness::start(Mode::Required).await;
    let limit = CreateError::LimitReached { what: "sessions", max: 100 };
    for (error, status, code) in [
        (CreateError::ProgramNotFound("htopp".to_owned()), 400, "program_not_found"),
        (CreateError::DirectoryNotFound, 400, "directory_not_found"),
        (CreateError::InvalidCommand, 400, "invalid_command"),
        (limit, 503, "limit_reached"),
        (CreateError::Exhausted(Resource::Terminals), 503, "pty_limit"),
        (CreateError::HostUnavailable, 503, "host_unavailable"),
        (CreateError::Failed, 500, "create_failed"),
    ] {
        harness.double.state().refuse = Some(error.clone());
        let response = harness.post("/api/sessions", "{}").await;
        assert_eq!((response.status, &*response.code()), (status, code));
        let problem = response.json();
        assert_eq!(problem["detail"], error.to_string());
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(response.header("retry-after").is_some(), status == 503);
    }
}

#[tokio::test]
async fn operates_on_a_session() {
    let harness = Harness::start(Mode::Required).await;
    let path = |what: &str| format!("/api/sessions/{}{what}", harness.id);
    let answer = harness.post(&path("/resize"), r#"{"cols":100,"rows":30}"#).await.json();
    assert_eq!(answer, json!({ "success": true, "cols": 100, "rows": 30 }));
    let answer = harness.post(&path("/reset-size"), "{}").await.json();
    assert_eq!(answer, json!({ "success": true, "cols": 80, "rows": 24 }));
    let answer = harness.post(&path("/input"), r#"{"type":"input","data":"é\r"}"#).await.json();
    assert_eq!(answer, json!({ "success": true, "bytes": 3, "offset": 0 }));
    assert_eq!(harness.double.state().inputs, ["é\r".as_bytes()]);
    let response = harness.post(&path("/input"), "{}").await;
    assert_eq!((response.status, &*response.code()), (400, "invalid_input"));
    let answer = harness.trusted("DELETE", &path("")).send(harness.address).await;
    assert_eq!((answer.status, &answer.json()["success"]), (200, &json!(true)));
    let answer = harness.trusted("DELETE", &path("")).send(harness.address).await;
    assert_eq!((answer.status, &*answer.code()), (404, "session_not_found"));
    assert_eq!(harness.done(), ["resize 100x30", "reset-size", "input 3", "close"]);
}

#[tokio::test]
async fn an_exited_session_takes_nothing_and_can_be_cleaned_up() {
    let harness = Harness::start(Mode::Required).await;
    let exited = harness.double.add(EXITED);
    for (what, body) in [("input", r#"{"data":"x"}"#), ("resize", r#"{"cols":9,"rows":9}"#)] {
        let response = harness.post(&format!("/api/sessions/{exited}/{what}"), body).await;
        assert_eq!((response.status, &*response.code()), (409, "session_exited"));
    }
    let answer = harness.post("/api/cleanup-exited", "{}").await.json();
    assert_eq!((&answer["success"], &answer["count"]), (&json!(true), &json!(1)));
    assert_eq!(harness.get("/api/sessions").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn tells_health_config_and_status() {
    let harness = Harness::start(Mode::Required).await;
    for path in ["/health", "/api/health"] {
        let response = harness.request("GET", path).send(harness.address).await;
        let expect = json!({ "status": "ok", "sessions": 1, "uptime": "61.500s" });
        assert_eq!(response.json(), expect);
    }
    let status = harness.get("/api/server/status").await.json();
    assert_eq!((&status["status"], &status["healthy"]), (&json!("running"), &json!(true)));
    assert_eq!((&status["sessions"], &status["clients"]), (&json!(1), &json!(5)));
    assert_eq!((&status["uptimeMs"], &status["workers"]), (&json!(61_500), &json!(2)));
    let config = harness.get("/api/config").await.json();
    assert_eq!(config["serverName"], "test");
    assert_eq!(config["authRequired"], true);
    assert_eq!(config["limits"]["maxSessions"], 100);
    assert_eq!(harness.get("/token").await.json(), json!({ "token": "" }));
}

#[tokio::test]
async fn tells_how_to_get_in_and_who_one_is() {
    let harness = Harness::start(Mode::Required).await;
    let config = harness.request("GET", "/api/auth/config").send(harness.address).await.json();
    assert_eq!((&config["authRequired"], &config["passwordAuth"]), (&json!(true), &json!(true)));
    let user = harness.get("/api/auth/current-user").await.json();
    assert_eq!((&user["userId"], &user["via"]), (&json!("somebody"), &json!("token")));
    assert_eq!(user["tokenName"], "ci");

    let open = Harness::start(Mode::Off).await;
    let config = open.request("GET", "/api/auth/config").send(open.address).await.json();
    assert_eq!((&config["authRequired"], &config["passwordAuth"]), (&json!(false), &json!(false)));
    let user = open.request("GET", "/api/auth/current-user").send(open.address).await.json();
    assert_eq!(user["via"], "no-auth");
}

#[tokio::test]
async fn the_plan_s_members_come_first_in_the_plan_s_order() {
    let harness = Harness::start(Mode::Required).await;
    let response = harness.post("/api/sessions", r#"{"cols":100,"rows":30}"#).await;
    assert_eq!(response.status, 201);
    let id = response.json()["id"].as_str().unwrap().to_owned();
    let plan = format!(
        "{{\"id\":\"{id}\",\"title\":\"a title\",\"command\":\"sh -c 'exit 3'\",\"cwd\":\"/tmp\",\
         \"cols\":100,\"rows\":30,\"createdAt\":\"1970-01-01T00:00:00.000Z\",\
         \"updatedAt\":\"1970-01-01T00:00:01.500Z\",\"status\":\"running\",\"active\":true,\
         \"clients\":2,\"outputBytes\":4096,\"echoMs\":0.25,\"roundTripMs\":1.5,"
    );
    let body = String::from_utf8(response.body).unwrap();
    assert!(body.starts_with(&plan), "{body}");
    // All members may be left out, and a client of the plan's server sends others too.
    for body in ["{}", r#"{"command":"","cwd":"","title":"","cols":0,"rows":0,"shell":"x"}"#] {
        assert_eq!(harness.post("/api/sessions", body).await.status, 201, "{body}");
    }
}
