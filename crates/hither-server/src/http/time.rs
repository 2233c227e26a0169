//! Times as text.

use std::time::{Duration, SystemTime};

const SECS_PER_DAY: u64 = 86_400;

/// A time in RFC 3339 form, UTC, with milliseconds. Before 1970 is shown as 1970.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let secs = since_1970.as_secs();
    let (year, month, day) = civil(secs / SECS_PER_DAY);
    let of_day = secs % SECS_PER_DAY;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60,
        since_1970.subsec_millis(),
    )
}

/// A duration as seconds with milliseconds, as in `12.345s`.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{}.{:03}s", duration.as_secs(), duration.subsec_millis())
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar.
///
/// Counts from 0000-03-01, so that the leap day is the last of its year, in eras of 400 years.
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097;
    const DAYS_BEFORE_1970: u64 = 719_468;
    let days = days + DAYS_BEFORE_1970;
    let (era, day) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (carry, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (era * 400 + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_calendar() {
        for (secs, expect) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_078_012_800, "2004-02-29T00:00:00.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (1_735_689_600, "2025-01-01T00:00:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799, "9999-12-31T23:59:59.000Z"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(secs);
            assert_eq!(rfc3339(time), expect);
        }
    }

    #[test]
    fn shows_milliseconds() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_042_999);
        assert_eq!(rfc3339(time), "1970-01-01T00:00:01.042Z");
        assert_eq!(seconds(Duration::from_micros(62_042_999)), "62.042s");
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut last = civil(0);
        for days in 1..200_000 {
            let next = civil(days);
            assert!(next > last, "{last:?} {next:?}");
            assert!((1..=12).contains(&next.1) && (1..=31).contains(&next.2), "{next:?}");
            last = next;
        }
    }
}
