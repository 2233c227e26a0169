//! The end of the gateway.

use hither_auth::Mode;
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
