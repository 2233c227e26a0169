//! Times as people say them: how long ago, and in how long.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::table::shown;

/// How long ago something was that the gateway has written down in RFC 3339; a text that is no such
/// time as it is.
pub(super) fn ago(text: &str, now: SystemTime) -> String {
    parse(text).map_or_else(|| shown(text), |time| since(time, now))
}

/// The same of a time to come.
pub(super) fn ahead(text: &str, now: SystemTime) -> String {
    parse(text).map_or_else(|| shown(text), |time| until(time, now))
}

/// How long ago `time` was.
pub(super) fn since(time: SystemTime, now: SystemTime) -> String {
    format!("{} ago", roughly(now.duration_since(time).unwrap_or_default()))
}

/// How long until `time`.
pub(super) fn until(time: SystemTime, now: SystemTime) -> String {
    match time.duration_since(now) {
        Ok(left) => format!("in {}", roughly(left)),
        Err(_) => "expired".to_owned(),
    }
}

fn parse(text: &str) -> Option<SystemTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(SystemTime::from)
}

/// A time in its largest unit, rounded: what ends in 30 days does so a second later, too.
fn roughly(time: Duration) -> String {
    let seconds = (time + Duration::from_millis(500)).as_secs();
    let rounded = |unit: u64| (seconds + unit / 2) / unit;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", rounded(60)),
        3_600..172_800 => format!("{}h", rounded(3_600)),
        _ => format!("{}d", rounded(86_400)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_to_their_largest_unit() {
        for (millis, expect) in [
            (0, "0s"),
            (59_400, "59s"),
            (59_500, "1m"),
            (89_000, "1m"),
            (90_000, "2m"),
            (3_599_000, "60m"),
            (86_399_000, "24h"),
            (172_800_000, "2d"),
            (2_591_999_000, "30d"),
        ] {
            assert_eq!(roughly(Duration::from_millis(millis)), expect, "{millis}");
        }
    }

    #[test]
    fn times_of_the_gateway_are_read_and_anything_else_is_shown_as_it_is() {
        let now = parse("2026-11-24T02:20:00.250Z").unwrap();
        assert_eq!(ago("2026-11-24T02:17:00Z", now), "3m ago");
        assert_eq!(ago("2026-11-24T02:20:01Z", now), "0s ago");
        assert_eq!(ahead("2026-11-26T02:19:00.000Z", now), "in 48h");
        assert_eq!(ahead("2026-11-26T02:20:00.000Z", now), "in 2d");
        assert_eq!(ahead("2026-11-24T02:17:00Z", now), "expired");
        assert_eq!(ahead("soon\u{1b}", now), "soon\\x1b");
    }
}
