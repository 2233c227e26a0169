//! What a viewer that does not read costs: at most 1 MiB, on any kind of socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;

use hither_core::SessionId;
use hither_protocol::websocket::{Opcode, append_frame};
use serde_json::json;

use crate::ends::wait_until;
use crate::place::{Gateway, PATIENCE};

/// Most that is held for one viewer (docs/protocol.md, section 10).
const VIEWER_BYTES_MAX: u64 = 1 << 20;
/// Viewers at the same time.
const VIEWERS: u64 = 12;
/// What a session writes, so that its screen and scrollback fill a snapshot to its limit.
const PICTURE: &str = "seq -s '' 1 200000 | fold -w 450";
const PICTURE_BYTES: u64 = 1_000_000;

trait Socket: Read + Write {
    /// What the request says in its line `host`.
    fn host(&self) -> String;
}

impl Socket for TcpStream {
    fn host(&self) -> String {
        self.peer_addr().unwrap().to_string()
    }
}

impl Socket for UnixStream {
    fn host(&self) -> String {
        "localhost".to_owned()
    }
}

/// A connection that the kernel buffers little for, so that the gateway has to hold the rest.
fn narrow_tcp(address: SocketAddr) -> Box<dyn Socket> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.set_tcp_mss(536).unwrap();
    socket.connect(&address.into()).unwrap();
    let stream: TcpStream = socket.into();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    Box::new(stream)
}

fn unix(gateway: &Gateway) -> Box<dyn Socket> {
    let stream = UnixStream::connect(gateway.run_dir().join("gateway.sock")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    Box::new(stream)
}

/// Attaches, says hello and reads nothing behind the handshake.
fn attach(gateway: &Gateway, mut socket: Box<dyn Socket>, id: SessionId) -> Box<dyn Socket> {
    let request = format!(
        "GET /ws?session={id} HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\n\
         connection: upgrade\r\nsec-websocket-version: 13\r\n\
         sec-websocket-protocol: hither.v1\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         authorization: {}\r\n\r\n",
        socket.host(),
        gateway.server().authorization().unwrap()
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    let hello = json!({ "client": "00000000000000ab" }).to_string();
    socket.write_all(&message(&[&[1], hello.as_bytes()].concat())).unwrap();
    socket
}

/// A masked message in one frame.
fn message(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    append_frame(&mut frame, Opcode::Binary, &[payload], Some([0; 4]));
    frame
}

/// A session whose snapshots are as large as they get; `more` runs behind that.
fn picture(gateway: &Gateway, more: &str) -> SessionId {
    let script = format!("stty -echo; {PICTURE}; {more}");
    let body = json!({ "command": ["/bin/sh", "-c", script], "cols": 500, "rows": 200 });
    let created = gateway.post("/api/sessions", &body);
    assert_eq!(created.0, 201, "{created:?}");
    wait_until(|| gateway.metric("hither_output_bytes_total") >= PICTURE_BYTES);
    created.1["id"].as_str().unwrap().parse().unwrap()
}

/// Memory of the gateway that is its own, in bytes.
fn memory(gateway: &Gateway) -> u64 {
    let path = format!("/proc/{}/status", gateway.pid().as_raw_nonzero());
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn held(gateway: &Gateway) -> u64 {
    gateway.metric("hither_viewer_held_bytes")
}

/// Row R02 in memory: nobody reads, and the program writes on.
fn silent_viewers_cost_little(connect: impl Fn(&Gateway) -> Box<dyn Socket>) {
    let gateway = Gateway::start(&["--workers", "1"]);
    let flood = "read go; head -c 8000000 /dev/zero | tr '\\0' x; exec cat";
    let id = picture(&gateway, flood);
    // With one of them, the screen that all are shown is there.
    let mut silent = vec![attach(&gateway, connect(&gateway), id)];
    wait_until(|| held(&gateway) > 100_000);
    let before = memory(&gateway);
    for _ in 1..VIEWERS {
        silent.push(attach(&gateway, connect(&gateway), id));
    }
    // A snapshot is 512 KiB, of which the kernel takes some.
    wait_until(|| held(&gateway) > VIEWERS * 250_000);
    assert_eq!(
        gateway.post(&format!("/api/sessions/{id}/input"), &json!({ "data": "go\n" })).0,
        200
    );
    wait_until(|| gateway.metric("hither_output_bytes_total") >= PICTURE_BYTES + 8_000_000);
    let held = held(&gateway);
    assert!(held <= VIEWERS * VIEWER_BYTES_MAX, "{held} bytes for {VIEWERS} viewers");
    let grown = memory(&gateway).saturating_sub(before);
    // The rest of the gateway has some turns of a flood behind it.
    assert!(grown <= VIEWERS * VIEWER_BYTES_MAX + (4 << 20), "{grown} bytes for {VIEWERS} viewers");
    assert_eq!(gateway.hits("viewer_bytes"), 0, "nobody did more than not to read");
    drop(silent);
}

#[test]
fn r02_viewers_that_read_nothing_cost_little_memory_on_tcp() {
    silent_viewers_cost_little(|gateway| narrow_tcp(gateway.address));
}

#[test]
fn r02_viewers_that_read_nothing_cost_little_memory_on_a_unix_socket() {
    silent_viewers_cost_little(unix);
}

/// A message that is begun while a snapshot is not read takes more than one viewer may have.
#[test]
fn r02_a_viewer_that_would_cost_more_is_sent_away_and_counted() {
    let gateway = Gateway::start(&["--workers", "1"]);
    let id = picture(&gateway, "exec cat");
    let whole = message(&[&[0x7f][..], &[b'x'; (1 << 20) - 1]].concat());
    // Who reads may send a message of 1 MiB: of a type that nobody knows, it is ignored.
    let mut reader = attach(&gateway, unix(&gateway), id);
    let mut reading = [0; 1 << 16];
    wait_until(|| gateway.metric("hither_viewer_snapshots_total") == 1);
    while held(&gateway) > 0 {
        assert!(reader.read(&mut reading).unwrap() > 0);
    }
    reader.write_all(&whole).unwrap();
    wait_until(|| gateway.metric("hither_viewer_unknown_frames_total") == 1);
    assert_eq!(gateway.hits("viewer_bytes"), 0);
    // Who does not read may not, and is told why behind what it has not read.
    let mut silent = attach(&gateway, unix(&gateway), id);
    wait_until(|| held(&gateway) > 250_000);
    silent.write_all(&whole[..whole.len() - 1]).ok();
    wait_until(|| gateway.hits("viewer_bytes") == 1);
    let mut rest = Vec::new();
    // The gateway closes with what it has not read of the message, which may reset the connection.
    silent.read_to_end(&mut rest).ok();
    let told = b"unread output and unfinished message exceed 1048576 bytes";
    assert!(rest.windows(told.len()).any(|piece| piece == told), "{} bytes", rest.len());
    // The other one is none the worse for it.
    wait_until(|| gateway.get(&format!("/api/sessions/{id}")).1["clients"] == 1);
    assert_eq!(held(&gateway), 0);
}

/// A viewer that asks and asks and does not read is not answered for ever.
#[test]
fn r02_pongs_that_nobody_reads_have_an_end() {
    let gateway = Gateway::start(&["--workers", "1"]);
    let id = picture(&gateway, "exec cat");
    let mut silent = attach(&gateway, unix(&gateway), id);
    wait_until(|| held(&gateway) > 250_000);
    let mut ping = Vec::new();
    append_frame(&mut ping, Opcode::Ping, &[&[7; 125]], Some([0; 4]));
    let pings = ping.repeat(500);
    for _ in 0..20 {
        silent.write_all(&pings).unwrap();
    }
    wait_until(|| gateway.hits("viewer_replies") >= 9_000);
    assert!(held(&gateway) <= VIEWER_BYTES_MAX);
}
