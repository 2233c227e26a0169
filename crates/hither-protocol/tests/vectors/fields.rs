//! A frame as the metadata of a vector.

use hither_core::WindowSize;
use hither_protocol::hither::{ClientFrame, Event, Exit, Features, Hello, ServerFrame};
use hither_protocol::hither::{TermiosFlags, Welcome};
use serde_json::{Value, json};

use crate::file::Fields;

pub(crate) fn client_fields(frame: &ClientFrame<'_>) -> Fields {
    to_fields(match frame {
        ClientFrame::Hello(hello) => hello_fields(hello),
        ClientFrame::Input { number, bytes } => {
            json!({"frame": "input", "number": number.0, "payload_len": bytes.len()})
        }
        ClientFrame::Resize(size) => json!({"frame": "resize", "size": pair(*size)}),
        ClientFrame::Ack(offset) => json!({"frame": "ack", "offset": offset.0}),
        ClientFrame::Ping(token) => json!({"frame": "ping", "token": format!("{token:016x}")}),
        ClientFrame::Unknown(kind) => json!({"frame": "unknown", "type": kind}),
    })
}

pub(crate) fn server_fields(frame: &ServerFrame<'_>) -> Fields {
    to_fields(match frame {
        ServerFrame::Welcome(welcome) => welcome_fields(welcome),
        ServerFrame::Output { offset, bytes } => {
            json!({"frame": "output", "offset": offset.0, "payload_len": bytes.len()})
        }
        ServerFrame::Snapshot { offset, size, bytes } => json!({
            "frame": "snapshot",
            "offset": offset.0,
            "size": pair(*size),
            "payload_len": bytes.len(),
        }),
        ServerFrame::Gap { from, to } => json!({"frame": "gap", "from": from.0, "to": to.0}),
        ServerFrame::InputAck { accepted, settled } => {
            json!({"frame": "input-ack", "accepted": accepted.0, "settled": settled.0})
        }
        ServerFrame::Size { size, owner } => {
            json!({"frame": "size", "size": pair(*size), "owner": owner.0})
        }
        ServerFrame::Termios(flags) => json!({
            "frame": "termios",
            "echo": flags.contains(TermiosFlags::ECHO),
            "icanon": flags.contains(TermiosFlags::ICANON),
        }),
        ServerFrame::Event(event) => json!({"frame": "event", "event": event_body(event)}),
        ServerFrame::Pong(token) => json!({"frame": "pong", "token": format!("{token:016x}")}),
        ServerFrame::Exit(exit) => json!({"frame": "exit", "exit": exit_body(exit)}),
        ServerFrame::Error(error) => {
            json!({"frame": "error", "code": error.code.as_str(), "message": error.message})
        }
        ServerFrame::Unknown(kind) => json!({"frame": "unknown", "type": kind}),
    })
}

fn to_fields(value: Value) -> Fields {
    serde_json::from_value(value).expect("fields are an object")
}

fn pair(size: WindowSize) -> Value {
    json!([size.cols(), size.rows()])
}

fn feature_names(features: Features) -> Vec<&'static str> {
    let all = [(Features::RAW, "raw"), (Features::WAIT, "wait"), (Features::TERMIOS, "termios")];
    all.into_iter()
        .filter(|(feature, _)| features.contains(*feature))
        .map(|(_, name)| name)
        .collect()
}

fn hello_fields(hello: &Hello) -> Value {
    json!({
        "frame": "hello",
        "client": format!("{:016x}", hello.client.0),
        "resume": hello.resume.map(|offset| offset.0),
        "size": hello.size.map(pair),
        "role": hello.role.as_str(),
        "features": feature_names(hello.features),
    })
}

fn welcome_fields(welcome: &Welcome) -> Value {
    json!({
        "frame": "welcome",
        "session": welcome.session.as_str(),
        "viewer": welcome.viewer.0,
        "resumed": welcome.resumed,
        "offset": welcome.offset.0,
        "accepted": welcome.accepted.0,
        "size": pair(welcome.size),
        "owner": welcome.owner.0,
        "role": welcome.role.as_str(),
        "features": feature_names(welcome.features),
        "title": welcome.title,
        "state": welcome.state.as_str(),
    })
}

fn event_body(event: &Event) -> Value {
    match event {
        Event::Title(title) => json!({"type": "title", "title": title}),
        Event::Bell => json!({"type": "bell"}),
        Event::Viewers(count) => json!({"type": "viewers", "count": count}),
        Event::Role(role) => json!({"type": "role", "role": role.as_str()}),
        Event::Unknown(name) => json!({"type": name}),
    }
}

fn exit_body(exit: &Exit) -> Value {
    match exit {
        Exit::Code(code) => json!({"code": code}),
        Exit::Signal { number, name } => json!({"signal": number, "name": name}),
        Exit::Unknown => json!({"unknown": true}),
        Exit::Lost => json!({"lost": true}),
    }
}
