//! How many columns a character takes and which characters join into one cell.
//!
//! The rules are those of the page's terminal with graphemes on (Unicode 15 clusters, UAX #29
//! without GB9c, at most two columns), because the program's idea of the cursor is judged by what
//! the person sees there. The data is measured from that terminal, see `oracle/widths.mjs`.

mod table;

/// Grapheme break class of a character, with the numbers that the table uses.
mod class {
    pub(super) const PREPEND: u8 = 1;
    pub(super) const EXTEND: u8 = 2;
    pub(super) const REGIONAL: u8 = 3;
    pub(super) const SPACING_MARK: u8 = 4;
    pub(super) const HANGUL_L: u8 = 5;
    pub(super) const HANGUL_V: u8 = 6;
    pub(super) const HANGUL_T: u8 = 7;
    pub(super) const HANGUL_LV: u8 = 8;
    pub(super) const HANGUL_LVT: u8 = 9;
    pub(super) const ZWJ: u8 = 10;
    pub(super) const PICTOGRAPH: u8 = 11;
}

/// What the last printed character leaves behind for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preceding {
    class: u8,
    /// Columns of the cluster so far, 1 or 2.
    pub(crate) width: u8,
}

impl Preceding {
    /// What a printable ASCII character leaves behind.
    pub(crate) const ASCII: Self = Self { class: 0, width: 1 };

    /// Whether the next ASCII character could still join the cluster.
    pub(crate) const fn joins_ascii(self) -> bool {
        self.class == class::PREPEND
    }
}

/// A character in its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// Whether it joins the cluster before it; the width is then that of the whole cluster.
    pub(crate) joins: bool,
    /// What it leaves behind, with its width.
    pub(crate) leaves: Preceding,
}

/// Measures `ch` after `preceding` (`None`: a control function or nothing came before).
pub(crate) fn measure(ch: char, preceding: Option<Preceding>) -> Measured {
    let (class, mut width) = lookup(ch);
    let Some(before) = preceding else {
        return Measured { joins: false, leaves: Preceding { class, width } };
    };
    let joins = should_join(before.class, class);
    let mut leaves_class = class;
    if joins {
        if before.width > width {
            width = before.width;
        } else if class == class::REGIONAL {
            width = 2;
        }
        if class == class::REGIONAL {
            leaves_class = 0; // a flag is complete with two
        }
    }
    Measured { joins, leaves: Preceding { class: leaves_class, width } }
}

fn lookup(ch: char) -> (u8, u8) {
    let code = u32::from(ch);
    if (0xac00..=0xd7a3).contains(&code) {
        let lv = (code - 0xac00).is_multiple_of(28);
        return (if lv { class::HANGUL_LV } else { class::HANGUL_LVT }, 2);
    }
    if (0x4e00..=0x9fff).contains(&code) {
        return (0, 2); // the unified ideographs need no search
    }
    let at = table::RANGES.partition_point(|range| range >> 6 <= code);
    let info = table::RANGES[at - 1].to_le_bytes()[0] & 63;
    (info >> 2, info & 3)
}

/// GB6 to GB13 of UAX #29; the caller keeps flags to pairs.
fn should_join(before: u8, after: u8) -> bool {
    use class::*;
    let hangul = match before {
        HANGUL_L => matches!(after, HANGUL_L | HANGUL_V | HANGUL_LV | HANGUL_LVT),
        HANGUL_LV | HANGUL_V => matches!(after, HANGUL_V | HANGUL_T),
        HANGUL_LVT | HANGUL_T => after == HANGUL_T,
        _ => false,
    };
    hangul
        || matches!(after, EXTEND | ZWJ | SPACING_MARK)
        || before == PREPEND
        || (before == ZWJ && after == PICTOGRAPH)
        || (before == REGIONAL && after == REGIONAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Vec<u8> {
        let mut preceding = None;
        let mut cells: Vec<u8> = Vec::new();
        for ch in text.chars() {
            let measured = measure(ch, preceding);
            if measured.joins {
                cells.pop();
            }
            cells.push(measured.leaves.width);
            preceding = Some(measured.leaves);
        }
        cells
    }

    #[test]
    fn the_table_agrees_with_what_is_not_searched() {
        for code in [0x4e00, 0x7000, 0x9fff] {
            let at = table::RANGES.partition_point(|range| range >> 6 <= code);
            assert_eq!(table::RANGES[at - 1] & 63, 2, "{code:x}");
            assert!(table::RANGES[at] >> 6 > 0x9fff, "one range: {code:x}");
        }
    }

    #[test]
    fn one_cell_per_cluster() {
        for (text, expect) in [
            ("ab", vec![1, 1]),
            ("한", vec![2]),
            ("😀", vec![2]),
            ("👩‍👩‍👧‍👦", vec![2]),
            ("🇩🇪🇫🇷", vec![2, 2]),
            ("👍🏽", vec![2]),
            ("❤\u{fe0f}", vec![2]),
            ("e\u{301}x", vec![1, 1]),
            ("1\u{fe0f}\u{20e3}", vec![2]),
        ] {
            assert_eq!(columns(text), expect, "{text}");
        }
    }
}
