//! Modes that programs switch.

/// Which mouse events a program wants (DECSET 9, 1000, 1002, 1003).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MouseProtocol {
    /// None.
    #[default]
    None,
    /// Presses only (9).
    X10,
    /// Presses and releases (1000).
    Vt200,
    /// And motion while a button is down (1002).
    Drag,
    /// All motion (1003).
    Any,
}

/// How mouse events are written (DECSET 1006, 1016).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MouseEncoding {
    /// Three bytes.
    #[default]
    Default,
    /// Decimal cells (1006).
    Sgr,
    /// Decimal pixels (1016).
    SgrPixels,
}

/// What the program asked of the mouse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mouse {
    /// Which events.
    pub protocol: MouseProtocol,
    /// In which form.
    pub encoding: MouseEncoding,
}

/// Shape of the cursor (DECSCUSR).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorShape {
    /// A block.
    Block,
    /// A line below.
    Underline,
    /// A line before.
    Bar,
}

/// Modes in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// Characters push those behind them to the right (IRM, 4).
    pub insert: bool,
    /// A line feed returns the carriage, too (LNM, 20).
    pub newline: bool,
    /// Cursor keys send application sequences (DECCKM, ?1).
    pub application_cursor: bool,
    /// The keypad sends application sequences (DECKPAM, ?66).
    pub application_keypad: bool,
    /// Rows are counted from the scroll region (DECOM, ?6).
    pub origin: bool,
    /// Text continues on the next line (DECAWM, ?7).
    pub wraparound: bool,
    /// Backspace goes back to the line before (?45).
    pub reverse_wraparound: bool,
    /// The cursor is shown (DECTCEM, ?25).
    pub cursor_visible: bool,
    /// The cursor blinks (?12); `None` when the program never said.
    pub cursor_blink: Option<bool>,
    /// Shape of the cursor (DECSCUSR); `None` when the viewer may choose.
    pub cursor_shape: Option<CursorShape>,
    /// Whether that shape blinks (DECSCUSR); `None` when the viewer may choose.
    pub cursor_shape_blink: Option<bool>,
    /// Focus changes are reported (?1004).
    pub focus_events: bool,
    /// Pasted text is marked (?2004).
    pub bracketed_paste: bool,
    /// The viewer waits for the end of the update (?2026).
    pub synchronized_output: bool,
    /// What the program asked of the mouse.
    pub mouse: Mouse,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            insert: false,
            newline: false,
            application_cursor: false,
            application_keypad: false,
            origin: false,
            wraparound: true,
            reverse_wraparound: false,
            cursor_visible: true,
            cursor_blink: None,
            cursor_shape: None,
            cursor_shape_blink: None,
            focus_events: false,
            bracketed_paste: false,
            synchronized_output: false,
            mouse: Mouse::default(),
        }
    }
}

impl Modes {
    /// What a reset leaves: the page's terminal keeps these three.
    pub(crate) fn after_reset(&self) -> Self {
        Self {
            newline: self.newline,
            cursor_visible: self.cursor_visible,
            cursor_blink: self.cursor_blink,
            ..Self::default()
        }
    }

    /// DECSCUSR. An unknown shape still says whether it blinks, as on the page.
    pub(crate) const fn set_cursor_shape(&mut self, parameter: i32) {
        self.cursor_shape = match parameter {
            0 => None,
            1 | 2 => Some(CursorShape::Block),
            3 | 4 => Some(CursorShape::Underline),
            5 | 6 => Some(CursorShape::Bar),
            _ => self.cursor_shape,
        };
        self.cursor_shape_blink = if parameter == 0 { None } else { Some(parameter % 2 == 1) };
    }
}
