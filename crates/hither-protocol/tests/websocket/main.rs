//! RFC 6455 as a peer sees it: what is read, in whatever pieces it comes, and what is refused.

mod malformed;
mod peer;
mod splits;

use hither_protocol::websocket::{
    MessageKind, Opcode, ProtocolError, Side, append_frame, encode_header,
};
use peer::{KEY, LIMITS, Seen, frame, read, read_with};
use proptest::prelude::*;

#[test]
fn reads_the_examples_of_the_rfc() {
    let hello = Seen::Message(MessageKind::Text, b"Hello".to_vec());
    let masked = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    assert_eq!(read(Side::Server, masked), (vec![hello.clone()], Ok(())));
    let plain = b"\x81\x05Hello";
    assert_eq!(read(Side::Client, plain), (vec![hello.clone()], Ok(())));
    let fragmented = b"\x01\x03Hel\x80\x02lo";
    assert_eq!(read(Side::Client, fragmented), (vec![Seen::Progress, hello], Ok(())));
    let ping = b"\x89\x05Hello";
    assert_eq!(read(Side::Client, ping), (vec![Seen::Ping(b"Hello".to_vec())], Ok(())));
}

#[test]
fn control_frames_come_between_fragments() {
    let conversation = [
        frame(0x01, b"Hel"),
        frame(0x89, b"payload"),
        frame(0x00, b""),
        frame(0x8A, b"unasked"),
        frame(0x80, b"lo"),
        frame(0x82, b"\x00\xff"),
        frame(0x88, b"\x03\xe8bye"),
    ]
    .concat();
    let expect = vec![
        Seen::Progress,
        Seen::Ping(b"payload".to_vec()),
        Seen::Progress,
        Seen::Pong(b"unasked".to_vec()),
        Seen::Message(MessageKind::Text, b"Hello".to_vec()),
        Seen::Message(MessageKind::Binary, b"\x00\xff".to_vec()),
        Seen::Close(Some(1000), "bye".to_owned()),
    ];
    assert_eq!(read(Side::Server, &conversation), (expect, Ok(())));
}

#[test]
fn fragmented_messages_follow_each_other() {
    let conversation =
        [frame(0x02, &[1; 5000]), frame(0x80, &[2; 5000]), frame(0x01, b"a"), frame(0x80, b"b")]
            .concat();
    let big = [[1; 5000], [2; 5000]].concat();
    let expect = vec![
        Seen::Progress,
        Seen::Message(MessageKind::Binary, big),
        Seen::Progress,
        Seen::Message(MessageKind::Text, b"ab".to_vec()),
    ];
    assert_eq!(read(Side::Server, &conversation), (expect, Ok(())));
}

#[test]
fn every_length_form_is_read() {
    for len in [0, 1, 125, 126, 127, 65_535, 65_536, LIMITS.message_max] {
        let message = vec![0xA5; len];
        let expect = vec![Seen::Message(MessageKind::Binary, message.clone())];
        assert_eq!(read(Side::Server, &frame(0x82, &message)), (expect, Ok(())), "{len}");
    }
}

#[test]
fn headers_have_the_shortest_form() {
    let header = |len, mask| encode_header(Opcode::Binary, len, mask).as_bytes().to_vec();
    assert_eq!(header(0, None), b"\x82\x00");
    assert_eq!(header(125, None), b"\x82\x7d");
    assert_eq!(header(126, None), b"\x82\x7e\x00\x7e");
    assert_eq!(header(65_535, None), b"\x82\x7e\xff\xff");
    assert_eq!(header(65_536, None), b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00");
    assert_eq!(header(1, Some(KEY)), [&b"\x82\x81"[..], &KEY].concat());
    assert_eq!(header(65_536, Some(KEY)).len(), 14);
}

#[test]
fn a_limit_is_reached_but_not_passed() {
    let max = LIMITS.message_max;
    let too_big = |len: usize| ProtocolError::MessageTooBig { len: len as u64, max };
    let whole = frame(0x82, &vec![0; max + 1]);
    assert_eq!(read(Side::Server, &whole).1, Err(too_big(max + 1)));
    // The header alone is enough to refuse it.
    assert_eq!(read(Side::Server, &whole[..14]).1, Err(too_big(max + 1)));

    let half = max / 2;
    let halves = [frame(0x02, &vec![0; half]), frame(0x80, &vec![0; max - half])].concat();
    assert_eq!(read(Side::Server, &halves).1, Ok(()));
    let more = [frame(0x02, &vec![0; half]), frame(0x00, &vec![0; max - half + 1])].concat();
    assert_eq!(read(Side::Server, &more).1, Err(too_big(max + 1)));
}

#[test]
fn empty_fragments_do_not_go_on_for_ever() {
    let fragments_max = LIMITS.fragments_max;
    let mut conversation = frame(0x01, b"");
    for _ in 2..fragments_max {
        conversation.extend(frame(0x00, b""));
    }
    let last = [conversation.clone(), frame(0x80, b"end")].concat();
    let (seen, end) = read(Side::Server, &last);
    assert_eq!(end, Ok(()));
    let message = Seen::Message(MessageKind::Text, b"end".to_vec());
    assert_eq!(seen.last(), Some(&message));

    for _ in 0..2 {
        conversation.extend(frame(0x00, b""));
    }
    let (seen, end) = read(Side::Server, &conversation);
    assert_eq!(seen, vec![Seen::Progress; fragments_max as usize]);
    assert_eq!(end, Err(ProtocolError::TooManyFragments { max: fragments_max }));
}

proptest! {
    #[test]
    fn what_one_side_writes_the_other_reads(
        payload in prop::collection::vec(any::<u8>(), 0..70_000),
        cut in any::<prop::sample::Index>(),
        key: [u8; 4],
    ) {
        let parts = payload.split_at(cut.index(payload.len() + 1));
        for (side, mask) in [(Side::Server, Some(key)), (Side::Client, None)] {
            let mut out = Vec::new();
            append_frame(&mut out, Opcode::Binary, &[parts.0, parts.1], mask);
            let expect = vec![Seen::Message(MessageKind::Binary, payload.clone())];
            prop_assert_eq!(read(side, &out), (expect, Ok(())));
        }
    }

    #[test]
    fn any_bytes_are_decided(bytes: Vec<u8>, step in 1..50_usize) {
        for side in [Side::Server, Side::Client] {
            let whole = read(side, &bytes);
            prop_assert_eq!(read_with(side, bytes.chunks(step)), whole);
        }
    }

    #[test]
    fn any_frames_are_decided(
        frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..140)), 0..8),
        step in 1..50_usize,
    ) {
        let opcodes = [0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8A];
        let bytes: Vec<u8> = frames
            .iter()
            .flat_map(|(first, payload)| {
                let known = opcodes.get(usize::from(*first) % 12);
                frame(*known.unwrap_or(first), payload)
            })
            .collect();
        let whole = read(Side::Server, &bytes);
        prop_assert_eq!(read_with(Side::Server, bytes.chunks(step)), whole);
    }
}
