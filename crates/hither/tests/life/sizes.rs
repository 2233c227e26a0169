//! A storm of window sizes: the last one wins, and the program hears of few (row S07).

use std::time::Instant;

use hither_client::{Attachment, Event, Wish};
use hither_core::{ClientId, Role, WindowSize};
use hither_protocol::hither::Features;

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
    for round in 0..20_000_u32 {
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
