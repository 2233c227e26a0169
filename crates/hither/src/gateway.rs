//! Talks to the running gateway: HTTP/1.1 over the Unix socket in the runtime directory.
//!
//! The socket is proof enough: only its user can reach it, so no token goes over it.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::failure::{Exit, Failure};
use crate::runtime_dir::{RuntimeDir, RuntimeDirError};

/// Longest wait for a whole answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer that is read: room for some thousands of sessions.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The gateway of one runtime directory.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    dir: RuntimeDir,
}

/// Why the gateway did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatewayError {
    /// The directory cannot be trusted, so what listens there is not asked.
    #[error(transparent)]
    Untrusted(RuntimeDirError),
    /// Nobody listens.
    #[error("no gateway is running in {}", .0.display())]
    NotRunning(PathBuf),
    /// It does not answer in time.
    #[error("the gateway did not answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The answer is longer than can be right.
    #[error("the gateway's answer exceeds {ANSWER_BYTES_MAX} bytes")]
    AnswerTooLong,
    /// What came back is not what the API promises.
    #[error("the gateway's answer could not be understood: {0}")]
    BadAnswer(String),
    /// It refused, with its reason.
    #[error("the gateway refused: {message}")]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// Its own words.
        message: String,
    },
    /// The system did not let us ask.
    #[error("the gateway could not be asked: {0}")]
    Io(#[from] io::Error),
}

impl Gateway {
    /// The gateway that listens in `dir`, if there is one.
    pub(crate) const fn new(dir: RuntimeDir) -> Self {
        Self { dir }
    }

    /// Asks and waits for the answer, at most five seconds. An empty answer is `null`.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, GatewayError> {
        self.request_within(ANSWER_TIMEOUT, method, path, body)
    }

    /// The same for what may take longer.
    pub(crate) fn request_within(
        &self,
        limit: Duration,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, GatewayError> {
        match self.dir.examine() {
            Err(RuntimeDirError::Missing(path)) => return Err(GatewayError::NotRunning(path)),
            Err(err) => return Err(GatewayError::Untrusted(err)),
            Ok(()) => {}
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|err| GatewayError::BadAnswer(err.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let exchange = async { timeout(limit, self.exchange(request)).await };
        let (status, bytes) =
            runtime.block_on(exchange).map_err(|_| GatewayError::Timeout(limit))??;
        read_answer(status, &bytes)
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), GatewayError> {
        let stream = self.connect().await?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(broken)?;
        // The set ends the connection's task when this function is left.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let answer = sender.send_request(request).await.map_err(broken)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect();
        match body.await {
            Ok(body) => Ok((status, body.to_bytes())),
            Err(err) if err.is::<http_body_util::LengthLimitError>() => {
                Err(GatewayError::AnswerTooLong)
            }
            Err(err) => Err(GatewayError::BadAnswer(err.to_string())),
        }
    }

    async fn connect(&self) -> Result<UnixStream, GatewayError> {
        match UnixStream::connect(self.dir.gateway_socket()).await {
            Err(err)
                if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) =>
            {
                Err(GatewayError::NotRunning(self.dir.path().to_owned()))
            }
            connected => Ok(connected?),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn broken(err: hyper::Error) -> GatewayError {
    GatewayError::BadAnswer(err.to_string())
}

fn read_answer(status: StatusCode, bytes: &[u8]) -> Result<Value, GatewayError> {
    let value = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(bytes) };
    if status.is_success() {
        return value.map_err(|err| GatewayError::BadAnswer(err.to_string()));
    }
    let reason = value.ok().and_then(|value| reason(&value));
    let message = reason.unwrap_or_else(|| format!("HTTP status {status}"));
    Err(GatewayError::Refused { status, message })
}

/// The words of an error answer, which is problem details (RFC 9457).
fn reason(answer: &Value) -> Option<String> {
    Some(answer.get("detail")?.as_str()?.to_owned())
}

impl From<GatewayError> for Failure {
    fn from(err: GatewayError) -> Self {
        let message = err.to_string();
        match err {
            GatewayError::NotRunning(_) => {
                Self::new(Exit::Unavailable, message).cure("start one with `hither serve`")
            }
            GatewayError::Untrusted(err) => Self::new(Exit::Refused, message).cure(err.cure()),
            GatewayError::Timeout(_) => Self::new(Exit::Unavailable, message)
                .cure("see its log, and whether the machine is overloaded"),
            GatewayError::Refused { status, .. } if status == StatusCode::NOT_FOUND => {
                Self::new(Exit::Unavailable, message).cure("see `hither ls` for what there is")
            }
            GatewayError::Refused { status, .. } if status.is_client_error() => {
                Self::new(Exit::Refused, message)
            }
            GatewayError::AnswerTooLong
            | GatewayError::BadAnswer(_)
            | GatewayError::Refused { .. } => Self::new(Exit::Internal, message)
                .cure("see the gateway's log; gateway and command line may differ in version"),
            GatewayError::Io(_) => Self::new(Exit::Refused, message),
        }
    }
}
