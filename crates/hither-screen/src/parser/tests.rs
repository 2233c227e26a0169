use proptest::prelude::*;

use super::*;

/// Writes down everything that is reported.
#[derive(Debug, Default, PartialEq)]
struct Log(Vec<String>);

impl Perform for Log {
    fn print_ascii(&mut self, text: &[u8]) {
        text.iter().for_each(|&byte| self.0.push(format!("print {}", char::from(byte))));
    }
    fn print(&mut self, ch: char) {
        self.0.push(format!("print {ch}"));
    }
    fn execute(&mut self, code: u8) {
        self.0.push(format!("execute {code:02x}"));
    }
    fn csi(&mut self, collected: Collected, byte: u8, params: &Params) {
        let mut text = Vec::new();
        params.write_to(&mut text);
        self.0.push(format!(
            "csi {collected:x} {} {}",
            char::from(byte),
            String::from_utf8_lossy(&text)
        ));
    }
    fn esc(&mut self, collected: Collected, byte: u8) {
        self.0.push(format!("esc {collected:x} {}", char::from(byte)));
    }
    fn osc(&mut self, number: u32, text: &Text<'_>) {
        self.0.push(format!("osc {number} {} {}", text.text, text.complete));
    }
    fn dcs(&mut self, collected: Collected, byte: u8, text: &Text<'_>) {
        self.0.push(format!("dcs {collected:x} {} {}", char::from(byte), text.text));
    }
    fn string_ended(&mut self) {
        self.0.push("string ended".to_owned());
    }
}

fn parse(bytes: &[u8]) -> Vec<String> {
    let mut log = Log::default();
    Parser::default().feed(bytes, &mut log);
    log.0
}

#[test]
fn reports_control_functions() {
    for (bytes, expect) in [
        (&b"a\x1b[1;31mb"[..], vec!["print a", "csi 0 m 1;31", "print b"]),
        (b"\x1b[?25h", vec!["csi 3f h 25"]),
        (b"\x1b[1 q", vec!["csi 20 q 1"]),
        (b"\x1b[?2026$p", vec!["csi 3f24 p 2026"]),
        ("\u{9b}2J".as_bytes(), vec!["csi 0 J 2"]),
        (b"\x1b[3\n;4H", vec!["execute 0a", "csi 0 H 3;4"]),
        (b"\x1b[3\x18A", vec!["execute 18", "print A"]),
        (b"\x1b[1<2mx", vec!["print x"]),
        (b"\x1b]0;t\x07", vec!["osc 0 t true", "string ended"]),
        (b"\x1b]8;;u\x1b\\", vec!["osc 8 ;u true", "string ended", "esc 0 \\"]),
        (b"\x1b]104\x07", vec!["osc 104  true", "string ended"]),
        (b"\x1b]x;t\x07y", vec!["string ended", "print y"]),
        (b"\x1b]2;t\x18y", vec!["string ended", "print y"]),
        (b"\x1bP$qm\x1b\\", vec!["dcs 24 q m", "string ended", "esc 0 \\"]),
        (b"\x1b_Gabc\x1b\\x", vec!["esc 0 \\", "print x"]),
        (b"\x1b(0", vec!["esc 28 0"]),
        ("\x1b[1é2".as_bytes(), vec!["print 2"]),
    ] {
        assert_eq!(parse(bytes), expect, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn keeps_a_bounded_part_of_endless_strings() {
    for start in [&b"\x1b]2;"[..], b"\x1bP$q", b"\x1b_", b"\x1b]99999"] {
        let mut parser = Parser::default();
        parser.feed(start, &mut Log::default());
        for _ in 0..1000 {
            parser.feed(&[b'7'; 1024], &mut Log::default());
        }
        assert!(parser.string.capacity() <= 2 * STRING_BYTES_MAX);
        let mut pending = Vec::new();
        parser.write_pending(&mut pending);
        assert!(pending.len() <= STRING_BYTES_MAX + 16);
    }
}

pub(crate) fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            &b"\x1b"[..],
            b"\x1b[",
            b"\x1b]",
            b"\x1bP",
            b"\x1b_",
            b"\x9b",
            b"\xc2\x9b",
            b"\xc2\x9d",
            b"\xc2\x90",
            b"\xc2\x9c",
            b"\x18",
            b"\x07",
            b"\x1b\\",
            b"?",
            b">",
            b"$",
            b" ",
            b";",
            b":",
            b"1",
            b"38",
            b"m",
            b"q",
            b"p",
            b"\n",
            b"\x7f",
            b"\xe2\x82\xac",
            b"\xf0\x9f",
            b"\xc3",
            b"a",
            b"0;x",
            b"8;;",
        ])
        .prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn splitting_changes_nothing(bytes in soup(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(bytes.len() + 1);
        let mut log = Log::default();
        let mut parser = Parser::default();
        parser.feed(&bytes[..cut], &mut log);
        parser.feed(&bytes[cut..], &mut log);
        prop_assert_eq!(log.0, parse(&bytes));
    }

    #[test]
    fn pending_bytes_rebuild_the_state(bytes in soup(), rest in soup(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(bytes.len() + 1);
        let mut parser = Parser::default();
        parser.feed(&bytes[..cut], &mut Log::default());
        let mut pending = Vec::new();
        parser.write_pending(&mut pending);
        let mut again = Parser::default();
        let mut rebuilding = Log::default();
        again.feed(&pending, &mut rebuilding);
        prop_assert_eq!(rebuilding.0, Vec::<String>::new());
        let (mut original, mut rebuilt) = (Log::default(), Log::default());
        parser.feed(&rest, &mut original);
        again.feed(&rest, &mut rebuilt);
        prop_assert_eq!(original.0, rebuilt.0);
    }
}
