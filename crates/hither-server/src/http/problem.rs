//! Errors of the API: problem details (RFC 9457) with a stable code.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use hither_auth::{Denied, Forbidden};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::sessions::{CreateError, SessionError};
use crate::store_thread::StoreFailed;

/// An error answer as JSON.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemJson {
    /// Always `about:blank`: the code says what it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// What is wrong, for programs: it stays.
    code: &'static str,
    /// What is wrong, for people.
    detail: String,
}

/// An error answer. The detail is for people and says nothing about the inside of the server.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    header: Option<(HeaderName, HeaderValue)>,
}

/// The code of the problem that a response tells of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProblemCode(pub(crate) &'static str);

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), header: None }
    }

    /// The same with one more header.
    pub(crate) fn with_header(self, name: HeaderName, value: &'static str) -> Self {
        Self { header: Some((name, HeaderValue::from_static(value))), ..self }
    }

    /// Its stable code.
    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    /// What is wrong, for people.
    pub(crate) fn into_detail(self) -> String {
        self.detail
    }

    /// Whether a credential was missing or wrong.
    pub(crate) fn is_unauthorized(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    pub(crate) fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// Asks for a bearer token. Not for Basic, at which browsers would open a password dialog.
    pub(crate) fn unauthorized(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
            .with_header(WWW_AUTHENTICATE, "Bearer realm=\"hither\"")
    }

    /// Says how long to wait before the next try, in whole seconds.
    pub(crate) fn too_many_attempts(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let detail = format!("too many wrong tries; try again in {seconds} s");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail);
        Self { header: Some((RETRY_AFTER, HeaderValue::from(seconds))), ..problem }
    }

    pub(crate) fn cross_site(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "cross_site", detail)
    }

    pub(crate) fn not_through_proxy() -> Self {
        let detail = "this server is reached through its proxy only";
        Self::new(StatusCode::FORBIDDEN, "proxy_required", detail)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
    }

    pub(crate) fn method_not_allowed() -> Self {
        let detail = "this path does not have that method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    pub(crate) fn request_timeout() -> Self {
        let detail = "the body did not arrive in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail)
    }

    pub(crate) fn too_large(max: usize) -> Self {
        let detail = format!("body exceeds limit of {max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    }

    pub(crate) fn unsupported_media_type() -> Self {
        let detail = "content type must be application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    pub(crate) fn misdirected(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::MISDIRECTED_REQUEST, "host_not_allowed", detail)
    }

    /// Asks for a WebSocket handshake of version 13 (RFC 6455 section 4.4).
    pub(crate) fn upgrade_required(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", detail)
            .with_header(http::header::SEC_WEBSOCKET_VERSION, "13")
    }

    /// Too much is going on; it may be tried again.
    pub(crate) fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    }

    pub(crate) fn audit_failed() -> Self {
        let detail = "the audit log cannot be written, so nothing was done";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "audit_failed", detail)
    }

    pub(crate) fn internal() -> Self {
        let detail = "something went wrong; the log has more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing => Self::unauthorized("unauthenticated", denied.to_string()),
            Denied::Wrong => Self::unauthorized("credentials_refused", denied.to_string()),
            Denied::CrossSite => Self::cross_site(denied.to_string()),
        }
    }
}

impl From<Forbidden> for Problem {
    fn from(forbidden: Forbidden) -> Self {
        let code = match forbidden {
            Forbidden::Hidden => return SessionError::NotFound.into(),
            Forbidden::Scope(_) => "scope_missing",
            Forbidden::Level { .. } => "level_too_low",
        };
        Self::new(StatusCode::FORBIDDEN, code, forbidden.to_string())
    }
}

impl From<StoreFailed> for Problem {
    fn from(failed: StoreFailed) -> Self {
        let StoreFailed::Store(error) = failed else { return Self::busy(failed.to_string()) };
        tracing::error!(%error, "the store cannot be used");
        let detail = "the store cannot be used; the log has more";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_failed", detail)
    }
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        let status = match error {
            CreateError::ProgramNotFound(_)
            | CreateError::DirectoryNotFound
            | CreateError::InvalidCommand => StatusCode::BAD_REQUEST,
            CreateError::LimitReached { .. }
            | CreateError::Exhausted(_)
            | CreateError::HostUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            CreateError::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        let status = match error {
            SessionError::NotFound | SessionError::NoViewer => StatusCode::NOT_FOUND,
            SessionError::Exited | SessionError::NoProcess => StatusCode::CONFLICT,
            SessionError::NotPermitted => StatusCode::FORBIDDEN,
            SessionError::TooManyLabels { .. } => StatusCode::BAD_REQUEST,
            SessionError::InputFull
            | SessionError::TooManyViewers { .. }
            | SessionError::TooManyWaiting { .. }
            | SessionError::HostUnavailable
            | SessionError::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemJson {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
        };
        let body = serde_json::to_string(&body).expect("texts and numbers have a JSON form");
        let content_type = (CONTENT_TYPE, "application/problem+json");
        let mut response = (self.status, [content_type], body).into_response();
        response.extensions_mut().insert(ProblemCode(self.code));
        let headers = response.headers_mut();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        response
    }
}
