//! Keys by their names, and pasted text, as a terminal of this kind sends them.

use std::str::FromStr;

use crate::modes::Modes;

/// A key with its modifiers, such as `Ctrl-C`, `Alt-x`, `Shift-F5` or `Enter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    base: Base,
    modifiers: Modifiers,
}

/// A name that no key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "key must be one character or the name of a key, such as Enter, Tab, Escape, Up or F5, \
     with Ctrl-, Alt- or Shift- before it"
)]
pub struct InvalidKey;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Base {
    Char(char),
    Enter,
    Tab,
    Backspace,
    Escape,
    /// Sends `CSI letter`, or `SS3 letter` in application mode.
    Cursor(u8),
    /// F1 to F4: sends `SS3 letter`.
    Function(u8),
    /// Sends `CSI number ~`.
    Numbered(u8),
}

/// As in the parameter of xterm's sequences, less one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Modifiers(u8);

const SHIFT: u8 = 1;
const ALT: u8 = 2;
const CTRL: u8 = 4;

impl Key {
    /// Whether what it sends depends on the program's modes.
    #[must_use]
    pub const fn depends_on_modes(self) -> bool {
        matches!(self.base, Base::Cursor(_)) && self.modifiers.0 == 0
    }

    /// Appends what it sends to a program that has set these modes (xterm's ctlseqs, "PC-Style
    /// Function Keys").
    pub fn encode(self, modes: &Modes, out: &mut Vec<u8>) {
        let modifiers = self.modifiers;
        match self.base {
            Base::Char(ch) => encode_char(ch, modifiers, out),
            Base::Enter => encode_simple(b"\r", modifiers, out),
            Base::Tab if modifiers.has(SHIFT) => encode_simple(b"\x1b[Z", modifiers, out),
            Base::Tab => encode_simple(b"\t", modifiers, out),
            Base::Backspace if modifiers.has(CTRL) => encode_simple(b"\x08", modifiers, out),
            Base::Backspace => encode_simple(b"\x7f", modifiers, out),
            Base::Escape => encode_simple(b"\x1b", modifiers, out),
            Base::Cursor(letter) if modifiers.0 == 0 && modes.application_cursor => {
                out.extend([0x1b, b'O', letter]);
            }
            Base::Cursor(letter) if modifiers.0 == 0 => out.extend([0x1b, b'[', letter]),
            Base::Function(letter) if modifiers.0 == 0 => out.extend([0x1b, b'O', letter]),
            Base::Cursor(letter) | Base::Function(letter) => {
                let parameter = modifiers.parameter();
                out.extend(format!("\x1b[1;{parameter}{}", char::from(letter)).bytes());
            }
            Base::Numbered(number) if modifiers.0 == 0 => {
                out.extend(format!("\x1b[{number}~").bytes());
            }
            Base::Numbered(number) => {
                out.extend(format!("\x1b[{number};{}~", modifiers.parameter()).bytes());
            }
        }
    }
}

/// Appends pasted text: line ends as the Enter key sends them, between marks when the program asked
/// for them (DECSET 2004). The end mark within the text is left out, so that text cannot pretend to
/// be typed.
pub fn encode_paste(text: &str, modes: &Modes, out: &mut Vec<u8>) {
    const START: &str = "\x1b[200~";
    const END: &str = "\x1b[201~";
    let mut text = text.replace("\r\n", "\r").replace('\n', "\r");
    // What is left after a removal may be a mark again.
    while text.contains(END) {
        text = text.replace(END, "");
    }
    if modes.bracketed_paste {
        out.extend([START, &text, END].concat().bytes());
    } else {
        out.extend(text.bytes());
    }
}

impl FromStr for Key {
    type Err = InvalidKey;

    /// Names of modifiers and keys may be written in letters of any case, with `-` or `+` between.
    fn from_str(name: &str) -> Result<Self, InvalidKey> {
        let mut modifiers = Modifiers::default();
        let mut rest = name;
        while let Some((modifier, behind)) = split_modifier(rest) {
            if modifiers.has(modifier) {
                return Err(InvalidKey);
            }
            modifiers.0 |= modifier;
            rest = behind;
        }
        let base = base(rest).ok_or(InvalidKey)?;
        if let Base::Char(ch) = base
            && modifiers.has(CTRL)
            && control_code(ch).is_none()
        {
            return Err(InvalidKey);
        }
        Ok(Self { base, modifiers })
    }
}

impl Modifiers {
    const fn has(self, modifier: u8) -> bool {
        self.0 & modifier != 0
    }

    const fn parameter(self) -> u8 {
        self.0 + 1
    }
}

fn split_modifier(name: &str) -> Option<(u8, &str)> {
    let at = name.find(['-', '+'])?;
    let behind = &name[at + 1..];
    let modifier = match name[..at].to_ascii_lowercase().as_str() {
        "ctrl" | "control" | "c" => CTRL,
        "alt" | "meta" | "m" => ALT,
        "shift" | "s" => SHIFT,
        _ => return None,
    };
    (!behind.is_empty()).then_some((modifier, behind))
}

fn base(name: &str) -> Option<Base> {
    let mut chars = name.chars();
    if let (Some(ch), None) = (chars.next(), chars.next()) {
        return (!ch.is_control()).then_some(Base::Char(ch));
    }
    let name = name.to_ascii_lowercase();
    Some(match name.as_str() {
        "enter" | "return" => Base::Enter,
        "tab" => Base::Tab,
        "backspace" => Base::Backspace,
        "escape" | "esc" => Base::Escape,
        "space" => Base::Char(' '),
        "up" => Base::Cursor(b'A'),
        "down" => Base::Cursor(b'B'),
        "right" => Base::Cursor(b'C'),
        "left" => Base::Cursor(b'D'),
        "home" => Base::Cursor(b'H'),
        "end" => Base::Cursor(b'F'),
        "insert" => Base::Numbered(2),
        "delete" | "del" => Base::Numbered(3),
        "pageup" => Base::Numbered(5),
        "pagedown" => Base::Numbered(6),
        _ => return function_key(&name),
    })
}

/// F1 to F20.
fn function_key(name: &str) -> Option<Base> {
    const NUMBERS: [u8; 16] = [15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34];
    let digits = name.strip_prefix('f').filter(|digits| !digits.starts_with(['0', '+']))?;
    let number: usize = digits.parse().ok()?;
    match number {
        1..=4 => Some(Base::Function(b"PQRS"[number - 1])),
        5..=20 => Some(Base::Numbered(NUMBERS[number - 5])),
        _ => None,
    }
}

fn encode_char(ch: char, modifiers: Modifiers, out: &mut Vec<u8>) {
    if modifiers.has(ALT) {
        out.push(0x1b);
    }
    if modifiers.has(CTRL)
        && let Some(code) = control_code(ch)
    {
        return out.push(code);
    }
    let ch = if modifiers.has(SHIFT) { ch.to_ascii_uppercase() } else { ch };
    out.extend(ch.encode_utf8(&mut [0; 4]).bytes());
}

fn encode_simple(bytes: &[u8], modifiers: Modifiers, out: &mut Vec<u8>) {
    if modifiers.has(ALT) {
        out.push(0x1b);
    }
    out.extend(bytes);
}

/// What a character sends with Ctrl; not all send anything.
const fn control_code(ch: char) -> Option<u8> {
    Some(match ch {
        'a'..='z' | 'A'..='Z' => ch as u8 & 0x1f,
        ' ' | '@' | '2' => 0x00,
        '[' | '3' => 0x1b,
        '\\' | '4' => 0x1c,
        ']' | '5' => 0x1d,
        '^' | '6' | '~' => 0x1e,
        '_' | '7' | '/' | '-' => 0x1f,
        '?' | '8' => 0x7f,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(name: &str, modes: &Modes) -> String {
        let mut out = Vec::new();
        name.parse::<Key>().unwrap_or_else(|_| panic!("{name:?}")).encode(modes, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn keys_send_what_xterm_sends() {
        for (name, expect) in [
            ("a", "a"),
            ("é", "é"),
            ("-", "-"),
            ("+", "+"),
            ("Space", " "),
            ("Enter", "\r"),
            ("return", "\r"),
            ("Alt-Enter", "\x1b\r"),
            ("Tab", "\t"),
            ("Shift-Tab", "\x1b[Z"),
            ("Backspace", "\x7f"),
            ("Ctrl-Backspace", "\x08"),
            ("Esc", "\x1b"),
            ("Ctrl-C", "\x03"),
            ("ctrl-c", "\x03"),
            ("C-c", "\x03"),
            ("Ctrl+Space", "\0"),
            ("Ctrl-[", "\x1b"),
            ("Ctrl--", "\x1f"),
            ("Ctrl-?", "\x7f"),
            ("Alt-x", "\x1bx"),
            ("M-x", "\x1bx"),
            ("Alt-Shift-x", "\x1bX"),
            ("Ctrl-Alt-x", "\x1b\x18"),
            ("Up", "\x1b[A"),
            ("Ctrl-Right", "\x1b[1;5C"),
            ("Shift-Up", "\x1b[1;2A"),
            ("Home", "\x1b[H"),
            ("Delete", "\x1b[3~"),
            ("Ctrl-Delete", "\x1b[3;5~"),
            ("PageUp", "\x1b[5~"),
            ("F1", "\x1bOP"),
            ("Shift-F1", "\x1b[1;2P"),
            ("F5", "\x1b[15~"),
            ("F12", "\x1b[24~"),
            ("F20", "\x1b[34~"),
            ("Ctrl-Shift-Alt-F5", "\x1b[15;8~"),
        ] {
            assert_eq!(sent(name, &Modes::default()), expect, "{name}");
        }
    }

    #[test]
    fn arrows_honour_the_cursor_mode() {
        let modes = Modes { application_cursor: true, ..Modes::default() };
        assert_eq!(sent("Up", &modes), "\x1bOA");
        assert_eq!(sent("End", &modes), "\x1bOF");
        assert_eq!(sent("Ctrl-Up", &modes), "\x1b[1;5A");
        assert!("Up".parse::<Key>().unwrap().depends_on_modes());
        assert!(!"Enter".parse::<Key>().unwrap().depends_on_modes());
    }

    #[test]
    fn other_names_are_refused() {
        for name in [
            "",
            "Ctrl-",
            "Ctrl",
            "ab",
            "F0",
            "F21",
            "F01",
            "F+1",
            "Ctrl-Ctrl-c",
            "Hyper-x",
            "Ctrl-é",
            "Ctrl-1",
            "\n",
            "\u{1b}",
            "Ctrl-\u{7}",
            "Alt-\u{85}",
        ] {
            assert_eq!(name.parse::<Key>(), Err(InvalidKey), "{name:?}");
        }
    }

    #[test]
    fn pasted_text_cannot_leave_its_brackets() {
        let paste = |text: &str, bracketed_paste| {
            let mut out = Vec::new();
            encode_paste(text, &Modes { bracketed_paste, ..Modes::default() }, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(paste("a\r\nb\nc", false), "a\rb\rc");
        assert_eq!(paste("a\n", true), "\x1b[200~a\r\x1b[201~");
        let nested = "x\x1b[20\x1b[201~1~rm -rf\r";
        assert_eq!(paste(nested, true), "\x1b[200~xrm -rf\r\x1b[201~");
    }
}
