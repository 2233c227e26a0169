//! Row R06 with TLS: hundreds come at once, and whoever is there already does not notice.

use std::time::Instant;

use crate::client::{Client, Trust};
use crate::gateway::{Gateway, HANG};

/// Connections of one thread; `HITHER_LONG` takes as many as the row has.
fn each() -> usize {
    if std::env::var_os("HITHER_LONG").is_some() { 5_000 } else { 100 }
}

/// One of those who come: without a handshake, with nothing behind it, or with a request. Who comes
/// when there are too many finds the connection closed, or is told so.
fn come(gateway: &Gateway, trust: &Trust, number: usize) {
    let tcp = gateway.connect();
    if number.is_multiple_of(3) {
        return;
    }
    let Ok(mut client) = Client::open(tcp, trust) else { return };
    if number % 3 == 2 {
        let answer = client.try_ask(&gateway.host(), "GET", "/health", "", "");
        let status = answer.map(|(status, _)| status);
        assert!(matches!(status, Err(_) | Ok(0 | 200 | 503)), "{status:?}");
    }
}

#[test]
fn r06_a_storm_of_handshakes_leaves_sessions_alone() {
    let gateway = Gateway::start();
    let id = gateway.session("stty raw -echo; printf ready; exec cat");
    let mut typist = Client::attach(&gateway, &format!("/ws?sessionId={id}"), "");
    assert_eq!(typist.output(5), b"ready");
    let before = gateway.descriptors();
    let trust = Trust::of(&gateway.authority);
    let mut keys = 0_u32;
    std::thread::scope(|scope| {
        let storm = || (0..each()).for_each(|number| come(&gateway, &trust, number));
        let comers: Vec<_> = (0..4).map(|_| scope.spawn(storm)).collect();
        // At least one key is typed beside them, and each comes back.
        while keys == 0 || !comers.iter().all(|comer| comer.is_finished()) {
            let key = keys.to_be_bytes()[3];
            typist.send(0x82, &[key]);
            assert_eq!(typist.output(1), [key]);
            keys += 1;
        }
    });
    let (status, answer) = gateway.ask("GET", "/health", "");
    assert_eq!(status, 200, "{answer}");
    let until = Instant::now() + HANG;
    while gateway.descriptors() > before {
        assert!(Instant::now() < until, "{before} descriptors before");
        gateway.ask("GET", "/health", "");
    }
}
