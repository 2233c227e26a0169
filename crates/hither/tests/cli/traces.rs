//! Spans on their way to a collector, in a build that sends them, and in one that does not.
#![cfg_attr(
    feature = "otel",
    expect(clippy::unwrap_used, reason = "in a test, a panic is the report")
)]

use crate::place::Place;

#[cfg(not(feature = "otel"))]
#[test]
fn a_build_without_opentelemetry_says_so_and_starts_nothing() {
    let place = Place::new();
    for options in [&["serve"][..], &["serve", "--check-config"], &["config"]] {
        let endpoint = ["--traces-endpoint", "http://127.0.0.1:4318"];
        let run = place.run(&[options, &endpoint].concat());
        assert_eq!(run.code, 78, "{run:?}");
        assert!(run.stderr.contains("built without OpenTelemetry"), "{run:?}");
        assert!(run.stderr.contains("--features otel"), "{run:?}");
    }
}

#[cfg(feature = "otel")]
mod with_a_collector {
    use std::io::{BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::sync::mpsc::{Receiver, sync_channel};
    use std::thread;
    use std::time::Duration;

    use serde_json::Value;

    use super::Place;
    use crate::place::read_request;
    use crate::running::Running;

    /// Takes batches, and hands on each span as it comes.
    fn collector() -> (String, Receiver<Value>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (sender, spans) = sync_channel(1024);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let batch = take(stream.unwrap());
                for resource in batch["resourceSpans"].as_array().unwrap() {
                    for scope in resource["scopeSpans"].as_array().unwrap() {
                        for span in scope["spans"].as_array().unwrap() {
                            let mut span = span.clone();
                            span["resource"] = resource["resource"].clone();
                            if sender.send(span).is_err() {
                                return;
                            }
                        }
                    }
                }
            }
        });
        (endpoint, spans)
    }

    fn take(stream: TcpStream) -> Value {
        let mut reader = BufReader::new(stream);
        let asked = read_request(&mut reader);
        assert_eq!(asked.line, "POST /v1/traces");
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                      content-length: 2\r\n\r\n{}";
        reader.into_inner().write_all(answer.as_bytes()).unwrap();
        serde_json::from_str(&asked.body).unwrap()
    }

    /// Waits for a span of this name of which this is true.
    fn next(spans: &Receiver<Value>, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let span = spans.recv_timeout(Duration::from_secs(60)).expect(name);
            let text = span.to_string();
            assert!(!text.contains("secret"), "what nobody may see is in {text}");
            if span["name"] == name && wanted(&span) {
                return span;
            }
        }
    }

    /// The value of an attribute as text, of whatever type it is.
    fn attribute(span: &Value, key: &str) -> String {
        let attributes = span["attributes"].as_array().unwrap();
        let found = attributes.iter().find(|attribute| attribute["key"] == key);
        let value = found.and_then(|found| found["value"].as_object()?.values().next());
        value.map(|value| value.to_string().trim_matches('"').to_owned()).unwrap_or_default()
    }

    #[test]
    fn requests_sessions_adoptions_and_upgrades_reach_the_collector() {
        let place = Place::new();
        let (endpoint, spans) = collector();
        let options = ["--traces-endpoint", &endpoint];
        let gateway = Running::start(&place.path().join("run"), &options, &["cat"]);
        let script = "printf '\\033]0;titlesecret\\007ready'; exec cat commandsecret -";
        let id = gateway.new_session(&["sh", "-c", script]);
        let mut viewer = gateway.viewer(&id);
        viewer.until(|viewer| viewer.text().contains("ready"));
        viewer.echo(b"inputsecret", 11);
        let created = next(&spans, "request", |span| {
            attribute(span, "route") == "/api/sessions" && attribute(span, "method") == "POST"
        });
        assert_eq!(attribute(&created, "status"), "201");
        let resource = created["resource"].to_string();
        assert!(resource.contains("service.name") && resource.contains("hither"), "{resource}");

        // What is under way is sent before another program takes the place of this one.
        assert_eq!(gateway.hither(&["upgrade"]).code, 0);
        next(&spans, "upgrade", |span| attribute(span, "outcome") == "begun");
        let session = next(&spans, "session", |_| true);
        assert_eq!(attribute(&session, "session"), id);
        next(&spans, "adoption", |span| attribute(span, "sessions") == "1");
        assert_eq!(gateway.hither(&["kill", &id]).code, 0);
        next(&spans, "session", |span| attribute(span, "session") == id);
    }

    #[test]
    fn a_collector_that_is_not_there_changes_nothing() {
        let place = Place::new();
        let options = ["--traces-endpoint", "http://127.0.0.1:1"];
        let gateway = Running::start(&place.path().join("run"), &options, &["cat"]);
        let id = gateway.new_session(&["cat"]);
        let mut viewer = gateway.viewer(&id);
        viewer.echo(b"x", 1);
        assert_eq!(gateway.hither(&["kill", &id]).code, 0);
    }
}
