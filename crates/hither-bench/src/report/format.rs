//! Numbers as people read them.

use super::Unit;

/// `value` in its unit, with three digits.
pub(crate) fn show(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds => scaled(value, &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")]),
        Unit::SecondsPerGigabyte => format!("{} s/GB", digits(value)),
        Unit::Bytes => scaled(value, &[(1_048_576.0, "MiB"), (1024.0, "KiB"), (1.0, "B")]),
        Unit::BytesPerSecond => scaled(value, &[(1e6, "MB/s"), (1e3, "kB/s"), (1.0, "B/s")]),
        Unit::PerSecond => format!("{}/s", digits(value)),
        Unit::Count => digits(value),
        Unit::Share => format!("{} %", digits(value * 100.0)),
    }
}

/// A ratio: `×1.05`.
pub(crate) fn show_ratio(ratio: f64) -> String {
    format!("×{}", digits(ratio))
}

fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let fitting = units.iter().find(|(factor, _)| value.abs() >= *factor);
    let (factor, name) = fitting.or_else(|| units.last()).copied().unwrap_or((1.0, ""));
    if value == 0.0 {
        let (_, name) = units.first().copied().unwrap_or((1.0, ""));
        return format!("0 {name}");
    }
    format!("{} {name}", digits(value / factor))
}

/// Three digits that count; whole numbers from 100 on.
fn digits(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 99.95 || (value.fract() == 0.0 && magnitude < 1e9) {
        format!("{value:.0}")
    } else if magnitude >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_three_digits_and_a_fitting_unit() {
        assert_eq!(show(0.000_105_4, Unit::Seconds), "105 µs");
        assert_eq!(show(0.0041, Unit::Seconds), "4.10 ms");
        assert_eq!(show(31.04, Unit::Seconds), "31.0 s");
        assert_eq!(show(2_202_009.6, Unit::Bytes), "2.10 MiB");
        assert_eq!(show(68.4e6, Unit::BytesPerSecond), "68.4 MB/s");
        assert_eq!(show(27_100.0, Unit::PerSecond), "27100/s");
        assert_eq!(show(6.1, Unit::SecondsPerGigabyte), "6.10 s/GB");
        assert_eq!(show(0.995, Unit::Share), "99.5 %");
        assert_eq!(show(1.0, Unit::Share), "100 %");
        assert_eq!(show(0.0, Unit::Bytes), "0 MiB");
        assert_eq!(show_ratio(1.0512), "×1.05");
    }
}
