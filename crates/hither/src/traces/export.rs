//! Sends spans to a collector.

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{Level, Metadata};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;

use super::{SpanLayer, TraceArgs};
use crate::failure::{Exit, Failure};

/// Longest wait for the collector to take a batch.
const SEND_TIME: Duration = Duration::from_secs(5);
/// Longest answer of a collector that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What sends the spans of this process; set once, when logging starts.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Sends the rest when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Traces;

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(provider) = PROVIDER.get() {
            // The collector is gone: nobody is left to be told, and nothing else depends on it.
            provider.shutdown_with_timeout(SEND_TIME).ok();
        }
    }
}

/// Sends what is left, before this process becomes another program.
pub(crate) fn flush() {
    drop(Traces);
}

impl TraceArgs {
    /// What takes the spans of the gateway, if they go anywhere.
    pub(crate) fn layer(&self) -> Result<Option<SpanLayer>, Failure> {
        let Some(endpoint) = &self.traces_endpoint else { return Ok(None) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector)
            .with_protocol(Protocol::HttpJson)
            .with_endpoint(format!("{endpoint}/v1/traces"))
            .with_timeout(SEND_TIME)
            .build()
            .map_err(|error| Failure::new(Exit::Internal, format!("sending spans: {error}")))?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("hither").with_attribute(version);
        let ratio = f64::from(self.traces_percent) / 100.0;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
            .build();
        let tracer = provider.tracer("hither");
        PROVIDER.set(provider).ok();
        let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_filter(filter_fn(ours));
        Ok(Some(layer.boxed()))
    }
}

/// Whether something goes to the collector: the gateway's own spans, and what is worth a line of
/// the log while one of them is open.
fn ours(metadata: &Metadata<'_>) -> bool {
    let level = if metadata.is_span() { Level::DEBUG } else { Level::INFO };
    metadata.target().starts_with("hither") && *metadata.level() <= level
}

/// The way to the collector. It is asked on the thread that sends spans, which does nothing else.
#[derive(Debug)]
struct Collector;

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { timeout(SEND_TIME, exchange(request)).await })?
    }
}

async fn exchange(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().ok_or("expected an address with a host")?.clone();
    let path = head.uri.path_and_query().ok_or("expected an address with a path")?.clone();
    head.headers.insert(http::header::HOST, authority.as_str().parse()?);
    head.uri = path.into();
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await?;
    // The set ends the connection's task when this function is left.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(Request::from_parts(head, Full::new(body))).await?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?;
    Ok(Response::from_parts(head, body.to_bytes()))
}
