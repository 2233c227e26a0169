//! Styles as SGR sequences.

use std::fmt::Write as _;

use crate::cell::{Attributes, Color, Style, Underline};
use crate::pen::SavedPen;

/// The style that DECSC saved.
pub(super) fn of_saved(pen: SavedPen) -> Style {
    Style {
        fg: pen.fg,
        bg: pen.bg,
        attributes: pen.attributes,
        ..Style::default()
    }
}

/// Appends the sequences that select `style` (without its hyperlink) from any other.
pub(super) fn write_sgr(out: &mut Vec<u8>, style: Style, underline_color: Color) {
    let mut text = String::from("\x1b[");
    let flags = [
        (Attributes::BOLD, 1),
        (Attributes::DIM, 2),
        (Attributes::ITALIC, 3),
        (Attributes::BLINK, 5),
        (Attributes::INVERSE, 7),
        (Attributes::INVISIBLE, 8),
        (Attributes::STRIKETHROUGH, 9),
        (Attributes::OVERLINE, 53),
    ];
    for (flag, code) in flags {
        if style.attributes.contains(flag) {
            push(&mut text, format_args!("{code}"));
        }
    }
    match style.attributes.underline() {
        Underline::None => {}
        Underline::Single => push(&mut text, format_args!("4")),
        Underline::Double => push(&mut text, format_args!("21")),
        Underline::Curly => push(&mut text, format_args!("4:3")),
        Underline::Dotted => push(&mut text, format_args!("4:4")),
        Underline::Dashed => push(&mut text, format_args!("4:5")),
    }
    push_color(
        &mut text,
        style.fg,
        Target {
            named: 30,
            bright: 90,
            other: 38,
        },
    );
    push_color(
        &mut text,
        style.bg,
        Target {
            named: 40,
            bright: 100,
            other: 48,
        },
    );
    push_underline_color(&mut text, underline_color);
    text.push('m');
    out.extend_from_slice(text.as_bytes());
    if style.attributes.contains(Attributes::PROTECTED) {
        out.extend_from_slice(b"\x1b[1\"q");
    }
}

struct Target {
    named: u8,
    bright: u8,
    other: u8,
}

/// Adds a parameter; the first one is preceded by the reset.
fn push(text: &mut String, parameter: std::fmt::Arguments<'_>) {
    text.push_str(if text.ends_with('[') { "0;" } else { ";" });
    let written = text.write_fmt(parameter);
    debug_assert!(written.is_ok(), "writing to a string never fails");
}

fn push_color(text: &mut String, color: Color, target: Target) {
    let Target {
        named,
        bright,
        other,
    } = target;
    match color {
        Color::Default => {}
        Color::Named(index) if index < 8 => push(text, format_args!("{}", named + index)),
        Color::Named(index) => push(text, format_args!("{}", bright + index - 8)),
        Color::Indexed(index) => push(text, format_args!("{other};5;{index}")),
        Color::Rgb(r, g, b) => push(text, format_args!("{other};2;{r};{g};{b}")),
    }
}

/// There are no short forms for underlines; the colon form keeps it one parameter.
fn push_underline_color(text: &mut String, color: Color) {
    match color {
        Color::Default => {}
        Color::Named(index) | Color::Indexed(index) => push(text, format_args!("58:5:{index}")),
        Color::Rgb(r, g, b) => push(text, format_args!("58:2::{r}:{g}:{b}")),
    }
}
