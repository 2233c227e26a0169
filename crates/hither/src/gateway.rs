//! Talks to a running gateway: HTTP/1.1 over the Unix socket in the runtime directory, over
//! TCP, or over TLS.
//!
//! The socket is proof enough: only its user can reach it, so no token goes over it.

mod remote;

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use hither_client::{Address, Server, TlsError};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub(crate) use remote::{GatewayArgs, Remote};

use crate::failure::{Exit, Failure};
use crate::runtime_dir::{RuntimeDir, RuntimeDirError};

/// Longest wait for a whole answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer that is read: room for some thousands of sessions.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A gateway that can be asked.
#[derive(Clone, Debug)]
pub(crate) enum Gateway {
    /// That of a runtime directory.
    Local(RuntimeDir),
    /// One at an address.
    Remote(Remote),
}

/// A connected socket of either family.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
}

/// Why the gateway did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatewayError {
    /// The directory cannot be trusted, so what listens there is not asked.
    #[error(transparent)]
    Untrusted(RuntimeDirError),
    /// Nobody listens at the address.
    #[error("no gateway answers at {0}")]
    Unreachable(String),
    /// Nobody listens.
    #[error("no gateway is running in {}", .0.display())]
    NotRunning(PathBuf),
    /// It does not answer in time.
    #[error("the gateway did not answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// It is not believed to be the one at that address.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What came back is none of its answers.
    #[error("what answers there does not speak HTTP")]
    NotHttp,
    /// It hung up.
    #[error("the gateway closed the connection without an answer")]
    NoAnswer,
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
        Self::Local(dir)
    }

    /// Where viewers connect.
    pub(crate) fn server(&self) -> Result<Server, GatewayError> {
        match self {
            Self::Local(dir) => {
                examine(dir)?;
                Ok(Server::new(Address::Unix(dir.gateway_socket())))
            }
            Self::Remote(remote) => Ok(remote.server()),
        }
    }

    /// The address of a page as it is reached from here: the gateway knows only where it listens.
    pub(crate) fn as_seen_from_here(&self, url: &str) -> String {
        let Self::Remote(remote) = self else { return url.to_owned() };
        let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        let path = path.map_or_else(String::new, |(_, path)| format!("/{path}"));
        let path = path.strip_prefix(remote.base_path()).unwrap_or(&path);
        format!("{}{path}", remote.address())
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
        let answer = self.ask(limit, method, path, body)?;
        read_answer(answer.status, &answer.body)
    }

    /// Asks for something that is not JSON, or that the gateway may take `longer` to answer than
    /// five seconds.
    pub(crate) fn fetch(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        longer: Duration,
    ) -> Result<Answer, GatewayError> {
        let answer = self.ask(ANSWER_TIMEOUT + longer, method, path, body)?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(refused(answer.status, serde_json::from_slice(&answer.body).ok().as_ref()))
    }

    fn ask(
        &self,
        limit: Duration,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, GatewayError> {
        let (host, base_path, authorization) = match self {
            Self::Local(dir) => {
                examine(dir)?;
                ("localhost", "", None)
            }
            Self::Remote(remote) => {
                (remote.authority(), remote.base_path(), remote.authorization())
            }
        };
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{base_path}{path}"))
            .header("host", host)
            .header("content-type", "application/json");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|err| GatewayError::BadAnswer(err.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let exchange = async { timeout(limit, self.exchange(request)).await };
        runtime.block_on(exchange).map_err(|_| GatewayError::Timeout(limit))?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, GatewayError> {
        let stream = self.connect().await?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(broken)?;
        // The set ends the connection's task when this function is left.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let answer = sender.send_request(request).await.map_err(broken)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect();
        match body.await {
            Ok(body) => Ok(Answer { status, headers, body: body.to_bytes() }),
            Err(err) if err.is::<http_body_util::LengthLimitError>() => {
                Err(GatewayError::AnswerTooLong)
            }
            Err(err) => Err(GatewayError::BadAnswer(err.to_string())),
        }
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, GatewayError> {
        let absent = |err: &io::Error| {
            matches!(err.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
        };
        match self {
            Self::Local(dir) => match UnixStream::connect(dir.gateway_socket()).await {
                Err(err) if absent(&err) => Err(GatewayError::NotRunning(dir.path().to_owned())),
                connected => Ok(Box::new(connected?)),
            },
            Self::Remote(remote) => match TcpStream::connect(remote.endpoint()).await {
                Err(err) if absent(&err) => {
                    Err(GatewayError::Unreachable(remote.authority().to_owned()))
                }
                connected => secure(remote, connected?).await,
            },
        }
    }
}

/// The connection as the address wants it: over TLS if that begins with https.
async fn secure(remote: &Remote, socket: TcpStream) -> Result<Box<dyn Stream>, GatewayError> {
    let Some(trust) = remote.trust() else { return Ok(Box::new(socket)) };
    let (host, _) = remote.endpoint();
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| TlsError::BadName(host.to_owned()))?;
    let stream = TlsConnector::from(trust.config()).connect(name, socket).await;
    let refused = |err| match TlsError::of_handshake(&err) {
        Some(refused) => GatewayError::Tls(refused),
        None => GatewayError::Io(err),
    };
    Ok(Box::new(stream.map_err(refused)?))
}

impl GatewayError {
    /// The failure in words of the command line: that what was asked for is `missing`, if that is
    /// what the gateway says.
    pub(crate) fn or_missing(self, missing: &str, cure: &str) -> Failure {
        if let Self::Refused { status: StatusCode::NOT_FOUND, .. } = self {
            return Failure::new(Exit::Unavailable, missing).cure(cure);
        }
        self.into()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn broken(err: hyper::Error) -> GatewayError {
    if err.is_parse() {
        return GatewayError::NotHttp;
    }
    if err.is_incomplete_message() {
        return GatewayError::NoAnswer;
    }
    GatewayError::BadAnswer(err.to_string())
}

fn read_answer(status: StatusCode, bytes: &[u8]) -> Result<Value, GatewayError> {
    let value = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(bytes) };
    if status.is_success() {
        return value.map_err(|err| GatewayError::BadAnswer(err.to_string()));
    }
    Err(refused(status, value.ok().as_ref()))
}

fn refused(status: StatusCode, answer: Option<&Value>) -> GatewayError {
    let message = answer.and_then(reason).unwrap_or_else(|| format!("HTTP status {status}"));
    GatewayError::Refused { status, message }
}

/// Only a directory that nobody else can enter is trusted.
fn examine(dir: &RuntimeDir) -> Result<(), GatewayError> {
    match dir.examine() {
        Err(RuntimeDirError::Missing(path)) => Err(GatewayError::NotRunning(path)),
        Err(err) => Err(GatewayError::Untrusted(err)),
        Ok(()) => Ok(()),
    }
}

impl Answer {
    /// The number in a header.
    pub(crate) fn number(&self, header: &str) -> Option<u64> {
        self.headers.get(header)?.to_str().ok()?.parse().ok()
    }

    /// Whether a header says `true`.
    pub(crate) fn says(&self, header: &str) -> bool {
        self.headers.get(header).is_some_and(|value| value == "true")
    }

    /// The body as text; what is no UTF-8 in it is replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
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
            GatewayError::Unreachable(_) => {
                Self::new(Exit::Unavailable, message).cure("see whether address and port are right")
            }
            GatewayError::Tls(err) => remote::tls_failure(&err),
            GatewayError::NotHttp | GatewayError::NoAnswer => Self::new(Exit::Unavailable, message)
                .cure("see its log; with TLS its address begins with https"),
            GatewayError::Untrusted(err) => Self::new(Exit::Refused, message).cure(err.cure()),
            GatewayError::Timeout(_) => Self::new(Exit::Unavailable, message)
                .cure("see its log, and whether the machine is overloaded"),
            GatewayError::Refused { status, .. } if status == StatusCode::NOT_FOUND => {
                Self::new(Exit::Unavailable, message).cure("see `hither ls` for what there is")
            }
            GatewayError::Refused { status, .. } if status == StatusCode::UNAUTHORIZED => {
                Self::new(Exit::Refused, message)
                    .cure("put an API token into HITHER_TOKEN, or name its file with --token-file")
            }
            // What was asked for is outside of what can be asked for, and the gateway says why.
            GatewayError::Refused { status: StatusCode::BAD_REQUEST, .. } => {
                Self::new(Exit::Usage, message)
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
