//! Every frame that can be made is read as it was made, and any bytes are decided.

use hither_core::{ClientId, InputNumber, Offset, Role, SessionId, ViewerId, WindowSize};
use hither_protocol::hither::{
    ClientFrame, ErrorCode, Event, Exit, Features, Hello, NUMBER_MAX, ServerFrame, SessionState,
    TermiosFlags, Welcome, WireError, append_input_message, input_header, output_header,
    output_prefix, snapshot_header, snapshot_prefix,
};
use hither_protocol::websocket::{Decoder, Limits, MessageKind, Side, Step};
use hither_protocol::{gotty, plan, terminado, ttyd};
use proptest::prelude::*;

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..=NUMBER_MAX, Just(0), Just(NUMBER_MAX)]
}

fn offset() -> impl Strategy<Value = Offset> {
    number().prop_map(Offset)
}

fn size() -> impl Strategy<Value = WindowSize> {
    (2..=1000_u32, 1..=500_u32).prop_map(|(cols, rows)| WindowSize::clamped(cols, rows))
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Observer), Just(Role::Operator)]
}

fn features() -> impl Strategy<Value = Features> {
    let all = vec![Features::RAW, Features::WAIT, Features::TERMIOS];
    prop::sample::subsequence(all, 0..=3)
        .prop_map(|some| some.into_iter().fold(Features::none(), Features::with))
}

fn payload(min: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), min..300)
}

fn hello() -> impl Strategy<Value = Hello> {
    let client = any::<u64>().prop_map(ClientId);
    (client, prop::option::of(offset()), prop::option::of(size()), role(), features()).prop_map(
        |(client, resume, size, role, features)| Hello { client, resume, size, role, features },
    )
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let ids = (any::<[u8; 10]>(), number(), number(), number());
    let rest =
        (any::<bool>(), offset(), size(), role(), features(), any::<String>(), any::<bool>());
    (ids, rest).prop_map(|((session, viewer, owner, accepted), rest)| {
        let (resumed, offset, size, role, features, title, exited) = rest;
        Welcome {
            session: SessionId::from_random(session),
            viewer: ViewerId(viewer),
            resumed,
            offset,
            accepted: InputNumber(accepted),
            size,
            owner: ViewerId(owner),
            role,
            features,
            title,
            state: if exited { SessionState::Exited } else { SessionState::Running },
        }
    })
}

fn small_server_frame() -> impl Strategy<Value = ServerFrame<'static>> {
    prop_oneof![
        welcome().prop_map(ServerFrame::Welcome),
        (0..NUMBER_MAX, number()).prop_map(|(from, more)| ServerFrame::Gap {
            from: Offset(from),
            to: Offset((from + 1 + more % 1000).min(NUMBER_MAX)),
        }),
        (number(), number()).prop_map(|(a, b)| ServerFrame::InputAck {
            accepted: InputNumber(a.max(b)),
            settled: InputNumber(a.min(b)),
        }),
        (size(), number().prop_map(ViewerId))
            .prop_map(|(size, owner)| ServerFrame::Size { size, owner }),
        any::<u8>().prop_map(|bits| ServerFrame::Termios(TermiosFlags::from_bits(bits))),
        any::<String>().prop_map(|title| ServerFrame::Event(Event::Title(title))),
        Just(ServerFrame::Event(Event::Bell)),
        any::<u32>().prop_map(|count| ServerFrame::Event(Event::Viewers(count))),
        any::<u64>().prop_map(ServerFrame::Pong),
        any::<u8>().prop_map(|code| ServerFrame::Exit(Exit::Code(code))),
        (any::<u8>(), any::<String>())
            .prop_map(|(number, name)| ServerFrame::Exit(Exit::Signal { number, name })),
        Just(ServerFrame::Exit(Exit::Unknown)),
        Just(ServerFrame::Exit(Exit::Lost)),
        any::<String>().prop_map(|message| ServerFrame::Error(WireError {
            code: ErrorCode::TooManyViewers,
            message,
        })),
    ]
}

fn check_client(frame: ClientFrame<'_>) {
    let mut message = Vec::new();
    frame.encode(&mut message);
    assert_eq!(ClientFrame::decode(&message), Ok(frame));
}

fn check_server(frame: &ServerFrame<'_>) {
    let mut message = Vec::new();
    frame.encode(&mut message);
    assert_eq!(ServerFrame::decode(&message).as_ref(), Ok(frame));
}

/// The payload of the one binary message in these bytes.
fn message(side: Side, mut bytes: Vec<u8>) -> Vec<u8> {
    let limits = Limits { message_max: bytes.len(), fragments_max: 1 };
    match Decoder::new(side, limits).next(&mut bytes) {
        Ok(Step::Message { kind: MessageKind::Binary, payload, .. }) => payload.to_vec(),
        other => panic!("{other:?} is no binary message"),
    }
}

proptest! {
    #[test]
    fn client_frames(
        hello in hello(),
        number in 1..=NUMBER_MAX,
        bytes in payload(1),
        size in size(),
        offset in offset(),
        token: u64,
    ) {
        check_client(ClientFrame::Hello(hello));
        check_client(ClientFrame::Input { number: InputNumber(number), bytes: &bytes });
        check_client(ClientFrame::Resize(size));
        check_client(ClientFrame::Ack(offset));
        check_client(ClientFrame::Ping(token));
    }

    #[test]
    fn server_frames(
        frame in small_server_frame(),
        start in 0..NUMBER_MAX - 1000,
        output in payload(1),
        size in size(),
        snapshot in payload(0),
    ) {
        let offset = Offset(start);
        check_server(&frame);
        check_server(&ServerFrame::Output { offset, bytes: &output });
        check_server(&ServerFrame::Snapshot { offset, size, bytes: &snapshot });
    }

    #[test]
    fn prefixes_are_a_websocket_header_and_a_frame_header(
        start in 0..NUMBER_MAX - 100_000,
        number in 1..=NUMBER_MAX,
        size in size(),
        len in prop_oneof![1..=65_536_usize, Just(116), Just(117), Just(65_526), Just(65_527)],
        mask: [u8; 4],
    ) {
        let (offset, bytes) = (Offset(start), vec![7; len]);
        let prefix = output_prefix(offset, len);
        prop_assert!(prefix.as_bytes().len() <= 19);
        let sent = message(Side::Client, [prefix.as_bytes(), &bytes].concat());
        prop_assert_eq!(sent, [&output_header(offset)[..], &bytes].concat());

        let prefix = snapshot_prefix(offset, size, len);
        let sent = message(Side::Client, [prefix.as_bytes(), &bytes].concat());
        prop_assert_eq!(sent, [&snapshot_header(offset, size)[..], &bytes].concat());

        let mut out = Vec::new();
        append_input_message(&mut out, InputNumber(number), &bytes, mask);
        let sent = message(Side::Server, out);
        prop_assert_eq!(sent, [&input_header(InputNumber(number))[..], &bytes].concat());
    }

    #[test]
    fn any_bytes_are_decided(kind: u8, body: Vec<u8>, json in "\\{(\"[a-z]{1,8}\":[\"0-9a-z{}]{0,6},?){0,4}\\}") {
        for body in [&body[..], json.as_bytes()] {
            for kind in [kind, kind & 0x07, 0x80 | (kind & 0x0F), b'0' + kind % 8, b'{'] {
                let message = [&[kind], body].concat();
                if let Ok(frame) = ClientFrame::decode(&message) {
                    check_client(frame);
                }
                if let Ok(frame) = ServerFrame::decode(&message) {
                    check_server(&frame);
                }
                drop(ttyd::ClientFrame::decode(&message));
                drop(ttyd::ServerFrame::decode(&message));
                drop(gotty::ServerFrame::decode(&message));
            }
            drop(plan::ClientFrame::decode(MessageKind::Text, body));
            drop(terminado::ServerFrame::decode(body));
        }
    }
}
