//! Request bodies: bounded, in time, and JSON that says so.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::problem::Problem;

/// Most bytes of a request body.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;
/// Most bytes of the body of an input request.
pub(crate) const INPUT_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Longest reason for refusing a body, in characters.
const REASON_CHARS_MAX: usize = 256;
/// Time for a whole body to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// A JSON object of at most `MAX` bytes. No body at all counts as `{}`.
///
/// The content type must be `application/json`: HTML forms of other sites cannot send that.
#[derive(Debug)]
pub(crate) struct JsonBody<T, const MAX: usize = BODY_BYTES_MAX>(pub(crate) T);

impl<T, S, const MAX: usize> FromRequest<S> for JsonBody<T, MAX>
where
    T: DeserializeOwned + Default,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let is_json = is_json(&parts.headers);
        let bytes = read(body, MAX).await?;
        if bytes.is_empty() && (is_json || !parts.headers.contains_key(CONTENT_TYPE)) {
            return Ok(Self(T::default()));
        }
        if !is_json {
            return Err(Problem::unsupported_media_type());
        }
        // A derived type would take an array for its members in their order.
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            let detail = "body: expected an object, not an array";
            return Err(Problem::bad_request("invalid_json", detail));
        }
        let parsed = serde_json::from_slice(&bytes);
        let invalid = |error| Problem::bad_request("invalid_json", reason(&error));
        parsed.map(Self).map_err(invalid)
    }
}

/// What is wrong with a body. serde's text names fields, values and positions of the client's own
/// body, nothing else; a long value is cut off.
fn reason(error: &serde_json::Error) -> String {
    let text = format!("body: {error}");
    match text.char_indices().nth(REASON_CHARS_MAX) {
        Some((end, _)) => {
            format!("{}… (line {}, column {})", &text[..end], error.line(), error.column())
        }
        None => text,
    }
}

async fn read(body: Body, max: usize) -> Result<Bytes, Problem> {
    let collected = timeout(BODY_DEADLINE, Limited::new(body, max).collect()).await;
    match collected {
        Err(_elapsed) => Err(Problem::request_timeout()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::too_large(max)),
        Ok(Err(_broken)) => {
            Err(Problem::bad_request("incomplete_body", "the body ended too early or is malformed"))
        }
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
    }
}

/// Whether the content type is `application/json`, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.map(|value| value.split(';').next().unwrap_or("").trim());
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
}
