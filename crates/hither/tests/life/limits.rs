//! Limits and times of sessions, each with its word for whom it hits.

use std::sync::mpsc::sync_channel;

use hither_client::{Attachment, Connection, Event, Progress, Wish};
use hither_core::{ClientId, Role, SessionId};
use hither_protocol::hither::Features;
use hither_protocol::websocket::CloseCode;
use serde_json::json;

use crate::place::Gateway;

/// A viewer that is in.
fn attach(gateway: &Gateway, id: SessionId, client: u64) -> (Connection, Attachment) {
    let wish = Wish { role: Role::Operator, features: Features::none(), size: None, from: None };
    let mut attachment = Attachment::new(ClientId(client), wish);
    let server = gateway.server();
    let mut connection = server.connect(id, ClientId(client), &mut attachment).unwrap();
    let mut attached = false;
    while !attached {
        let progress = connection.receive(&mut attachment, |event| {
            attached |= matches!(event, Event::Attached(_));
        });
        progress.unwrap();
    }
    (connection, attachment)
}

/// The code with which a viewer is sent away.
fn sent_away((connection, attachment): &mut (Connection, Attachment)) -> Option<CloseCode> {
    loop {
        if let Progress::Closed(code) = connection.receive(attachment, |_| {}).unwrap() {
            return code;
        }
    }
}

#[test]
fn as_many_sessions_and_viewers_as_were_allowed() {
    let gateway = Gateway::start(&["--max-sessions", "2", "--max-viewers", "1"]);
    let first = gateway.session("cat");
    gateway.session("cat");
    let third = gateway.post("/api/sessions", &json!({ "command": ["cat"] }));
    assert_eq!((third.0, &third.1["code"]), (503, &"limit_reached".into()), "{third:?}");
    assert_eq!(third.1["detail"], "limit of 2 sessions is reached");
    assert_eq!(gateway.hits("limit_reached"), 1);
    assert_eq!(gateway.get("/api/config").1["limits"]["maxSessions"], 2);
    let _viewer = attach(&gateway, first, 1);
    let mut attachment = Attachment::new(
        ClientId(2),
        Wish { role: Role::Operator, features: Features::none(), size: None, from: None },
    );
    let connection = gateway.server().connect(first, ClientId(2), &mut attachment).unwrap();
    let code = sent_away(&mut (connection, attachment));
    assert_eq!(code, Some(CloseCode::TOO_MANY_VIEWERS));
    assert_eq!(gateway.hits("viewers_per_session"), 1);
    assert_eq!(gateway.delete(&format!("/api/sessions/{first}")).0, 200);
    gateway.session("cat");
}

#[test]
fn a_queue_of_input_has_an_end() {
    let gateway = Gateway::start(&["--max-input-queue", "64KiB"]);
    // Nobody reads what is typed, and the terminal itself holds a few thousand bytes.
    let ready = gateway.fifo();
    let id =
        gateway.session(&format!("stty raw -echo; echo >{}; exec sleep 1000", ready.display()));
    let path = format!("/api/sessions/{id}/input");
    std::fs::read(ready).unwrap();
    let chunk = json!({ "data": "x".repeat(30_000) });
    let (tell, told) = sync_channel(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (gateway, path, chunk, tell) = (&gateway, &path, &chunk, tell.clone());
            scope.spawn(move || tell.send(gateway.post(path, chunk)).unwrap());
        }
        // What fits waits for the program; only what does not is answered.
        let (status, problem) = told.recv().unwrap();
        assert_eq!((status, &problem["code"]), (503, &"input_full".into()), "{problem}");
        assert!(gateway.hits("input_full") > 0);
        assert_eq!(gateway.delete(&format!("/api/sessions/{id}")).0, 200);
    });
    drop(tell);
    assert!(told.iter().all(|(status, _)| status != 200));
}

#[test]
fn sessions_end_when_nobody_uses_or_watches_them() {
    let gateway = Gateway::start(&["--idle-timeout", "1s", "--keep-exited", "1s"]);
    let idle = gateway.session("exec sleep 1000");
    let exited = gateway.session("exit 3");
    let mut viewer = attach(&gateway, idle, 1);
    assert_eq!(sent_away(&mut viewer), Some(CloseCode::SESSION_CLOSED));
    for id in [idle, exited] {
        while gateway.get(&format!("/api/sessions/{id}")).0 != 404 {
            std::thread::yield_now();
        }
    }
    assert_eq!((gateway.hits("idle_timeout"), gateway.hits("grace")), (1, 0));
    let gateway = Gateway::start(&["--grace", "1s"]);
    let watched = gateway.session("exec sleep 1000");
    let unwatched = gateway.session("while :; do echo busy; sleep 0.1; done");
    let _viewer = attach(&gateway, watched, 1);
    while gateway.get(&format!("/api/sessions/{unwatched}")).0 != 404 {
        std::thread::yield_now();
    }
    assert_eq!(gateway.get(&format!("/api/sessions/{watched}")).1["status"], "running");
    assert_eq!((gateway.hits("idle_timeout"), gateway.hits("grace")), (0, 1));
}
