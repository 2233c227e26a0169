//! What systemd would be told of a gateway.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;

use crate::running::Running;

fn told(socket: &UnixDatagram) -> Vec<String> {
    let mut buffer = [0; 1024];
    let len = socket.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..len]).lines().map(str::to_owned).collect()
}

#[test]
fn it_is_told_when_the_gateway_listens_is_replaced_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let dir = folder.path().join("run");
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let gateway = Running::with_environment(&dir, &[], &["cat"], &environment);
    assert_eq!(told(&socket), ["READY=1", "STATUS=Serving; sessions taken over: 0"]);
    gateway.new_session(&["cat"]);
    let upgraded = gateway.hither(&["upgrade"]);
    assert_eq!(upgraded.code, 0, "{upgraded:?}");
    // A trial says nothing: the next to speak is the gateway that leaves.
    let reloading = told(&socket);
    assert_eq!(reloading[0], "RELOADING=1");
    let since_boot = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap();
    assert!(since_boot.parse::<u64>().unwrap() > 0);
    assert_eq!(told(&socket), ["READY=1", "STATUS=Serving; sessions taken over: 1"]);
    gateway.signal(Signal::TERM);
    assert_eq!(told(&socket)[0], "STOPPING=1");
}
