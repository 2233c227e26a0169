//! From operations to a document.

use std::collections::BTreeMap;

use schemars::Schema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::requests::{parameters, request_body};
use super::responses::responses;
use crate::http::problem::ProblemJson;
use crate::http::routes::Guard;

/// The document that says all this.
pub(super) fn document(operations: &[Operation]) -> Value {
    let settings = |settings: SchemaSettings| {
        settings.with(|settings| settings.definitions_path = "/components/schemas".into())
    };
    let mut requests = settings(SchemaSettings::draft2020_12().for_deserialize()).into_generator();
    let mut answers = settings(SchemaSettings::draft2020_12().for_serialize()).into_generator();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let problem = answers.subschema_for::<ProblemJson>();
    for operation in operations {
        let path = operation.path.replace("{*path}", "{path}");
        let described = describe(operation, &problem, &mut requests, &mut answers);
        paths.entry(path).or_default().insert(operation.method.to_ascii_lowercase(), described);
    }
    let mut schemas = requests.take_definitions(true);
    for (name, schema) in answers.take_definitions(true) {
        if let Some(other) = schemas.insert(name.clone(), schema.clone()) {
            assert_eq!(other, schema, "two types are called {name}");
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hither",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Terminal sessions for browsers and programs. The guide is docs/api.md.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags(operations),
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security_schemes() },
    })
}

fn tags(operations: &[Operation]) -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    for operation in operations {
        if !names.contains(&operation.tag) {
            names.push(operation.tag);
        }
    }
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http", "scheme": "bearer",
            "description": "An API token, or the token that a login answered.",
        },
        "basic": {
            "type": "http", "scheme": "basic",
            "description": "Any user name, and an API token as the password.",
        },
    })
}

fn describe(
    operation: &Operation,
    problem: &Schema,
    requests: &mut SchemaGenerator,
    answers: &mut SchemaGenerator,
) -> Value {
    let guard = operation.route().map_or(Guard::Credential, |route| route.guard);
    let mut described = json!({
        "operationId": operation_id(operation),
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": description(operation, guard),
        "responses": responses(operation, guard, problem, answers),
        "security": match guard {
            Guard::Public | Guard::Secret => json!([]),
            Guard::Credential | Guard::Scope(_) | Guard::Session(_) => {
                json!([{ "bearer": [] }, { "basic": [] }])
            }
        },
        "x-guard": guard.as_str(),
    });
    let parameters = parameters(operation, requests);
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(body) = &operation.body {
        described["requestBody"] = request_body(body, requests);
    }
    described
}

/// Method and path as one word, such as `postSessionsIdInput`.
fn operation_id(operation: &Operation) -> String {
    let words = operation.path.trim_start_matches("/api").split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty()).map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    });
    let prefix = if operation.path.starts_with("/api") { "" } else { "Root" };
    let method = operation.method.to_ascii_lowercase();
    method + prefix + &words.collect::<String>()
}

fn description(operation: &Operation, guard: Guard) -> String {
    let needs = match guard {
        Guard::Public => "For everybody.".to_owned(),
        Guard::Secret => "For whoever knows the secret in the request.".to_owned(),
        Guard::Credential => "Needs a credential.".to_owned(),
        Guard::Scope(scope) => format!("Needs a credential with the scope `{}`.", scope.as_str()),
        Guard::Session(level) => format!("Needs the level `{}` in the session.", level.as_str()),
    };
    if operation.details.is_empty() { needs } else { format!("{} {needs}", operation.details) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_operations_are_words() {
        for (method, path, expect) in [
            ("GET", "/api/sessions/{id}/reset-size", "getSessionsIdResetSize"),
            ("GET", "/api/health", "getHealth"),
            ("GET", "/health", "getRootHealth"),
            ("GET", "/", "getRoot"),
        ] {
            assert_eq!(operation_id(&Operation::new(method, path, "", "")), expect);
        }
    }
}
