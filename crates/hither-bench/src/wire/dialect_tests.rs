use hither_protocol::hither::Welcome;
use hither_protocol::websocket::{Decoder, Limits, Side, Step};

use super::*;

fn dialect(protocol: Protocol) -> Dialect {
    Dialect::new(protocol, Attach::Whole, 7)
}

/// What a server reads when the client types `input`.
fn typed(protocol: Protocol, input: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    dialect(protocol).type_input(input, &mut out);
    unframe(&mut out).remove(0)
}

fn unframe(mut bytes: &mut [u8]) -> Vec<Vec<u8>> {
    let limits = Limits { message_max: 1 << 20, fragments_max: 1 };
    let mut decoder = Decoder::new(Side::Server, limits);
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let Ok(Step::Message { payload, consumed, .. }) = decoder.next(bytes) else {
            panic!("not a message")
        };
        messages.push(payload.to_vec());
        bytes = &mut bytes[consumed..];
    }
    messages
}

fn read(protocol: Protocol, message: &[u8]) -> Vec<u8> {
    let mut scratch = Vec::new();
    let Incoming::Output(bytes) = dialect(protocol).read(message, &mut scratch) else {
        panic!("no output")
    };
    bytes.to_vec()
}

#[test]
fn types_in_each_protocol() {
    assert_eq!(typed(Protocol::Ttyd, b"x"), b"0x");
    assert_eq!(typed(Protocol::Gotty, b"x"), b"1x");
    assert_eq!(typed(Protocol::Terminado, b"x"), br#"["stdin","x"]"#);
    assert_eq!(typed(Protocol::Plan, b"x"), br#"{"type":"input","data":"x"}"#);
    assert_eq!(typed(Protocol::Hither, b"x"), b"\x02\0\0\0\0\0\0\0\x01x");
}

#[test]
fn reads_each_protocol() {
    assert_eq!(read(Protocol::Raw, b"x"), b"x");
    assert_eq!(read(Protocol::Ttyd, b"0x"), b"x");
    assert_eq!(read(Protocol::Gotty, b"1eA=="), b"x");
    assert_eq!(read(Protocol::Terminado, br#"["stdout","x"]"#), b"x");
    assert_eq!(read(Protocol::Plan, b"x"), b"x");
    assert_eq!(read(Protocol::Hither, b"\x82\0\0\0\0\0\0\0\0x"), b"x");
    let mut scratch = Vec::new();
    assert_eq!(dialect(Protocol::Ttyd).read(b"1title", &mut scratch), Incoming::Nothing);
}

#[test]
fn hither_acknowledges_every_8_kib_and_numbers_its_input() {
    let mut dialect = dialect(Protocol::Hither);
    let (mut out, mut scratch) = (Vec::new(), Vec::new());
    let mut offset = Offset::ZERO;
    for _ in 0..4 {
        let mut message = Vec::new();
        ServerFrame::Output { offset, bytes: &[b'x'; 3000] }.encode(&mut message);
        assert!(matches!(dialect.read(&message, &mut scratch), Incoming::Output(_)));
        offset = offset.plus(3000);
        dialect.acknowledge(&mut out);
    }
    dialect.type_input(b"a", &mut out);
    dialect.type_input(b"b", &mut out);
    let messages = unframe(&mut out);
    let frames: Vec<_> = messages.iter().map(|m| ClientFrame::decode(m).unwrap()).collect();
    let expected = [
        ClientFrame::Ack(Offset(9000)),
        ClientFrame::Input { number: InputNumber(1), bytes: b"a" },
        ClientFrame::Input { number: InputNumber(2), bytes: b"b" },
    ];
    assert_eq!(frames, expected);
}

fn welcome(accepted: u64) -> Vec<u8> {
    let mut message = Vec::new();
    let welcome = Welcome {
        session: "aaaaaaaaaaaaaaaa".parse().unwrap(),
        viewer: hither_core::ViewerId(1),
        resumed: true,
        offset: Offset(5000),
        accepted: InputNumber(accepted),
        size: WindowSize::new(80, 24).unwrap(),
        owner: hither_core::ViewerId(1),
        role: Role::Operator,
        features: Features::none(),
        title: String::new(),
        state: hither_protocol::hither::SessionState::Running,
    };
    ServerFrame::Welcome(welcome).encode(&mut message);
    message
}

#[test]
fn hither_goes_on_where_the_welcome_says() {
    let mut dialect = dialect(Protocol::Hither);
    let mut out = Vec::new();
    assert_eq!(dialect.read(&welcome(9), &mut Vec::new()), Incoming::Nothing);
    dialect.acknowledge(&mut out);
    assert!(out.is_empty(), "nothing has been processed yet");
    dialect.type_input(b"x", &mut out);
    assert_eq!(unframe(&mut out)[0][..9], *b"\x02\0\0\0\0\0\0\0\x0a");
}

#[test]
fn hither_gives_no_number_twice_when_something_was_typed_before_the_welcome() {
    let mut dialect = dialect(Protocol::Hither);
    let mut out = Vec::new();
    dialect.type_input(b"a line for the shell\r", &mut out);
    assert_eq!(dialect.read(&welcome(0), &mut Vec::new()), Incoming::Nothing);
    dialect.type_input(b"x", &mut out);
    assert_eq!(unframe(&mut out)[1][..9], *b"\x02\0\0\0\0\0\0\0\x02");
}
