//! Query strings: parsed, or refused with a reason.

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The parameters in the query of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let parsed = Query::try_from_uri(&parts.uri);
        // serde's text names parameters of the client's own query, nothing else.
        let invalid = |error| Problem::bad_request("invalid_query", format!("query: {error}"));
        parsed.map(|Query(query)| Self(query)).map_err(invalid)
    }
}
