//! `GET /api/sessions/{id}/stream`: the output of a session, as server-sent events.

use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hither_auth::Principal;
use hither_core::{Role, SessionId};
use http::Method;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

use super::access::Access;
use super::app::App;
use super::handle::level;
use super::problem::Problem;
use super::serve::{Stop, stopped};
use super::session_json::ExitJson;
use super::session_routes::IdInPath;
use super::stream_body::{Source, event, event_stream};
use crate::pass::PassRequest;
use crate::sessions::{Connection, Socket, Status, ViewerProtocol};

/// Most output bytes in one event.
const CHUNK_BYTES: usize = 16 * 1024;

/// `GET /api/sessions/{id}/stream`
pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    access: Access,
    IdInPath(id): IdInPath,
    method: Method,
) -> Result<Response, Problem> {
    let session = app.session(access.principal(), id, level::Read)?;
    if method == Method::HEAD {
        return Ok([(http::header::CONTENT_TYPE, "text/event-stream")].into_response());
    }
    let (ours, theirs) = socket_pair().map_err(|_| Problem::internal())?;
    let pass = app.passes.issue(PassRequest {
        session: id,
        principal: access.principal().clone(),
        address: access.address(),
        protocol: ViewerProtocol::Raw,
        role: Role::Observer,
    });
    session.attach(Connection {
        socket: Socket::Unix(theirs),
        read_ahead: Vec::new(),
        protocol: ViewerProtocol::Raw,
        session: id,
        role: Role::Observer,
        pass: Arc::clone(&pass),
    })?;
    app.judge(&pass);
    Ok(event_stream(Output {
        socket: Some(ours),
        tail: Vec::new(),
        id,
        stop: app.stop.clone(),
        principal: access.principal().clone(),
        app,
    }))
}

/// The viewer's end of the pair, and what a viewer needs at the end.
struct Output {
    socket: Option<UnixStream>,
    /// Bytes that may be the start of a character.
    tail: Vec<u8>,
    id: SessionId,
    stop: Stop,
    principal: Principal,
    app: Arc<App>,
}

impl Source for Output {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            let socket = self.socket.as_mut()?;
            let mut chunk = [0; CHUNK_BYTES];
            let read = tokio::select! {
                () = stopped(&mut self.stop) => return None,
                read = socket.read(&mut chunk) => read.unwrap_or(0),
            };
            if read == 0 {
                self.socket = None;
                return Some((self.last(), self));
            }
            self.tail.extend_from_slice(&chunk[..read]);
            if let Some(json) = take_output(&mut self.tail) {
                return Some((event(&json), self));
            }
        }
    }
}

impl Output {
    /// What is left of the output, then how the session ended or that it was closed.
    fn last(&mut self) -> Bytes {
        let mut events = Vec::new();
        if !self.tail.is_empty() {
            let base64 = STANDARD.encode(std::mem::take(&mut self.tail));
            events.extend(event(&json!({ "type": "output", "base64": base64 })));
        }
        let session = self.app.session(&self.principal, self.id, level::Read);
        let info = session.ok().and_then(|session| session.info().ok());
        events.extend(event(&match info.map(|info| info.status) {
            Some(Status::Exited(status)) => {
                ExitJson::from(status).added_to(json!({ "type": "exit" }))
            }
            Some(Status::Running) => json!({ "type": "detached" }),
            None => json!({ "type": "closed" }),
        }));
        events.into()
    }
}

/// An event with all whole characters of `tail`, which keeps the start of one that is not whole.
/// Bytes that are no UTF-8 go as base64, so that nothing is lost.
pub(crate) fn take_output(tail: &mut Vec<u8>) -> Option<Value> {
    let valid = match std::str::from_utf8(tail) {
        Ok(text) => text.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => {
            let base64 = STANDARD.encode(std::mem::take(tail));
            return Some(json!({ "type": "output", "base64": base64 }));
        }
    };
    if valid == 0 {
        return None;
    }
    let rest = tail.split_off(valid);
    let text = String::from_utf8(std::mem::replace(tail, rest)).expect("it was checked");
    Some(json!({ "type": "output", "data": text }))
}

fn socket_pair() -> std::io::Result<(UnixStream, StdUnixStream)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn characters_stay_whole_and_bytes_stay_exact() {
        let mut tail = b"a\xc3".to_vec();
        assert_eq!(take_output(&mut tail).unwrap()["data"], "a");
        assert_eq!(take_output(&mut tail), None);
        tail.push(0xa9);
        assert_eq!(take_output(&mut tail).unwrap()["data"], "é");
        assert!(tail.is_empty());
        tail.extend(b"x\xff\xc3");
        assert_eq!(take_output(&mut tail).unwrap()["base64"], "eP/D");
        assert!(tail.is_empty());
    }

    #[test]
    fn any_split_gives_the_same_bytes() {
        let text = "aé€😀\x1b[0m";
        for at in 0..=text.len() {
            let (mut tail, mut seen) = (Vec::new(), String::new());
            for part in [&text.as_bytes()[..at], &text.as_bytes()[at..]] {
                tail.extend_from_slice(part);
                if let Some(event) = take_output(&mut tail) {
                    write!(seen, "{}", event["data"].as_str().unwrap()).unwrap();
                }
            }
            assert_eq!(seen, text);
        }
    }
}
