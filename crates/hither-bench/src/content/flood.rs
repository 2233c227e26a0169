//! Floods: coloured log lines of which each says where it stands.

/// Length of each line as it arrives, in bytes: written with `\n`, which the PTY makes `\r\n`.
pub const FLOOD_LINE: usize = 128;
/// The number of the line that says that the flood is over.
pub(crate) const FLOOD_END: u64 = 999_999_999_999;
/// What stands between number and line end. ASCII, UTF-8 of two and three bytes, two colours.
pub(crate) const FLOOD_TEXT: &str = "\x1b[0m INFO \x1b[1mrelay\x1b[0m größe=4095 ✓ übertragen → \
     200 ok, 日本語 “quoted” took 42 µs ░▒▓";

const DIGITS: usize = 12;
/// Length of what stands before [`FLOOD_TEXT`]: a colour and the number.
pub(super) const HEADER: usize = 5 + DIGITS;

/// How many lines a flood of `bytes` has, the last one completed.
#[must_use]
pub const fn flood_lines(bytes: u64) -> u64 {
    bytes.div_ceil(FLOOD_LINE as u64)
}

/// Writes the lines of a flood.
#[derive(Clone, Debug, Default)]
pub struct FloodSource {
    next: u64,
}

impl FloodSource {
    /// Appends the next line as a program writes it, ended by `\n`.
    pub fn write_line(&mut self, into: &mut Vec<u8>) {
        write(self.next, into);
        self.next += 1;
    }

    /// Appends the line that ends the flood.
    pub fn write_end(into: &mut Vec<u8>) {
        write(FLOOD_END, into);
    }
}

fn write(number: u64, into: &mut Vec<u8>) {
    into.extend_from_slice(&line(number)[..FLOOD_LINE - 2]);
    into.push(b'\n');
}

/// Line `number` as it arrives.
pub(super) fn line(number: u64) -> [u8; FLOOD_LINE] {
    let mut line = [0; FLOOD_LINE];
    line[HEADER..FLOOD_LINE - 2].copy_from_slice(FLOOD_TEXT.as_bytes());
    line[FLOOD_LINE - 2..].copy_from_slice(b"\r\n");
    number_line(&mut line, number);
    line
}

/// Makes `line` the line `number`.
pub(super) fn number_line(line: &mut [u8; FLOOD_LINE], number: u64) {
    line[..HEADER].copy_from_slice(b"\x1b[31m000000000000");
    line[3] += digit(number % 6);
    let mut rest = number;
    for slot in line[HEADER - DIGITS..HEADER].iter_mut().rev() {
        *slot += digit(rest % 10);
        rest /= 10;
    }
}

/// The number in the head of `line`, right or wrong.
pub(super) fn line_number(line: &[u8]) -> Option<u64> {
    let digits = line.get(HEADER - DIGITS..HEADER)?;
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
    })
}

fn digit(number: u64) -> u8 {
    u8::try_from(number).expect("a digit fits in a byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_their_length_number_and_colour() {
        assert_eq!(HEADER + FLOOD_TEXT.len() + 2, FLOOD_LINE);
        for number in [0, 7, 123_456_789_012, FLOOD_END] {
            let line = line(number);
            assert_eq!(line_number(&line), Some(number));
            assert!(std::str::from_utf8(&line).unwrap().ends_with("▓\r\n"));
        }
        assert_ne!(line(1)[..5], line(2)[..5]);
        assert_eq!(line_number(b"\x1b[31m00000000000x"), None);
        assert_eq!(line_number(b"\x1b[31m0000"), None);
        assert_eq!(flood_lines(129), 2);
    }

    #[test]
    fn the_source_writes_what_the_terminal_turns_into_the_line() {
        let mut bytes = Vec::new();
        let mut source = FloodSource::default();
        source.write_line(&mut bytes);
        source.write_line(&mut bytes);
        FloodSource::write_end(&mut bytes);
        let text = String::from_utf8(bytes).unwrap().replace('\n', "\r\n");
        let expected = [line(0), line(1), line(FLOOD_END)].concat();
        assert_eq!(text.as_bytes(), expected);
    }
}
