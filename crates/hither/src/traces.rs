//! Traces: spans of requests, sessions, adoptions and upgrades, for a collector of OpenTelemetry.
//!
//! The spans are always there, at the level debug. To send them away is a feature of the build
//! (`otel`), so that nobody else carries what it needs.

#[cfg(feature = "otel")]
mod export;

use clap::Args;
use tracing_subscriber::{Layer, Registry};

use crate::failure::{Exit, Failure};

/// Where spans go.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Traces")]
pub(crate) struct TraceArgs {
    /// Send spans to the OpenTelemetry collector at this address (OTLP over HTTP), as in
    /// http://127.0.0.1:4318; needs a build with the feature otel
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    traces_endpoint: Option<String>,
    /// How many of a hundred traces are sent, 0 to 100
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 100,
        value_parser = clap::value_parser!(u8).range(0..=100)
    )]
    traces_percent: u8,
}

/// What takes spans.
pub(crate) type SpanLayer = Box<dyn Layer<Registry> + Send + Sync>;

#[cfg(feature = "otel")]
pub(crate) use export::{Traces, flush};

/// What would send spans, in a build that cannot.
#[cfg(not(feature = "otel"))]
#[derive(Debug, Default)]
pub(crate) struct Traces;

/// Sends what is left; here nothing is.
#[cfg(not(feature = "otel"))]
pub(crate) const fn flush() {}

impl TraceArgs {
    /// What takes the spans of the gateway, if they go anywhere: in this build, nothing.
    #[cfg(not(feature = "otel"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as with the feature")]
    pub(crate) const fn layer(&self) -> Result<Option<SpanLayer>, Failure> {
        Ok(None)
    }

    /// Refuses to send spans where the build cannot.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.traces_endpoint.is_some() && !cfg!(feature = "otel") {
            let message =
                "--traces-endpoint is of no use: this program was built without OpenTelemetry";
            let cure = "leave it out, or build with `cargo build --release --features otel`";
            return Err(Failure::new(Exit::Configuration, message).cure(cure));
        }
        Ok(())
    }
}

/// The address of a collector, without a slash at its end. Without TLS: a collector that is
/// elsewhere is reached through an agent on this machine, as is usual.
fn endpoint(text: &str) -> Result<String, String> {
    let expected = || "expected http://HOST:PORT, as in http://127.0.0.1:4318".to_owned();
    let uri = text.parse::<http::Uri>().map_err(|_| expected())?;
    let is_plain = uri.scheme_str() == Some("http") && uri.query().is_none();
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    if is_plain && !authority.is_empty() && !authority.contains('@') {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(expected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_plain_http_and_holds_no_secret() {
        for (text, expect) in [
            ("http://127.0.0.1:4318", Some("http://127.0.0.1:4318")),
            ("http://collector/otlp/", Some("http://collector/otlp")),
            ("https://collector", None),
            ("http://user:secret@collector", None),
            ("127.0.0.1:4318", None),
            ("http://collector/?x", None),
            ("", None),
        ] {
            assert_eq!(endpoint(text).ok().as_deref(), expect, "{text}");
        }
    }
}
