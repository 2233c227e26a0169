//! Sockets that a service manager passes: sd_listen_fds(3).
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use crate::place::{Place, Run};

/// A gateway in the place of a service manager's child, with `socket` as its descriptor 3.
fn command(place: &Place, socket: Stdio, pid: &str, options: &[&str]) -> Command {
    let like_systemd = format!("exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID={pid} exec \"$@\"");
    let mut command = Command::new("sh");
    command
        .args(["-c", &like_systemd, "sh", env!("CARGO_BIN_EXE_hither"), "serve"])
        .args(options)
        .env("HITHER_RUNTIME_DIR", place.path())
        .env("XDG_CONFIG_HOME", place.path())
        .env("XDG_STATE_HOME", place.path())
        .stdin(socket);
    command
}

struct Gateway(Child);

impl Gateway {
    /// Starts one and waits until it listens; the address that it says.
    fn start(mut command: Command) -> (Self, String) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        (Self(child), greeting)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn request(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A listener as systemd would open it, and where it listens.
fn listener() -> (Stdio, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (OwnedFd::from(listener).into(), address)
}

#[test]
fn who_came_before_the_gateway_ran_is_served_and_upgrades_keep_the_socket() {
    let place = Place::new();
    let (socket, address) = listener();
    let early = request(address);
    let port = address.port().to_string();
    let (_gateway, greeting) =
        Gateway::start(command(&place, socket, "$$", &["--port", &port, "--", "cat"]));
    assert!(greeting.contains(&address.to_string()), "{greeting}");
    assert!(answer(early).starts_with("HTTP/1.1 200 "));
    let upgraded = place.run(&["upgrade"]);
    assert_eq!(upgraded.code, 0, "{upgraded:#?}");
    assert!(answer(request(address)).starts_with("HTTP/1.1 200 "));
}

#[test]
fn sockets_of_another_process_are_left_alone() {
    let place = Place::new();
    let (socket, address) = listener();
    let (_gateway, greeting) =
        Gateway::start(command(&place, socket, "1", &["--port", "0", "--", "cat"]));
    let other = greeting.split("http://").nth(1).and_then(|rest| rest.split('/').next());
    let other: SocketAddr = other.unwrap().parse().unwrap();
    assert_ne!(other, address);
    assert!(answer(request(other)).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_socket_that_no_setting_names_is_refused_with_the_cure() {
    let place = Place::new();
    let run = |socket: Stdio| {
        Run::from(command(&place, socket, "$$", &["--port", "7"]).output().unwrap())
    };
    let (socket, address) = listener();
    let refused = run(socket);
    let cure = format!("listens on {address}, which no setting names; give --bind 127.0.0.1");
    assert_eq!((refused.code, refused.stdout.as_str()), (78, ""), "{refused:#?}");
    assert!(refused.stderr.contains(&cure), "{refused:#?}");
    let refused = run(Stdio::null());
    assert_eq!(refused.code, 78, "{refused:#?}");
    assert!(refused.stderr.contains("is no TCP socket that listens"), "{refused:#?}");
}
