//! What may come back, in the words of OpenAPI.

use schemars::Schema;
use schemars::generate::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::operation::Operation;
use crate::http::routes::Guard;

/// All answers and problems, by status.
pub(super) fn responses(
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
