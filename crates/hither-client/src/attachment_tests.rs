use hither_protocol::websocket::{Decoder, Limits, Side, Step};

use super::*;

const WISH: Wish =
    Wish { role: Role::Operator, features: Features::none(), size: None, from: None };

/// An attachment, and what it has sent so far.
struct Client {
    attachment: Attachment,
    out: Vec<u8>,
}

impl Client {
    fn new() -> Self {
        Self { attachment: Attachment::new(ClientId(7), WISH), out: Vec::new() }
    }

    /// The frames sent since the last call.
    fn sent(&mut self) -> Vec<String> {
        let limits = Limits { message_max: 1 << 20, fragments_max: 1 };
        let mut decoder = Decoder::new(Side::Server, limits);
        let mut out = std::mem::take(&mut self.out);
        let mut bytes = out.as_mut_slice();
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            let Ok(Step::Message { payload, consumed, .. }) = decoder.next(bytes) else {
                panic!("not a message")
            };
            frames.push(match ClientFrame::decode(payload).unwrap() {
                ClientFrame::Hello(hello) => format!("hello {:?}", hello.resume.map(|at| at.0)),
                ClientFrame::Input { number, bytes } => {
                    format!("input {} {}", number.0, String::from_utf8_lossy(bytes))
                }
                ClientFrame::Ack(offset) => format!("ack {offset}"),
                rare
                @ (ClientFrame::Resize(_) | ClientFrame::Ping(_) | ClientFrame::Unknown(_)) => {
                    format!("{rare:?}")
                }
            });
            bytes = &mut bytes[consumed..];
        }
        frames
    }

    fn receive(&mut self, frame: &ServerFrame<'_>) -> Result<String, AttachError> {
        let mut message = Vec::new();
        frame.encode(&mut message);
        let event = self.attachment.handle_message(&message, &mut self.out)?;
        Ok(format!("{event:?}"))
    }

    fn output(&mut self, offset: u64, bytes: &[u8]) -> Result<String, AttachError> {
        self.receive(&ServerFrame::Output { offset: Offset(offset), bytes })
    }

    fn connect(&mut self, offset: u64, accepted: u64) -> Vec<String> {
        self.attachment.handle_open(&mut self.out);
        self.receive(&welcome(offset, accepted)).unwrap();
        self.sent()
    }

    fn type_input(&mut self, input: &[u8]) {
        self.attachment.type_input(input, &mut self.out).unwrap();
    }
}

fn welcome(offset: u64, accepted: u64) -> ServerFrame<'static> {
    ServerFrame::Welcome(Welcome {
        session: "aaaaaaaaaaaaaaaa".parse().unwrap(),
        viewer: ViewerId(1),
        resumed: true,
        offset: Offset(offset),
        accepted: InputNumber(accepted),
        size: WindowSize::DEFAULT,
        owner: ViewerId(1),
        role: Role::Operator,
        features: Features::none(),
        title: String::new(),
        state: SessionState::Running,
    })
}

#[test]
fn input_is_sent_again_with_its_numbers_until_it_is_accepted() {
    let mut client = Client::new();
    client.type_input(b"early");
    assert!(client.sent().is_empty(), "nothing goes out before the welcome");
    assert_eq!(client.connect(0, 0), ["hello None", "input 1 early"]);
    client.type_input(b"a");
    client.type_input(b"b");
    assert_eq!(client.sent(), ["input 2 a", "input 3 b"]);
    let ack = ServerFrame::InputAck { accepted: InputNumber(1), settled: InputNumber(1) };
    client.receive(&ack).unwrap();
    // The connection is lost; the server has accepted one more than it could say.
    assert_eq!(client.connect(0, 2), ["hello Some(0)", "input 3 b"]);
    client.type_input(b"c");
    assert_eq!(client.sent(), ["input 4 c"]);
    assert!(!client.attachment.is_accepted());
    let ack = ServerFrame::InputAck { accepted: InputNumber(4), settled: InputNumber(1) };
    client.receive(&ack).unwrap();
    assert!(client.attachment.is_accepted());
}

#[test]
fn resumes_where_the_output_ended() {
    let mut client = Client::new();
    client.connect(100, 0);
    client.output(100, b"hello").unwrap();
    assert_eq!(client.attachment.received(), Some(Offset(105)));
    assert_eq!(client.connect(105, 0), ["hello Some(105)"]);
    client.output(105, b"!").unwrap();
}

#[test]
fn a_hole_or_an_overlap_is_never_shown() {
    let mut client = Client::new();
    client.connect(0, 0);
    client.output(0, b"hello").unwrap();
    for offset in [4, 6] {
        let hole = AttachError::Hole { expected: Offset(5), found: Offset(offset) };
        assert_eq!(client.output(offset, b"x"), Err(hole));
    }
}

#[test]
fn announced_jumps_are_fine() {
    let mut client = Client::new();
    client.connect(0, 0);
    client.output(0, b"hello").unwrap();
    client.receive(&ServerFrame::Gap { from: Offset(5), to: Offset(900) }).unwrap();
    let size = WindowSize::DEFAULT;
    let event = client.receive(&ServerFrame::Snapshot { offset: Offset(900), size, bytes: b"s" });
    assert!(event.unwrap().starts_with("Snapshot"));
    client.attachment.acknowledge(&mut client.out);
    assert_eq!(client.sent(), ["ack 900"], "a snapshot at once");
    client.output(900, b"x").unwrap();
}

#[test]
fn nothing_is_shown_before_the_welcome() {
    let mut client = Client::new();
    assert_eq!(client.output(0, b"x"), Err(AttachError::NotWelcome));
    client.connect(0, 0);
    client.attachment.handle_open(&mut client.out);
    assert_eq!(client.output(0, b"x"), Err(AttachError::NotWelcome), "a connection of its own");
}

#[test]
fn acknowledges_what_is_processed_every_8_kib() {
    let mut client = Client::new();
    client.connect(0, 0);
    for step in 0..6 {
        client.output(step * 3000, &[b'x'; 3000]).unwrap();
        client.attachment.acknowledge(&mut client.out);
    }
    assert_eq!(client.sent(), ["ack 9000", "ack 18000"]);
}

#[test]
fn long_input_is_cut_into_frames_or_refused_whole() {
    let mut client = Client::new();
    client.connect(0, 0);
    client.type_input(&vec![b'x'; INPUT_BYTES_MAX + 1]);
    assert_eq!(client.sent().len(), 2);
    let too_much = vec![b'x'; crate::BACKLOG_MAX];
    assert_eq!(client.attachment.type_input(&too_much, &mut client.out), Err(BacklogFull));
    assert!(client.sent().is_empty());
}

#[test]
fn nonsense_is_an_error_and_the_unknown_is_ignored() {
    let mut client = Client::new();
    assert!(client.attachment.handle_message(b"", &mut client.out).is_err());
    let event = client.attachment.handle_message(b"\xf0whatever", &mut client.out);
    assert_eq!(event, Ok(Event::Ignored));
}
