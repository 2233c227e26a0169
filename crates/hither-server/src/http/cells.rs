//! How characters on a screen look, as JSON.

use hither_screen::{
    Attributes, CellStyle, Color, CursorShape, Line, Modes, MouseProtocol, Screen, StyledCell,
    Underline,
};
use schemars::JsonSchema;
use serde::Serialize;

/// A line of the screen or of the scrollback.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Line")]
pub(crate) struct LineJson {
    /// Whether it continues the line above, which was full.
    wrapped: bool,
    /// Characters that look alike, from the left; what nothing was ever written to is left out at
    /// the end.
    runs: Vec<RunJson>,
}

/// Neighbouring characters that look alike.
#[derive(Debug, Serialize, JsonSchema, PartialEq, Eq)]
#[schemars(rename = "Run")]
struct RunJson {
    /// Column of the first one, from 0.
    col: usize,
    /// Columns that they take.
    cols: usize,
    /// The characters; blanks where nothing was printed.
    text: String,
    #[serde(flatten)]
    style: StyleJson,
}

/// How characters look; what is absent is as usual. A colour is the name of one of sixteen, the
/// number of one of 256, or `#rrggbb`.
#[derive(Clone, Debug, Default, Serialize, JsonSchema, PartialEq, Eq)]
#[schemars(rename = "Style")]
struct StyleJson {
    /// Colour of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    fg: Option<String>,
    /// Colour behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    bg: Option<String>,
    /// How it is underlined.
    #[serde(skip_serializing_if = "Option::is_none")]
    underline: Option<UnderlineJson>,
    /// What else is special, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<AttributeJson>,
    /// Where it leads (OSC 8): a text of the program's, to be distrusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// How text is underlined.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Underline")]
#[allow(missing_docs)]
enum UnderlineJson {
    Single,
    Double,
    Curly,
    Dotted,
    Dashed,
}

/// What is special about text.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Attribute")]
enum AttributeJson {
    Bold,
    Dim,
    Italic,
    Blink,
    Inverse,
    Invisible,
    Strikethrough,
    Overline,
}

/// Where the cursor is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Cursor")]
pub(crate) struct CursorJson {
    /// Row from 0.
    row: u16,
    /// Column from 0; equal to the number of columns when the row is full and the next character
    /// will wrap.
    col: u16,
    /// Whether it is shown.
    visible: bool,
    /// Its shape, if the program chose one.
    #[serde(skip_serializing_if = "Option::is_none")]
    shape: Option<ShapeJson>,
}

/// Shape of a cursor.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "CursorShape")]
enum ShapeJson {
    Block,
    Underline,
    Bar,
}

/// What a program has asked of the terminal.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Modes")]
pub(crate) struct ModesJson {
    /// Arrow keys send other sequences (DECCKM); `input` knows it.
    application_cursor: bool,
    /// Pasted text is marked (DECSET 2004); `input` knows it.
    bracketed_paste: bool,
    /// The program wants to know of the mouse.
    mouse: bool,
}

const COLORS: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

impl From<Line> for LineJson {
    fn from(line: Line) -> Self {
        let mut runs: Vec<RunJson> = Vec::new();
        for (col, cell) in line.cells.iter().enumerate() {
            let cols = usize::from(cell.width != 0);
            let style = StyleJson::from(&cell.style);
            match runs.last_mut() {
                // The second column of a wide character belongs to its first.
                Some(run) if cell.width == 0 => run.cols += 1,
                Some(run) if run.style == style => {
                    run.cols += cols;
                    run.text += text(cell);
                }
                Some(_) | None => {
                    runs.push(RunJson { col, cols, text: text(cell).to_owned(), style });
                }
            }
        }
        Self { wrapped: line.wrapped, runs }
    }
}

fn text(cell: &StyledCell) -> &str {
    if cell.text.is_empty() && cell.width > 0 { " " } else { &cell.text }
}

impl From<&CellStyle> for StyleJson {
    fn from(style: &CellStyle) -> Self {
        const ATTRIBUTES: [(Attributes, AttributeJson); 8] = [
            (Attributes::BOLD, AttributeJson::Bold),
            (Attributes::DIM, AttributeJson::Dim),
            (Attributes::ITALIC, AttributeJson::Italic),
            (Attributes::BLINK, AttributeJson::Blink),
            (Attributes::INVERSE, AttributeJson::Inverse),
            (Attributes::INVISIBLE, AttributeJson::Invisible),
            (Attributes::STRIKETHROUGH, AttributeJson::Strikethrough),
            (Attributes::OVERLINE, AttributeJson::Overline),
        ];
        let on = |(attribute, _): &&(Attributes, _)| style.attributes.contains(*attribute);
        Self {
            fg: color(style.fg),
            bg: color(style.bg),
            underline: match style.attributes.underline() {
                Underline::None => None,
                Underline::Single => Some(UnderlineJson::Single),
                Underline::Double => Some(UnderlineJson::Double),
                Underline::Curly => Some(UnderlineJson::Curly),
                Underline::Dotted => Some(UnderlineJson::Dotted),
                Underline::Dashed => Some(UnderlineJson::Dashed),
            },
            attributes: ATTRIBUTES.iter().filter(on).map(|&(_, name)| name).collect(),
            link: style.link.as_ref().map(|link| link.uri.to_string()),
        }
    }
}

fn color(color: Color) -> Option<String> {
    match color {
        Color::Default => None,
        Color::Named(number) if number < 8 => Some(COLORS[usize::from(number)].to_owned()),
        Color::Named(number) => Some(format!("bright-{}", COLORS[usize::from(number % 8)])),
        Color::Indexed(number) => Some(number.to_string()),
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
    }
}

impl CursorJson {
    pub(crate) fn of(screen: &Screen) -> Self {
        let (cursor, modes) = (screen.cursor(), screen.modes());
        let shape = modes.cursor_shape.map(|shape| match shape {
            CursorShape::Block => ShapeJson::Block,
            CursorShape::Underline => ShapeJson::Underline,
            CursorShape::Bar => ShapeJson::Bar,
        });
        Self { row: cursor.row, col: cursor.col, visible: modes.cursor_visible, shape }
    }
}

impl From<&Modes> for ModesJson {
    fn from(modes: &Modes) -> Self {
        Self {
            application_cursor: modes.application_cursor,
            bracketed_paste: modes.bracketed_paste,
            mouse: modes.mouse.protocol != MouseProtocol::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use hither_core::WindowSize;
    use serde_json::json;

    use super::*;

    #[test]
    fn runs_tell_how_a_line_looks() {
        let mut screen = Screen::new(WindowSize::new(20, 2).unwrap(), 0);
        screen.feed(
            "a\x1b[1;31mbc\x1b[0m 漢\x1b[38;5;200;48;2;1;2;3;4:3mx\x1b]8;;http://h/\x1b\\y"
                .as_bytes(),
        );
        let line = LineJson::from(screen.line(0));
        assert_eq!(
            serde_json::to_value(&line.runs).unwrap(),
            json!([
                { "col": 0, "cols": 1, "text": "a" },
                { "col": 1, "cols": 2, "text": "bc", "fg": "red", "attributes": ["bold"] },
                { "col": 3, "cols": 3, "text": " 漢" },
                { "col": 6, "cols": 1, "text": "x", "fg": "200", "bg": "#010203", "underline": "curly" },
                { "col": 7, "cols": 1, "text": "y", "fg": "200", "bg": "#010203",
                  "underline": "curly", "link": "http://h/" },
            ])
        );
        assert!(LineJson::from(screen.line(1)).runs.is_empty());
    }
}
