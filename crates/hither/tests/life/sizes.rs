//! Row S07: a storm of window sizes, of which the last one wins and the program hears of few, and sizes
//! that no window has. `HITHER_RESIZES=100000` is the long storm.

use std::io::Write as _;
use std::time::Instant;

use hither_client::{Attachment, Event, Wish};
use hither_core::{ClientId, Role, SessionId, WindowSize};
use hither_protocol::hither::Features;

use hither_protocol::websocket::{Opcode, append_frame};
use serde_json::json;

use crate::ends::wait_until;
use crate::place::Gateway;

/// Most SIGWINCH a second.
const RATE_MAX: f64 = 60.0;

#[test]
fn the_last_of_many_sizes_wins_and_the_program_hears_of_few() {
    let gateway = Gateway::start(&[]);
    let script = "trap 'stty size' WINCH; echo ready; while :; do sleep 1000 & wait $!; done";
    let id = gateway.session(script);
    let client = ClientId(1);
    let wish = Wish {
        role: Role::Operator,
        features: Features::RAW,
        size: Some(WindowSize::DEFAULT),
        from: None,
    };
    let mut attachment = Attachment::new(client, wish);
    let mut connection = gateway.server().connect(id, client, &mut attachment).unwrap();
    let mut seen = String::new();
    let mut wait_for =
        |connection: &mut hither_client::Connection, attachment: &mut Attachment, text: &str| {
            while !seen.contains(text) {
                let progress = connection.receive(attachment, |event| {
                    if let Event::Output(bytes) = event {
                        seen.push_str(std::str::from_utf8(bytes).unwrap());
                    }
                });
                progress.unwrap();
            }
            seen.clone()
        };
    wait_for(&mut connection, &mut attachment, "ready");
    let start = Instant::now();
    let count = std::env::var("HITHER_RESIZES").ok().and_then(|count| count.parse().ok());
    for round in 0..count.unwrap_or(20_000_u32) {
        let size = WindowSize::clamped(20 + round % 900, 10 + round % 400);
        connection.resize(&mut attachment, size).unwrap();
    }
    let last = WindowSize::new(321, 123).unwrap();
    connection.resize(&mut attachment, last).unwrap();
    let seen = wait_for(&mut connection, &mut attachment, "123 321");
    let heard = seen.lines().count() - 1;
    let most = start.elapsed().as_secs_f64().mul_add(RATE_MAX, 2.0);
    #[expect(clippy::cast_precision_loss, reason = "a few hundred at most")]
    let heard = heard as f64;
    assert!(heard <= most, "{heard} of at most {most}");
    let session = gateway.get(&format!("/api/sessions/{id}")).1;
    assert_eq!((&session["cols"], &session["rows"]), (&321.into(), &123.into()));
}

/// Sizes outside the limits, with the nearest that is inside.
const ODD: [((u16, u16), (u16, u16)); 7] = [
    ((0, 0), (2, 1)),
    ((1, 1), (2, 1)),
    ((65_535, 65_535), (1000, 500)),
    ((0, 65_535), (2, 500)),
    ((65_535, 0), (1000, 1)),
    ((1001, 500), (1000, 500)),
    ((80, 501), (80, 500)),
];

fn has_size(gateway: &Gateway, id: SessionId, (cols, rows): (u16, u16)) -> bool {
    let session = gateway.get(&format!("/api/sessions/{id}")).1;
    session["cols"] == cols && session["rows"] == rows
}

#[test]
fn a_size_outside_the_limits_is_refused_by_the_api() {
    let gateway = Gateway::start(&[]);
    let id = gateway.session("cat");
    let path = format!("/api/sessions/{id}/resize");
    assert_eq!(gateway.post(&path, &json!({ "cols": 77, "rows": 33 })).0, 200);
    let wide = ODD.map(|((cols, rows), _)| json!({ "cols": cols, "rows": rows }));
    let wider = [
        json!({ "cols": 65_536, "rows": 24 }),
        json!({ "cols": 80, "rows": 4_294_967_295_u32 }),
        json!({ "cols": 80 }),
    ];
    for odd in wide.iter().chain(&wider) {
        let (status, problem) = gateway.post(&path, odd);
        assert_eq!((status, &problem["code"]), (400, &"invalid_size".into()), "{odd}: {problem}");
    }
    for odd in [json!({ "cols": -1, "rows": 24 }), json!({ "cols": 4_294_967_296_u64, "rows": 24 })]
    {
        let (status, problem) = gateway.post(&path, &odd);
        assert!((400..500).contains(&status), "{odd}: {status} {problem}");
    }
    wait_until(|| has_size(&gateway, id, (77, 33)));
}

#[test]
fn a_size_outside_the_limits_is_clamped_by_the_protocol() {
    let gateway = Gateway::start(&[]);
    let id = gateway.session("cat");
    let protocol = "sec-websocket-protocol: hither.v1\r\n";
    let mut socket = gateway.websocket(&format!("session={id}"), protocol);
    let mut send = |parts: &[&[u8]]| {
        let mut frame = Vec::new();
        append_frame(&mut frame, Opcode::Binary, parts, Some([0; 4]));
        socket.write_all(&frame).unwrap();
    };
    let hello = json!({ "client": "0000000000000001", "cols": 0, "rows": u64::from(u32::MAX) + 1 });
    send(&[&[1], hello.to_string().as_bytes()]);
    wait_until(|| has_size(&gateway, id, (2, 500)));
    for ((cols, rows), clamped) in ODD {
        // Back to a size that is none of them, so that each is seen to come.
        for (sent, seen) in [((77, 33), (77, 33)), ((cols, rows), clamped)] {
            let (cols, rows): (u16, u16) = sent;
            send(&[&[3], &cols.to_be_bytes(), &rows.to_be_bytes()]);
            wait_until(|| has_size(&gateway, id, seen));
        }
    }
}
