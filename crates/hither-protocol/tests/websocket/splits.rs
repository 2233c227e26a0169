//! The same bytes in other pieces are the same conversation.

use hither_protocol::websocket::{Decoder, ProtocolError, Side, Step};

use crate::peer::{LIMITS, frame, read, read_with};

fn conversation() -> Vec<u8> {
    [
        frame(0x82, b"\x02\0\0\0\0\0\0\0\x01l"),
        frame(0x01, "ä".as_bytes()),
        frame(0x89, b"ping"),
        frame(0x00, "κ".as_bytes()),
        frame(0x80, b""),
        frame(0x82, &[9; 200]),
        frame(0x88, b"\x03\xe8"),
    ]
    .concat()
}

#[test]
fn at_every_point() {
    let bytes = conversation();
    let whole = read(Side::Server, &bytes);
    assert_eq!(whole.1, Ok(()));
    assert_eq!(whole.0.len(), 7);
    for first in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(first);
        for second in (0..=tail.len()).step_by(7) {
            let (middle, tail) = tail.split_at(second);
            let pieces = [head, middle, tail].into_iter();
            assert_eq!(read_with(Side::Server, pieces), whole, "{first} {second}");
        }
    }
}

#[test]
fn byte_by_byte() {
    let bytes = conversation();
    let whole = read(Side::Server, &bytes);
    assert_eq!(read_with(Side::Server, bytes.chunks(1)), whole);
}

#[test]
fn need_is_met_by_as_many_bytes_as_it_says() -> Result<(), ProtocolError> {
    let bytes = frame(0x82, &[5; 70_000]);
    let mut decoder = Decoder::new(Side::Server, LIMITS);
    let mut len = 0;
    let mut calls = 0;
    loop {
        let mut buf = bytes[..len].to_vec();
        calls += 1;
        match decoder.next(&mut buf)? {
            Step::Need(more) => {
                assert_eq!(buf, &bytes[..len], "the buffer is left as it was");
                len += more;
            }
            Step::Message { consumed, .. } => break assert_eq!(consumed, bytes.len()),
            Step::Control { .. } | Step::Progress { .. } => panic!("not what was sent"),
        }
    }
    assert_eq!(calls, 4, "start, header, payload, message");
    Ok(())
}
