//! The OpenAPI document: it says what there is, and what it shows is answered as it says.

use std::collections::BTreeSet;
use std::fs;

use hither_auth::Mode;
use hither_core::{Offset, ShellMark};
use hither_server::http::{ROUTES, openapi};
use serde_json::{Value, json};

use crate::client::Response;
use crate::harness::Harness;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

#[test]
fn every_route_is_described_and_every_described_route_exists() {
    let document = openapi::document();
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let guard = operation["x-guard"].as_str().unwrap();
            described.insert(format!("{} {path} {guard}", method.to_uppercase()));
        }
    }
    let routes = ROUTES.iter().map(|route| {
        let path = route.path.replace("{*path}", "{path}");
        format!("{} {path} {}", route.method, route.guard.as_str())
    });
    let advice = "say in http/openapi/operations.rs what the route does, then run `make openapi`";
    assert_eq!(described, routes.collect(), "{advice}");
}

#[test]
fn the_kept_document_is_the_served_one() {
    let text = openapi::text();
    if std::env::var_os("HITHER_WRITE_OPENAPI").is_some() {
        fs::write(KEPT, &text).unwrap();
    }
    let kept = fs::read_to_string(KEPT).unwrap_or_default();
    let advice = "docs/openapi.json is out of date: run `make openapi` and look at what changed";
    assert!(kept == text, "{advice}");
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_its_own_id() {
    let document = openapi::document();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let reference = reference.split('"').next().unwrap();
        let path = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(path).is_some(), "{reference}");
    }
    let operations = document["paths"].as_object().unwrap().values();
    let operations: Vec<&Value> =
        operations.flat_map(|methods| methods.as_object().unwrap().values()).collect();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let described: BTreeSet<_> = parameters
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            let named = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
            assert_eq!(described, named.collect(), "{path}");
        }
    }
    let ids: BTreeSet<_> =
        operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len());
}

#[tokio::test]
async fn the_document_and_the_page_are_served_and_cached() {
    let harness = Harness::start(Mode::Required).await;
    for (path, content_type) in [
        ("/api/openapi.json", "application/json"),
        ("/api/docs", "text/html; charset=utf-8"),
        ("/api/docs.css", "text/css; charset=utf-8"),
    ] {
        let response = harness.request("GET", path).send(harness.address).await;
        assert_eq!(response.header("content-type"), Some(content_type));
        let tag = response.header("etag").unwrap();
        let again = harness.request("GET", path).header("if-none-match", tag);
        assert_eq!(again.send(harness.address).await.status, 304);
    }
    let page = harness.request("GET", "/api/docs").send(harness.address).await;
    let page = String::from_utf8(page.body).unwrap();
    for path in ["/api/sessions/{id}/wait", "type-Session", "docs.css"] {
        assert!(page.contains(path), "{path}");
    }
    // Nothing that the content policy would refuse, and nothing of other sites.
    for word in ["<script", "style=", "<style", "http://", "https://", "onclick"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[tokio::test]
async fn a_body_that_may_be_left_out_may_be_left_out() {
    let document = openapi::document();
    let mut tried = [0, 0];
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(required) = operation["requestBody"]["required"].as_bool() else { continue };
            let response = ask(method, path, None).await;
            let refused = response.status == 400 && response.code().starts_with("invalid_");
            assert!(!refused || required, "{method} {path}: {response:?}");
            tried[usize::from(required)] += 1;
        }
    }
    assert!(tried[0] > 3 && tried[1] > 3, "{tried:?}");
}

#[tokio::test]
async fn every_example_is_answered_as_described() {
    let document = openapi::document();
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let content = &operation["requestBody"]["content"]["application/json"];
            let examples = content["examples"].as_object().into_iter().flatten();
            let bodies: Vec<_> = examples.map(|(_, example)| example["value"].clone()).collect();
            for body in &bodies {
                check(&document, content["schema"].clone(), body, path).unwrap();
                let response = ask(method, path, Some(body)).await;
                check_answer(&document, operation, &response, &format!("{method} {path} {body}"));
                tried += 1;
            }
            if content.is_null() && path != "/ws" && !path.contains("{path}") {
                let response = ask(method, path, None).await;
                check_answer(&document, operation, &response, &format!("{method} {path}"));
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "{tried}");
}

#[tokio::test]
async fn answers_about_credentials_are_as_described() {
    let document = openapi::document();
    let harness = Harness::start(Mode::Required).await;
    let open = Harness::start(Mode::Off).await;
    let claim = json!({ "username": "anybody", "password": harness.token }).to_string();
    let login = harness.request("POST", "/api/auth/login").json(claim);
    let login = login.send(harness.address).await;
    let bearer = format!("Bearer {}", login.json()["token"].as_str().unwrap());
    let user = harness.request("GET", "/api/auth/current-user");
    let answers = [
        ("post", "/api/auth/login", login),
        ("get", "/api/auth/current-user", harness.get("/api/auth/current-user").await),
        (
            "get",
            "/api/auth/current-user",
            user.header("authorization", bearer).send(harness.address).await,
        ),
        ("get", "/api/auth/current-user", open.get("/api/auth/current-user").await),
        ("get", "/api/auth/config", open.get("/api/auth/config").await),
        ("post", "/api/auth/launch-url", harness.post("/api/auth/launch-url", "").await),
    ];
    for (method, path, answer) in answers {
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let content = &document["paths"][path][method]["responses"]["200"]["content"];
        let schema = content["application/json"]["schema"].clone();
        assert!(schema.is_object(), "{path} has no schema");
        check(&document, schema, &answer.json(), path).unwrap();
    }
}

async fn ask(method: &str, path: &str, body: Option<&Value>) -> Response {
    let harness = Harness::start(Mode::Required).await;
    if path.ends_with("/run") {
        // A shell at its prompt that has ended the command already.
        let mut state = harness.double.state();
        state.shell.handle_mark(ShellMark::Input, Offset(0));
        state.shell.handle_mark(ShellMark::Output, Offset(1));
        state.shell.handle_mark(ShellMark::End(Some(0)), Offset(1));
        state.shell.handle_mark(ShellMark::Input, Offset(1));
    }
    let target = path.replace("{id}", harness.id.as_str());
    let request = harness.trusted(&method.to_uppercase(), &target);
    let request = match body {
        Some(body) => request.json(body.to_string()),
        None => request,
    };
    request.send(harness.address).await
}

fn check_answer(document: &Value, operation: &Value, response: &Response, case: &str) {
    let status = response.status;
    let described = &operation["responses"][status.to_string()];
    assert!(described.is_object(), "{case}: {status} is not described");
    // What the double has none of: built pages, a store, viewers, users, a provider.
    let lacking = ["/favicon", "manifest", "/share", "/viewers", "/grants/", "/oidc/"];
    assert!(status < 400 || lacking.iter().any(|part| case.contains(part)), "{case}: {status}");
    let Some(content_type) = response.header("content-type") else { return };
    let name = content_type.split(';').next().unwrap();
    if case.contains("/favicon") || case.contains("manifest") {
        return;
    }
    let content = &described["content"][name];
    assert!(content.is_object(), "{case}: {name} is not described");
    if let Some(schema) = content.get("schema") {
        check(document, schema.clone(), &response.json(), case).unwrap();
    }
}

/// Whether a value is what a schema says: as much of JSON Schema as the document uses.
fn check(document: &Value, schema: Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(&reference[1..]).unwrap().clone();
        return check(document, target, value, at);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[key].as_array()
            && !choices.iter().any(|choice| check(document, choice.clone(), value, at).is_ok())
        {
            return Err(format!("{at}: {value} is none of {choices:?}"));
        }
    }
    if let Some(kinds) = schema.get("type") {
        let kinds = kinds.as_array().cloned().unwrap_or_else(|| vec![kinds.clone()]);
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        if !kinds.contains(&json!(kind)) {
            return Err(format!("{at}: {value} is not {kinds:?}"));
        }
    }
    if schema.get("const").is_some_and(|constant| constant != value) {
        return Err(format!("{at}: {value} is not {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return Err(format!("{at}: {value} is not one of {}", schema["enum"]));
    }
    for item in value.as_array().into_iter().flatten() {
        check(document, schema["items"].clone(), item, at)?;
    }
    check_members(document, &schema, value, at)
}

fn check_members(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Some(members) = value.as_object() else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            return Err(format!("{at}: {name} is missing in {value}"));
        }
    }
    for (name, member) in members {
        let known = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
        match known {
            Some(known) if known.is_object() => {
                check(document, known.clone(), member, &format!("{at}.{name}"))?;
            }
            Some(Value::Bool(true)) => {}
            _ if schema.get("properties").is_none() => {}
            _ => return Err(format!("{at}: {name} is not described")),
        }
    }
    Ok(())
}

#[test]
fn a_value_that_is_not_as_described_is_found() {
    let document = json!({ "A": { "type": "object", "properties": { "a": { "type": "integer" } },
        "required": ["a"] } });
    let schema = || json!({ "$ref": "#/A" });
    assert!(check(&document, schema(), &json!({ "a": 1 }), "").is_ok());
    for wrong in [json!({}), json!({ "a": "x" }), json!({ "a": 1, "b": 2 }), json!([])] {
        assert!(check(&document, schema(), &wrong, "").is_err(), "{wrong}");
    }
}
