//! Bodies of server-sent events: each chunk is made when the client has taken the one before.

use std::convert::Infallible;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use hyper::body::Frame;

use super::problem::Problem;
use crate::sessions::BoxFuture;

/// Something that has events to send, one after the other, until it has none.
pub(crate) trait Source: Sized + Send + 'static {
    /// The next chunk of events, and the source for those after it; `None` ends the stream.
    fn next(self) -> impl Future<Output = Option<(Bytes, Self)>> + Send;
}

/// The response that sends a source's events.
pub(crate) fn event_stream<S: Source>(source: S) -> Response {
    let body = EventBody { step: Some(Box::pin(source.next())) };
    ([(CONTENT_TYPE, "text/event-stream")], Body::new(body)).into_response()
}

/// One event, from its JSON form.
pub(crate) fn event(json: &impl serde::Serialize) -> Bytes {
    let json = serde_json::to_string(json).expect("events are maps with texts as keys");
    Bytes::from(format!("data: {json}\n\n"))
}

/// One event, from its JSON form, with a name by which a client that comes back can say what it saw
/// last.
pub(crate) fn named_event(name: &impl std::fmt::Display, json: &impl serde::Serialize) -> Bytes {
    let json = serde_json::to_string(json).expect("events are maps with texts as keys");
    Bytes::from(format!("id: {name}\ndata: {json}\n\n"))
}

/// What the client saw last of a stream (the header `last-event-id`); an empty one says nothing.
pub(crate) fn last_event_id<T: FromStr>(headers: &HeaderMap) -> Result<Option<T>, Problem>
where
    T::Err: std::fmt::Display,
{
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let invalid = |detail: String| Problem::bad_request("invalid_event_id", detail);
    let text = value.to_str().map_err(|_| invalid("event id must be ASCII".to_owned()))?;
    text.parse().map(Some).map_err(|error: T::Err| invalid(error.to_string()))
}

struct EventBody<S> {
    step: Option<BoxFuture<'static, Option<(Bytes, S)>>>,
}

impl<S: Source> HttpBody for EventBody<S> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(step) = &mut self.step else {
            return Poll::Ready(None);
        };
        let done = ready!(step.as_mut().poll(context));
        let Some((bytes, source)) = done else {
            self.step = None;
            return Poll::Ready(None);
        };
        self.step = Some(Box::pin(source.next()));
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}
