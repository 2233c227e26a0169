//! What a request may say, in the words of OpenAPI.

use schemars::generate::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::operation::{Body, Operation};

/// Parameters of path, header and query.
pub(super) fn parameters(operation: &Operation, requests: &mut SchemaGenerator) -> Vec<Value> {
    let mut all = Vec::new();
    if operation.path.contains("{id}") {
        all.push(json!({
            "name": "id", "in": "path", "required": true,
            "description": "Name of the session.",
            "schema": { "type": "string", "pattern": "^[a-z2-7]{16}$" },
        }));
    }
    if operation.path.contains("{number}") {
        all.push(json!({
            "name": "number", "in": "path", "required": true,
            "description": "Number of it in the list.",
            "schema": { "type": "integer", "minimum": 0 },
        }));
    }
    if operation.path.contains("{user}") {
        all.push(json!({
            "name": "user", "in": "path", "required": true,
            "description": "Name of the user.", "schema": { "type": "string" },
        }));
    }
    if operation.path.contains("{*path}") {
        all.push(json!({
            "name": "path", "in": "path", "required": true, "schema": { "type": "string" },
        }));
    }
    for (name, meaning) in &operation.headers {
        all.push(json!({
            "name": name, "in": "header", "required": false, "description": meaning,
            "schema": { "type": "string" },
        }));
    }
    let query = operation.query.map(|schema| schema(requests));
    let members = query.as_ref().and_then(|schema| schema.get("properties"));
    for (name, schema) in members.and_then(Value::as_object).into_iter().flatten() {
        let mut schema = schema.clone();
        let meaning = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        all.push(json!({
            "name": name, "in": "query", "required": false,
            "description": meaning.unwrap_or_default(),
            "schema": without_null(schema),
        }));
    }
    all
}

/// A query cannot say null.
fn without_null(mut schema: Value) -> Value {
    if let Some(types) = schema.get("type").and_then(Value::as_array) {
        let named: Vec<Value> = types.iter().filter(|name| *name != "null").cloned().collect();
        if let [name] = named.as_slice() {
            schema["type"] = name.clone();
        }
    }
    let choices = schema.get("anyOf").and_then(Value::as_array);
    let chosen = choices.and_then(|choices| choices.iter().find(|choice| choice["type"] != "null"));
    chosen.cloned().unwrap_or(schema)
}

/// A body and examples of it.
pub(super) fn request_body(body: &Body, requests: &mut SchemaGenerator) -> Value {
    let mut content = json!({ "schema": (body.schema)(requests) });
    if !body.examples.is_empty() {
        let examples = body.examples.iter().enumerate();
        content["examples"] = examples
            .map(|(number, example)| {
                (format!("example{}", number + 1), json!({ "value": example }))
            })
            .collect::<Map<_, _>>()
            .into();
    }
    let required = needs_members(&content["schema"], requests);
    json!({ "required": required, "content": { "application/json": content } })
}

/// Whether a body must have some member: one that need not may be left out as a whole.
fn needs_members(schema: &Value, requests: &SchemaGenerator) -> bool {
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let named = name.and_then(|name| requests.definitions().get(name));
    let schema = named.unwrap_or(schema);
    ["required", "anyOf", "oneOf", "minProperties"].iter().any(|rule| schema.get(rule).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_have_no_null() {
        for (schema, expect) in [
            (
                json!({ "type": ["integer", "null"], "minimum": 0 }),
                json!({ "type": "integer", "minimum": 0 }),
            ),
            (json!({ "anyOf": [{ "$ref": "#/x" }, { "type": "null" }] }), json!({ "$ref": "#/x" })),
            (json!({ "type": "string" }), json!({ "type": "string" })),
        ] {
            assert_eq!(without_null(schema), expect);
        }
    }
}
