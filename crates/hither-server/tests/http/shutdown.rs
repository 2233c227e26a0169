//! The end of the gateway.

use hither_auth::Mode;
use hither_server::sessions::Readiness;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{read_response, read_to_end};
use crate::harness::Harness;

#[tokio::test]
async fn streams_and_idle_connections_end_at_once() {
    let mut harness = Harness::start(Mode::Off).await;
    let mut events = TcpStream::connect(harness.address).await.unwrap();
    events.write_all(&harness.request("GET", "/api/events").to_bytes()).await.unwrap();
    assert_eq!(read_response(&mut events, false).await.status, 200);
    let mut idle = TcpStream::connect(harness.address).await.unwrap();
    let request = harness.request("GET", "/health").header("connection", "keep-alive");
    idle.write_all(&request.to_bytes()).await.unwrap();
    assert_eq!(read_response(&mut idle, false).await.status, 200);

    harness.stop.send(true).unwrap();
    (&mut harness.serving).await.unwrap().unwrap();
    let rest = read_to_end(&mut events).await;
    assert!(rest.ends_with(b"0\r\n\r\n"), "{rest:?}");
    assert_eq!(read_to_end(&mut idle).await, b"");
    assert!(TcpStream::connect(harness.address).await.is_err());
}

#[tokio::test]
async fn readiness_says_why_nobody_should_come() {
    let harness = Harness::start(Mode::Required).await;
    let ask = async || {
        let response = harness.request("GET", "/api/ready").send(harness.address).await;
        (response.status, response.json()["code"].as_str().unwrap_or("ready").to_owned())
    };
    for (unready, expect) in [
        (Some(Readiness::Adopting), (503, "adopting")),
        (Some(Readiness::HostGone), (503, "host_unavailable")),
        (None, (200, "ready")),
    ] {
        harness.double.state().unready = unready;
        assert_eq!(ask().await, (expect.0, expect.1.to_owned()));
    }
    // The gateway lives all the same.
    harness.double.state().unready = Some(Readiness::HostGone);
    let health = harness.request("GET", "/api/health").send(harness.address).await;
    assert_eq!(health.status, 200);
}

#[tokio::test]
async fn a_gateway_that_stops_is_not_ready() {
    let mut harness = Harness::start(Mode::Required).await;
    let mut waiting = TcpStream::connect(harness.address).await.unwrap();
    let request = harness.request("GET", "/api/ready").to_bytes();
    waiting.write_all(&request[..9]).await.unwrap();
    // Connections are accepted in order.
    let health = harness.request("GET", "/api/health").send(harness.address).await;
    assert_eq!(health.status, 200);
    harness.stop.send(true).unwrap();
    waiting.write_all(&request[9..]).await.unwrap();
    let response = read_response(&mut waiting, false).await;
    assert_eq!((response.status, &response.json()["code"]), (503, &"stopping".into()));
    (&mut harness.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn connections_that_were_handed_over_stay() {
    let mut harness = Harness::start(Mode::Off).await;
    let target = format!("/ws?sessionId={}", harness.id);
    let mut client = TcpStream::connect(harness.address).await.unwrap();
    let request = harness.request("GET", &target).websocket();
    client.write_all(&request.to_bytes()).await.unwrap();
    assert_eq!(read_response(&mut client, false).await.status, 101);
    let connection = harness.attached.recv().await.unwrap();
    harness.stop.send(true).unwrap();
    (&mut harness.serving).await.unwrap().unwrap();

    let hither_server::sessions::Socket::Tcp(socket) = connection.socket else { panic!() };
    let mut socket = TcpStream::from_std(socket).unwrap();
    socket.write_all(b"still here").await.unwrap();
    drop(socket);
    assert_eq!(read_to_end(&mut client).await, b"still here");
}
