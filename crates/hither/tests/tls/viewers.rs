//! The data plane behind TLS: every protocol, floods, slow readers, ends.

use std::io::{Read as _, Write as _};

use crate::client::Client;
use crate::gateway::Gateway;

const ECHO: &str = "stty raw -echo; printf ready; exec cat";

fn attach(gateway: &Gateway, script: &str) -> Client {
    let id = gateway.session(script);
    Client::attach(gateway, &format!("/ws?sessionId={id}"), "")
}

#[test]
fn keys_come_back_one_by_one_and_all_at_once() {
    // So that typing ahead does not ask for the present.
    let gateway = Gateway::with(&["--no-auth", "--slow-viewer", "wait"], |_| {});
    let mut client = attach(&gateway, ECHO);
    assert_eq!(client.output(5), b"ready");
    for key in b"hello, world" {
        client.send(0x82, &[*key]);
        assert_eq!(client.output(1), [*key]);
    }
    // Records that hold several frames, and frames that several records hold.
    let line = vec![b'x'; 3000];
    for _ in 0..20 {
        client.send(0x82, &line);
    }
    assert_eq!(client.output(60_000), vec![b'x'; 60_000]);
}

#[test]
fn a_frame_in_many_records_is_one_frame() {
    let gateway = Gateway::start();
    let mut client = attach(&gateway, ECHO);
    assert_eq!(client.output(5), b"ready");
    for byte in [0x82, 0x83, 0, 0, 0, 0, b'a', b'b', b'c'] {
        client.0.write_all(&[byte]).unwrap();
        client.0.flush().unwrap();
    }
    assert_eq!(client.output(3), b"abc");
}

#[test]
fn a_flood_arrives_whole_however_slowly_it_is_read() {
    let gateway = Gateway::start();
    // The gateway waits for a client of the plan's protocol, or skips it with a gap: the script
    // goes on only after each part has been read.
    let script = "stty raw -echo; printf ready; while read -r n; do head -c 300000 /dev/zero | tr '\\0' x; done";
    let mut client = attach(&gateway, script);
    assert_eq!(client.output(5), b"ready");
    for _ in 0..10 {
        client.send(0x82, b"go\n");
        let output = client.output(300_000);
        assert!(output.len() == 300_000 && output.iter().all(|&byte| byte == b'x'));
    }
}

#[test]
fn the_end_is_an_exit_a_close_frame_and_a_goodbye() {
    let gateway = Gateway::start();
    let mut client = attach(&gateway, "stty raw -echo; printf bye; exec cat >/dev/null");
    assert_eq!(client.output(3), b"bye");
    client.send(0x88, &1000_u16.to_be_bytes());
    assert_eq!(client.frame(), (0x88, 1000_u16.to_be_bytes().to_vec()));
    // A clean end of the stream is one behind close_notify; without it this is an error.
    let mut rest = Vec::new();
    assert_eq!(client.0.read_to_end(&mut rest).unwrap(), 0);
}

#[test]
fn a_program_that_ends_is_told_behind_its_output() {
    let gateway = Gateway::start();
    let script = "stty raw -echo; printf ready; read x; head -c 200000 /dev/zero | tr '\\0' y";
    let mut client = attach(&gateway, script);
    assert_eq!(client.output(5), b"ready");
    client.send(0x82, b"\n");
    let output = client.output(200_000);
    assert!(output.iter().all(|&byte| byte == b'y'));
    loop {
        match client.frame() {
            (0x88, _) => break,
            (0x89, payload) => client.send(0x8a, &payload),
            (0x81 | 0x82, _) => {}
            (first, payload) => panic!("{first:#x} {payload:02x?}"),
        }
    }
    let mut rest = Vec::new();
    assert_eq!(client.0.read_to_end(&mut rest).unwrap(), 0);
}

#[test]
fn the_other_protocols_are_spoken_too() {
    let gateway = Gateway::start();
    let id = gateway.session(ECHO);
    let lines = "sec-websocket-protocol: tty\r\n";
    let mut ttyd = Client::attach(&gateway, "/ws", lines);
    ttyd.send(0x82, br#"{"columns":80,"rows":24}"#);
    let (first, title) = ttyd.frame();
    assert_eq!((first, title[0]), (0x82, b'1'), "ttyd's title comes first");
    let lines = "sec-websocket-protocol: hither.v1\r\n";
    let mut own = Client::attach(&gateway, &format!("/ws?session={id}"), lines);
    // Text is refused by hither.v1.
    own.send(0x81, b"text");
    let (first, close) = own.frame();
    assert_eq!((first, close.get(..2)), (0x88, Some(&1003_u16.to_be_bytes()[..])));
}

#[test]
fn a_cut_connection_is_forgotten_and_the_session_lives() {
    let gateway = Gateway::start();
    let id = gateway.session(ECHO);
    let target = format!("/ws?sessionId={id}");
    for _ in 0..3 {
        let mut client = Client::attach(&gateway, &target, "");
        assert_eq!(client.output(5), b"ready");
        // Without close frame and goodbye.
        client.0.sock.shutdown(std::net::Shutdown::Both).unwrap();
    }
    // Garbage where a record is expected ends this connection and no other.
    let mut broken = Client::attach(&gateway, &target, "");
    broken.0.sock.write_all(&[0xff; 64]).unwrap();
    let mut rest = Vec::new();
    broken.0.sock.read_to_end(&mut rest).ok();
    let mut client = Client::attach(&gateway, &target, "");
    assert_eq!(client.output(5), b"ready");
    client.send(0x82, b"k");
    assert_eq!(client.output(1), b"k");
}

/// Row R02 with TLS: what viewers that read nothing cost, sealed records included.
#[test]
fn r02_viewers_that_read_nothing_cost_little_memory_behind_tls() {
    const VIEWERS: u64 = 12;
    let gateway = Gateway::with(&["--no-auth", "--workers", "1"], |_| {});
    let id = gateway.wide_session("seq -s '' 1 200000 | fold -w 450; exec cat");
    let output = || gateway.metric("hither_output_bytes_total");
    while output() < 1_000_000 {
        std::thread::yield_now();
    }
    let protocol = "sec-websocket-protocol: hither.v1\r\n";
    let silent = (0..VIEWERS).map(|client| {
        let target = format!("/ws?session={id}");
        let mut viewer = gateway.narrow_client().attached(&gateway, &target, protocol);
        let hello = format!(r#"{{"client":"{client:016x}"}}"#);
        viewer.send(0x82, &[&[1], hello.as_bytes()].concat());
        viewer
    });
    let silent: Vec<Client> = silent.collect();
    let held = || gateway.metric("hither_viewer_held_bytes");
    while held() < VIEWERS * 250_000 {
        std::thread::yield_now();
    }
    assert!(held() <= VIEWERS << 20, "{} bytes for {VIEWERS} viewers", held());
    drop(silent);
}
