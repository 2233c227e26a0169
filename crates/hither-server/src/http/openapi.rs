//! The description of the API in OpenAPI 3.1, made from the types and the table of routes that the
//! server itself uses.
//!
//! `operations` says in words what each route does and names the types of its query, body and
//! answers; their schemas come from the types. Who may use a route, and which problems each route
//! has in common with others, come from the table of routes.

mod builder;
mod operation;
mod operations;
mod page;
mod requests;
mod responses;

use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::app::App;
use super::door::Arrival;

/// A document that is the same as long as the server runs.
struct Fixed {
    content_type: &'static str,
    bytes: Bytes,
    tag: HeaderValue,
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> Value {
    builder::document(&operations::all())
}

/// The document as text, as it is served and as it is kept in `docs/openapi.json`.
#[must_use]
pub fn text() -> String {
    text_at("/")
}

/// `GET /api/openapi.json`, with the base path as the place of the server.
pub(crate) async fn json(
    State(app): State<Arc<App>>,
    arrival: Arrival,
    headers: HeaderMap,
) -> Response {
    static JSON: OnceLock<Fixed> = OnceLock::new();
    let base = app.base_of(arrival.peer);
    if base.is_empty() {
        return JSON.get_or_init(|| Fixed::new("application/json", text())).serve(&headers);
    }
    Fixed::new("application/json", text_at(base)).serve(&headers)
}

fn text_at(base: &str) -> String {
    let mut document = document();
    document["servers"] = json!([{ "url": base }]);
    let mut text = serde_json::to_string_pretty(&document).expect("a JSON value has a JSON form");
    text.push('\n');
    text
}

/// `GET /api/docs`: the same for people, without a script.
pub(crate) async fn docs(headers: HeaderMap) -> Response {
    static PAGE: OnceLock<Fixed> = OnceLock::new();
    PAGE.get_or_init(|| Fixed::new("text/html; charset=utf-8", page::html(&document())))
        .serve(&headers)
}

/// `GET /api/docs.css`
pub(crate) async fn style(headers: HeaderMap) -> Response {
    static STYLE: OnceLock<Fixed> = OnceLock::new();
    let text = || include_str!("openapi/docs.css").to_owned();
    STYLE.get_or_init(|| Fixed::new("text/css; charset=utf-8", text())).serve(&headers)
}

impl Fixed {
    fn new(content_type: &'static str, text: String) -> Self {
        let digest = Sha256::digest(&text);
        let tag = format!(
            "\"{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}\"",
            digest[0], digest[1], digest[2], digest[3], digest[4], digest[5]
        );
        let tag = HeaderValue::from_str(&tag).expect("hexadecimal digits are ASCII");
        Self { content_type, bytes: text.into(), tag }
    }

    fn serve(&self, headers: &HeaderMap) -> Response {
        let own = [
            (CONTENT_TYPE, HeaderValue::from_static(self.content_type)),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (ETAG, self.tag.clone()),
        ];
        if headers.get(IF_NONE_MATCH) == Some(&self.tag) {
            return (StatusCode::NOT_MODIFIED, own).into_response();
        }
        (own, self.bytes.clone()).into_response()
    }
}
