//! From operations to a document.

use std::collections::BTreeMap;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::http::problem::ProblemJson;
use crate::http::routes::{Guard, ROUTES, Route};

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What is said about one route.
#[derive(Debug)]
pub(super) struct Operation {
    method: &'static str,
    path: &'static str,
    tag: &'static str,
    summary: &'static str,
    details: &'static str,
    query: Option<SchemaOf>,
    headers: Vec<(&'static str, &'static str)>,
    body: Option<Body>,
    answers: Vec<Answer>,
    problems: Vec<(u16, &'static str)>,
}

#[derive(Debug)]
struct Body {
    schema: SchemaOf,
    examples: Vec<Value>,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    meaning: &'static str,
    content: Vec<(&'static str, Option<SchemaOf>)>,
    headers: Vec<(&'static str, &'static str)>,
}

impl Operation {
    pub(super) const fn new(
        method: &'static str,
        path: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            tag,
            summary,
            details: "",
            query: None,
            headers: Vec::new(),
            body: None,
            answers: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// More words.
    pub(super) const fn details(mut self, details: &'static str) -> Self {
        self.details = details;
        self
    }

    /// The type of its query.
    pub(super) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(|generator| generator.root_schema_for::<T>());
        self
    }

    /// A header that a request may have.
    pub(super) fn header(mut self, name: &'static str, meaning: &'static str) -> Self {
        self.headers.push((name, meaning));
        self
    }

    /// The type of its body, and bodies that show what it is for.
    pub(super) fn body<T: JsonSchema>(mut self, examples: impl IntoIterator<Item = Value>) -> Self {
        let schema: SchemaOf = |generator| generator.subschema_for::<T>();
        self.body = Some(Body { schema, examples: examples.into_iter().collect() });
        self
    }

    /// An answer in JSON.
    pub(super) fn json<T: JsonSchema>(mut self, status: u16, meaning: &'static str) -> Self {
        let schema: SchemaOf = |generator| generator.subschema_for::<T>();
        let content = vec![("application/json", Some(schema))];
        self.answers.push(Answer { status, meaning, content, headers: Vec::new() });
        self
    }

    /// An answer of another type; of none if there is no body.
    pub(super) fn answer(
        mut self,
        status: u16,
        meaning: &'static str,
        types: &[&'static str],
    ) -> Self {
        let content = types.iter().map(|&name| (name, None)).collect();
        self.answers.push(Answer { status, meaning, content, headers: Vec::new() });
        self
    }

    /// The last answer may also be of these types.
    pub(super) fn or(mut self, types: &[&'static str]) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.content.extend(types.iter().map(|&name| (name, None)));
        }
        self
    }

    /// The last answer has this header.
    pub(super) fn with(mut self, name: &'static str, meaning: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push((name, meaning));
        }
        self
    }

    /// A problem of its own, beside those that all such routes have.
    pub(super) fn problem(mut self, status: u16, meaning: &'static str) -> Self {
        self.problems.push((status, meaning));
        self
    }

    fn route(&self) -> Option<&'static Route> {
        ROUTES.iter().find(|route| route.method == self.method && route.path == self.path)
    }
}

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

fn parameters(operation: &Operation, requests: &mut SchemaGenerator) -> Vec<Value> {
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

fn request_body(body: &Body, requests: &mut SchemaGenerator) -> Value {
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

fn responses(
    operation: &Operation,
    guard: Guard,
    problem: &Schema,
    answers: &mut SchemaGenerator,
) -> Value {
    let mut all = Map::new();
    for answer in &operation.answers {
        let mut response = json!({ "description": answer.meaning });
        for (name, schema) in &answer.content {
            let schema = match schema {
                Some(schema) => json!({ "schema": schema(answers) }),
                None => json!({}),
            };
            response["content"][name] = schema;
        }
        for (name, meaning) in &answer.headers {
            response["headers"][name] =
                json!({ "description": meaning, "schema": { "type": "string" } });
        }
        all.insert(answer.status.to_string(), response);
    }
    let own = operation.problems.iter().copied();
    for (status, meaning) in common_problems(operation, guard).into_iter().chain(own) {
        let content = json!({ "application/problem+json": { "schema": problem } });
        all.insert(status.to_string(), json!({ "description": meaning, "content": content }));
    }
    all.into()
}

/// The problems that a route has because of what it is.
fn common_problems(operation: &Operation, guard: Guard) -> Vec<(u16, &'static str)> {
    let mut all = vec![
        (400, "The request is flawed; `code` says where."),
        (403, "This may not be done from here, or by you."),
        (421, "The host is not one of this server's names."),
        (500, "Our fault; the log has more."),
        (503, "Try again later."),
    ];
    if guard != Guard::Public {
        all.push((401, "There is no credential, or a wrong one."));
        all.push((429, "Too many wrong tries."));
    }
    if operation.path.contains("{id}") && operation.path.starts_with("/api") {
        all.push((404, "There is no such session, or none that you may see."));
    }
    if operation.body.is_some() {
        all.push((408, "The body did not arrive in time."));
        all.push((413, "The body is too large."));
        all.push((415, "The body is not `application/json`."));
    }
    all
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
