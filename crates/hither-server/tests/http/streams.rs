//! Server-sent events.

use hither_auth::Mode;
use hither_core::ExitStatus;
use hither_server::sessions::{SessionEvent, Sessions, Socket, Status, ViewerProtocol};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::client::read_response;
use crate::double::EXITED;
use crate::harness::Harness;

/// Reads events of a chunked body.
struct Events {
    stream: TcpStream,
    text: String,
    /// What the last event was named, if it was.
    last_id: Option<String>,
}

impl Events {
    async fn open(harness: &Harness, target: &str) -> Self {
        Self::resume(harness, target, String::new()).await
    }

    /// As a client that saw this event last.
    async fn resume(harness: &Harness, target: &str, last_id: String) -> Self {
        let mut stream = TcpStream::connect(harness.address).await.unwrap();
        let request = harness.trusted("GET", target).header("last-event-id", last_id);
        stream.write_all(&request.to_bytes()).await.unwrap();
        let response = read_response(&mut stream, false).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-type"), Some("text/event-stream"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        Self { stream, text: String::new(), last_id: None }
    }

    /// The next event; `None` at the end of the body.
    async fn next(&mut self) -> Option<Value> {
        while !self.text.contains("\n\n") {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                line.push(self.stream.read_u8().await.unwrap());
            }
            let line = String::from_utf8(line).unwrap();
            let len = usize::from_str_radix(line.trim_end(), 16).unwrap();
            let mut chunk = vec![0; len + 2];
            self.stream.read_exact(&mut chunk).await.unwrap();
            if len == 0 {
                return None;
            }
            self.text += std::str::from_utf8(&chunk[..len]).unwrap();
        }
        let (event, rest) = self.text.split_once("\n\n").unwrap();
        let event = match event.strip_prefix("id: ").and_then(|named| named.split_once('\n')) {
            Some((id, event)) => {
                self.last_id = Some(id.to_owned());
                event
            }
            None => event,
        };
        let event = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
        self.text = rest.to_owned();
        Some(event)
    }
}

#[tokio::test]
async fn tells_what_happens_to_sessions() {
    let harness = Harness::start(Mode::Required).await;
    let mut events = Events::open(&harness, "/api/events").await;
    let hello = events.next().await.unwrap();
    assert_eq!(hello["type"], "connected");
    assert!(hello["timestamp"].as_str().unwrap().ends_with('Z'));

    let info = harness.double.find(harness.id).unwrap();
    harness.double.tell(SessionEvent::Created(Box::new(info)));
    let event = events.next().await.unwrap();
    assert_eq!(
        (&event["type"], &event["sessionId"]),
        (&json!("session-start"), &json!(harness.id.as_str()))
    );
    assert_eq!(event["session"]["cols"], 80);

    harness.double.tell(SessionEvent::Title(harness.id, "<b>\u{1b}[0m\n\ndata: x".to_owned()));
    let event = events.next().await.unwrap();
    assert_eq!(event["title"], "<b>\u{1b}[0m\n\ndata: x");

    harness.double.tell(SessionEvent::Exited(harness.id, ExitStatus::Signal(9)));
    let event = events.next().await.unwrap();
    assert_eq!((&event["type"], &event["exitSignal"]), (&json!("session-exit"), &json!("SIGKILL")));

    harness.double.tell(SessionEvent::Closed(harness.id));
    assert_eq!(events.next().await.unwrap()["type"], "session-closed");
}

#[tokio::test]
async fn says_how_many_events_were_missed() {
    let harness = Harness::start(Mode::Required).await;
    let mut events = Events::open(&harness, "/api/events").await;
    assert_eq!(events.next().await.unwrap()["type"], "connected");
    // The double keeps four; the server's task does not run in between.
    for _ in 0..7 {
        harness.double.tell(SessionEvent::Closed(harness.id));
    }
    let event = events.next().await.unwrap();
    assert_eq!((&event["type"], &event["count"]), (&json!("missed"), &json!(3)));
    for _ in 0..4 {
        assert_eq!(events.next().await.unwrap()["type"], "session-closed");
    }
}

#[tokio::test]
async fn streams_output_exactly_and_then_the_exit() {
    let mut harness = Harness::start(Mode::Required).await;
    let id = harness.double.add(EXITED);
    let mut events = Events::open(&harness, &format!("/api/sessions/{id}/stream")).await;
    let connection = harness.attached.recv().await.unwrap();
    assert_eq!(connection.protocol, ViewerProtocol::Raw);
    assert!(!connection.role.may_type());
    let Socket::Unix(socket) = connection.socket else { panic!() };
    let mut worker = UnixStream::from_std(socket).unwrap();

    worker.write_all("text\n\ndata: \u{1b}[1m €".as_bytes()).await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!(event, json!({ "type": "output", "data": "text\n\ndata: \u{1b}[1m €" }));
    worker.write_all(b"\xff").await.unwrap();
    assert_eq!(events.next().await.unwrap(), json!({ "type": "output", "base64": "/w==" }));
    worker.write_all(b"end\xe2\x82").await.unwrap();
    assert_eq!(events.next().await.unwrap()["data"], "end");
    drop(worker);
    assert_eq!(events.next().await.unwrap(), json!({ "type": "output", "base64": "4oI=" }));
    let exit = json!({ "type": "exit", "exitCode": 3 });
    assert_eq!(events.next().await.unwrap(), exit);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_viewer_that_goes_lets_the_worker_know() {
    let mut harness = Harness::start(Mode::Required).await;
    let events = Events::open(&harness, &format!("/api/sessions/{}/stream", harness.id)).await;
    let connection = harness.attached.recv().await.unwrap();
    drop(events);
    let Socket::Unix(socket) = connection.socket else { panic!() };
    let mut worker = UnixStream::from_std(socket).unwrap();
    assert_eq!(worker.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_stream_says_when_the_session_was_closed_or_the_viewer_detached() {
    let mut harness = Harness::start(Mode::Required).await;
    for (keep, expect) in [(true, "detached"), (false, "closed")] {
        let id = harness.double.add(Status::Running);
        let mut events = Events::open(&harness, &format!("/api/sessions/{id}/stream")).await;
        let connection = harness.attached.recv().await.unwrap();
        if !keep {
            harness.double.close(id).await.unwrap();
        }
        drop(connection);
        assert_eq!(events.next().await.unwrap()["type"], expect);
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test]
async fn a_reader_that_comes_back_misses_no_event() {
    let harness = Harness::start(Mode::Required).await;
    let other = harness.double.add(EXITED);
    let mut events = Events::open(&harness, "/api/events").await;
    assert_eq!(events.next().await.unwrap()["type"], "connected");
    harness.double.tell(SessionEvent::Title(harness.id, "one".to_owned()));
    assert_eq!(events.next().await.unwrap()["title"], "one");
    let seen = events.last_id.clone().unwrap();
    drop(events);
    harness.double.tell(SessionEvent::Title(other, "two".to_owned()));
    let resume = |id: &str| Events::resume(&harness, "/api/events", id.to_owned());
    let mut events = resume(&seen).await;
    assert_eq!(events.next().await.unwrap()["type"], "connected");
    assert_eq!(events.next().await.unwrap()["title"], "two");
    // One of a gateway that is gone.
    let mut events = resume("1-0").await;
    assert_eq!(events.next().await.unwrap()["type"], "connected");
    let missed = events.next().await.unwrap();
    assert_eq!((&missed["type"], &missed["count"]), (&json!("missed"), &json!(null)));
    let wrong = harness.trusted("GET", "/api/events").header("last-event-id", "x");
    let wrong = wrong.send(harness.address).await;
    assert_eq!((wrong.status, &*wrong.code()), (400, "invalid_event_id"));
}

#[tokio::test]
async fn output_events_continue_where_a_client_was() {
    let harness = Harness::start(Mode::Required).await;
    harness.double.write("a€".as_bytes());
    let target = format!("/api/sessions/{}/output?format=events", harness.id);
    let mut events = Events::open(&harness, &target).await;
    let first = json!({ "type": "output", "data": "a€", "offset": 0 });
    assert_eq!(events.next().await.unwrap(), first);
    assert_eq!(events.last_id.as_deref(), Some("4"));
    harness.double.write(b"b\xe2\x82");
    assert_eq!(events.next().await.unwrap()["data"], "b");
    // Half a character was not sent, so it is not counted.
    assert_eq!(events.last_id.as_deref(), Some("5"));
    harness.double.write(b"\xac");
    let whole = json!({ "type": "output", "data": "€", "offset": 5 });
    assert_eq!(events.next().await.unwrap(), whole);
    let mut events = Events::resume(&harness, &target, "1".to_owned()).await;
    assert_eq!(events.next().await.unwrap()["data"], "€b€");

    let exited = harness.double.add(EXITED);
    let target = format!("/api/sessions/{exited}/output?format=events&from=4");
    let mut events = Events::open(&harness, &target).await;
    assert_eq!(events.next().await.unwrap()["data"], "b€");
    assert_eq!(events.next().await.unwrap(), json!({ "type": "exit", "exitCode": 3 }));
    assert_eq!(events.next().await, None);
}
