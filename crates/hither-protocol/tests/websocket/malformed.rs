//! What a server refuses, and with which close code.

use hither_protocol::websocket::{CloseCode, ProtocolError, Side};

use crate::peer::{KEY, Seen, frame, read};

fn check(bytes: &[u8], expect: ProtocolError, code: CloseCode) {
    let (_, end) = read(Side::Server, bytes);
    assert_eq!(end, Err(expect), "{bytes:02x?}");
    assert_eq!(expect.close_code(), code, "{bytes:02x?}");
}

fn check_1002(bytes: &[u8], expect: ProtocolError) {
    check(bytes, expect, CloseCode::PROTOCOL_ERROR);
}

#[test]
fn masks_on_the_wrong_side() {
    check_1002(b"\x82\x01x", ProtocolError::Unmasked);
    check_1002(b"\x89\x00", ProtocolError::Unmasked);
    let (_, end) = read(Side::Client, &frame(0x82, b"x"));
    assert_eq!(end, Err(ProtocolError::Masked));
}

#[test]
fn reserved_bits_and_opcodes() {
    for bit in [0x40, 0x20, 0x10, 0x70] {
        for opcode in [0x00, 0x01, 0x02, 0x08, 0x09, 0x0A] {
            check_1002(&frame(0x80 | bit | opcode, b""), ProtocolError::ReservedBits);
        }
    }
    for opcode in (0x3..=0x7).chain(0xB..=0xF) {
        let error = ProtocolError::ReservedOpcode(opcode);
        check_1002(&frame(0x80 | opcode, b""), error);
        check_1002(&frame(opcode, b""), error);
    }
}

#[test]
fn control_frames_that_are_long_or_fragmented() {
    for opcode in [0x8, 0x9, 0xA] {
        check_1002(&frame(0x80 | opcode, &[0; 126]), ProtocolError::ControlTooLong);
        check_1002(&[0x80 | opcode, 0xFE], ProtocolError::ControlTooLong);
        check_1002(&[0x80 | opcode, 0xFF], ProtocolError::ControlTooLong);
        check_1002(&frame(opcode, b""), ProtocolError::ControlFragmented);
    }
    let (seen, end) = read(Side::Server, &frame(0x89, &[7; 125]));
    assert_eq!((seen, end), (vec![Seen::Ping(vec![7; 125])], Ok(())));
}

#[test]
fn fragments_out_of_order() {
    check_1002(&frame(0x00, b"x"), ProtocolError::NothingToContinue);
    check_1002(&frame(0x80, b"x"), ProtocolError::NothingToContinue);
    for first in [0x01, 0x02, 0x81, 0x82] {
        let bytes = [frame(0x01, b"a"), frame(first, b"b")].concat();
        check_1002(&bytes, ProtocolError::Unfinished);
    }
    let bytes = [frame(0x01, b"a"), frame(0x80, b"b"), frame(0x80, b"c")].concat();
    check_1002(&bytes, ProtocolError::NothingToContinue);
}

#[test]
fn lengths_in_the_wrong_form() {
    let with_u16 = |len: u16| [&[0x82, 0xFE][..], &len.to_be_bytes(), &KEY].concat();
    let with_u64 = |len: u64| [&[0x82, 0xFF][..], &len.to_be_bytes(), &KEY].concat();
    for len in [0, 1, 125] {
        check_1002(&with_u16(len), ProtocolError::LengthNotMinimal);
    }
    for len in [0, 125, 126, 65_535] {
        check_1002(&with_u64(len), ProtocolError::LengthNotMinimal);
    }
    for len in [1 << 63, u64::MAX] {
        check_1002(&with_u64(len), ProtocolError::LengthTooBig);
    }
    let len = (1 << 63) - 1;
    let too_big = ProtocolError::MessageTooBig { len, max: 1 << 20 };
    check(&with_u64(len), too_big, CloseCode::TOO_BIG);
}

#[test]
fn a_length_that_overflows_what_was_stored() {
    let header = [&[0x80, 0xFF][..], &u64::to_be_bytes(i64::MAX as u64), &KEY].concat();
    let bytes = [frame(0x02, &[0; 1000]), header].concat();
    let len = (1 << 63) - 1 + 1000;
    let too_big = ProtocolError::MessageTooBig { len, max: 1 << 20 };
    check(&bytes, too_big, CloseCode::TOO_BIG);
}

#[test]
fn close_frames() {
    check_1002(&frame(0x88, b"\x03"), ProtocolError::CloseBodyTooShort);
    for number in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535_u16] {
        let body = number.to_be_bytes();
        check_1002(&frame(0x88, &body), ProtocolError::InvalidCloseCode(number));
    }
    let reason = frame(0x88, b"\x03\xe8\xce\xba\xe1\xbd");
    check(&reason, ProtocolError::InvalidUtf8, CloseCode::INVALID_PAYLOAD);
    let (seen, end) = read(Side::Server, &frame(0x88, b""));
    assert_eq!((seen, end), (vec![Seen::Close(None, String::new())], Ok(())));
}

#[test]
fn text_that_is_not_utf8() {
    let check = |bytes: &[u8]| check(bytes, ProtocolError::InvalidUtf8, CloseCode::INVALID_PAYLOAD);
    for text in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xce"] {
        check(&frame(0x81, text));
        check(&[frame(0x01, b"fine"), frame(0x80, text)].concat());
    }
    // Known to be wrong before the message ends.
    check(&[frame(0x01, b"\xce"), frame(0x00, b"x")].concat());
    check(&frame(0x01, b"a\xffb"));
}

#[test]
fn characters_may_be_split_between_fragments() {
    for text in ["κόσμε", "\u{10FFFF}", "a\u{800}"] {
        for cut in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(cut);
            let bytes = [frame(0x01, head), frame(0x00, b""), frame(0x80, tail)].concat();
            assert_eq!(read(Side::Server, &bytes).1, Ok(()), "{text} at {cut}");
        }
    }
}
