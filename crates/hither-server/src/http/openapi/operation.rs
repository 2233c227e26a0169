//! What is said about one route.

use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::http::routes::{ROUTES, Route};

/// Writes the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What is said about one route.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) details: &'static str,
    pub(super) query: Option<SchemaOf>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    pub(super) problems: Vec<(u16, &'static str)>,
}

/// What a request carries.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) schema: SchemaOf,
    pub(super) examples: Vec<Value>,
}

/// What may come back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) meaning: &'static str,
    pub(super) content: Vec<(&'static str, Option<SchemaOf>)>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
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

    pub(super) fn route(&self) -> Option<&'static Route> {
        ROUTES.iter().find(|route| route.method == self.method && route.path == self.path)
    }
}
