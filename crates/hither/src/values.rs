//! Option values with a unit or a range: sizes, durations, host names.

use std::time::Duration;

const KIB: u32 = 1024;
const MIB: u32 = 1024 * KIB;

/// Smallest and largest history of a session.
const HISTORY_BYTES: (u32, u32) = (64 * KIB, 64 * MIB);
/// Smallest and largest queue of input.
const QUEUE_BYTES: (u32, u32) = (64 * KIB, 64 * MIB);
/// Longest time that something is kept.
const SPAN_MAX: Duration = Duration::from_secs(366 * 24 * 3600);
/// Smallest and largest read from a PTY, and smallest and largest output frame.
const CHUNK_BYTES: (u32, u32) = (KIB, 64 * KIB);
/// Longest time that output may be held back.
const BATCH_DELAY_MAX: Duration = Duration::from_secs(1);
/// Longest host name in the DNS (RFC 1035, section 2.3.4).
const HOST_NAME_LEN_MAX: usize = 253;

/// Bytes of history: a power of two from 64 KiB to 64 MiB.
pub(crate) fn history_bytes(text: &str) -> Result<u32, String> {
    let (min, max) = HISTORY_BYTES;
    let expected = "expected a power of two from 64KiB to 64MiB, as in 1MiB";
    parse_bytes(text)
        .filter(|bytes| bytes.is_power_of_two() && (min..=max).contains(bytes))
        .ok_or_else(|| expected.to_owned())
}

/// Bytes of input that may wait: 64 KiB to 64 MiB.
pub(crate) fn queue_bytes(text: &str) -> Result<u32, String> {
    let (min, max) = QUEUE_BYTES;
    parse_bytes(text)
        .filter(|bytes| (min..=max).contains(bytes))
        .ok_or_else(|| "expected 64KiB to 64MiB, as in 8MiB".to_owned())
}

/// Time for which something is kept: 0 to a year, in `s`, `m`, `h` or `d`.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let factor = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(24 * 3600),
        _ => None,
    };
    let seconds = match (number.parse::<u64>(), factor) {
        (Ok(0), _) => Some(0),
        (Ok(number), Some(factor)) => number.checked_mul(factor),
        _ => None,
    };
    let span = seconds.map(Duration::from_secs).filter(|span| *span <= SPAN_MAX);
    span.ok_or_else(|| "expected a time with its unit s, m, h or d, as in 30m".to_owned())
}

/// Bytes of one read or one frame: 1 KiB to 64 KiB.
pub(crate) fn chunk_bytes(text: &str) -> Result<u32, String> {
    let (min, max) = CHUNK_BYTES;
    parse_bytes(text)
        .filter(|bytes| (min..=max).contains(bytes))
        .ok_or_else(|| "expected 1KiB to 64KiB, as in 8KiB".to_owned())
}

/// Time to hold output back: 0 to 1 s, in `ms` unless `us` or `s` follows the number.
pub(crate) fn batch_delay(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let number: Option<u64> = number.parse().ok();
    let delay = number.and_then(|number| match unit {
        "us" | "µs" => Some(Duration::from_micros(number)),
        "" | "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        _ => None,
    });
    delay
        .filter(|delay| *delay <= BATCH_DELAY_MAX)
        .ok_or_else(|| "expected 0 to 1s, as in 10ms".to_owned())
}

/// How long a token is good: at least a minute, at most 366 days.
pub(crate) fn token_life(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let seconds = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => 0,
    };
    let number: Option<u64> = number.parse().ok();
    let life = number.and_then(|number| number.checked_mul(seconds)).map(Duration::from_secs);
    life.filter(|life| !life.is_zero() && *life <= hither_auth::TOKEN_LIFE_MAX)
        .ok_or_else(|| "expected 1m to 366d, as in 12h, 30d or 52w".to_owned())
}

/// How long a share link is good: at least a second, at most 30 days.
pub(crate) fn share_life(text: &str) -> Result<Duration, String> {
    let life = span(text).ok();
    life.filter(|life| !life.is_zero() && *life <= hither_auth::SHARE_LIFE_MAX)
        .ok_or_else(|| "expected 1s to 30d, as in 30m, 12h or 7d".to_owned())
}

/// What somebody calls something: 1 to 64 characters, none of control.
pub(crate) fn label(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned()).ok_or_else(|| "expected 1 to 64 characters".to_owned())
}

/// Columns and rows of a window, as in `132x50`; the gateway knows the limits.
pub(crate) fn window_size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x');
    let size = sides.and_then(|(cols, rows)| Some((cols.parse().ok()?, rows.parse().ok()?)));
    size.ok_or_else(|| "expected columns and rows, as in 132x50".to_owned())
}

/// A name and a value, as in `team=a`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| "expected NAME=VALUE".to_owned())
}

/// A time, as in `200ms`, `30s` or `10m`.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let number: Option<u64> = number.parse().ok();
    let time = number.and_then(|number| match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" | "" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    });
    let longest = Duration::from_secs(600);
    time.filter(|time| *time <= longest).ok_or_else(|| "expected 0 to 10m, as in 200ms".to_owned())
}

/// A time in whole milliseconds.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A name by which browsers reach the gateway, as in their `Host` header; with a port unless it is
/// that of the scheme.
pub(crate) fn host_name(text: &str) -> Result<String, String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let bracketed = |text: &str| {
        let inside = text.strip_prefix('[')?.strip_suffix(']')?;
        inside.parse::<std::net::Ipv6Addr>().ok()
    };
    let fits = !host.is_empty() && host.len() <= HOST_NAME_LEN_MAX;
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|number| number.to_string() == port);
    if fits && (host.chars().all(plain) || bracketed(host).is_some()) && port.is_none_or(is_port) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("expected a host name without scheme, as in box.example.org or box:8443".to_owned())
    }
}

/// A name of the DNS for which a certificate can be had: two labels or more, no wildcard, no address.
pub(crate) fn domain(text: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        let plain = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let fits = text.len() <= HOST_NAME_LEN_MAX && text.contains('.');
    // The last label of a name is no number, that of an address is.
    let is_number = |label: &str| label.chars().all(|c| c.is_ascii_digit());
    if fits && text.split('.').all(is_label) && !text.rsplit('.').next().is_some_and(is_number) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("expected the full name of this machine in the DNS, as in box.example.org".to_owned())
    }
}

/// A mail address, as far as it matters here: one `@` with something on both sides.
pub(crate) fn mail_address(text: &str) -> Result<String, String> {
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic());
    match text.split_once('@') {
        Some((name, host)) if plain(name) && plain(host) && !host.contains('@') => {
            Ok(text.to_owned())
        }
        _ => Err("expected a mail address, as in ann@example.org".to_owned()),
    }
}

/// An address of `https`.
pub(crate) fn https_url(text: &str) -> Result<String, String> {
    let parsed = text.parse::<http::Uri>().ok();
    let parsed = parsed.filter(|uri| uri.scheme_str() == Some("https") && uri.host().is_some());
    let expected = "expected an address of https, as in https://ca.example.org/directory";
    parsed.map(|_| text.to_owned()).ok_or_else(|| expected.to_owned())
}

/// A number of bytes with or without a binary unit; a power of 1024 whether written `KiB` or `K`.
fn parse_bytes(text: &str) -> Option<u32> {
    let (number, unit) = split_unit(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => KIB,
        "m" | "mib" => MIB,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(factor)
}

fn split_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    (number, unit.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_limits() {
        for (text, expect) in [
            ("65536", Some(65_536)),
            ("64KiB", Some(65_536)),
            ("64k", Some(65_536)),
            ("1MiB", Some(1_048_576)),
            ("64 MiB", Some(67_108_864)),
            ("128MiB", None),
            ("32KiB", None),
            ("3MiB", None),
            ("1MB", None),
            ("-1", None),
            ("", None),
            ("99999999999999999999", None),
            ("4194304KiB", None),
        ] {
            assert_eq!(history_bytes(text).ok(), expect, "{text}");
        }
        assert_eq!(chunk_bytes("8KiB"), Ok(8192));
        assert!(chunk_bytes("65537").is_err());
        assert!(chunk_bytes("1023").is_err());
    }

    #[test]
    fn delays_have_units_and_a_limit() {
        for (text, expect) in [
            ("0", Some(Duration::ZERO)),
            ("10", Some(Duration::from_millis(10))),
            ("10ms", Some(Duration::from_millis(10))),
            ("500us", Some(Duration::from_micros(500))),
            ("1s", Some(Duration::from_secs(1))),
            ("1001ms", None),
            ("1m", None),
            ("18446744073709551615s", None),
        ] {
            assert_eq!(batch_delay(text).ok(), expect, "{text}");
        }
    }

    #[test]
    fn tokens_live_for_a_while_and_not_for_ever() {
        for (text, expect) in [
            ("1m", Some(60)),
            ("12h", Some(43_200)),
            ("30d", Some(2_592_000)),
            ("366d", Some(31_622_400)),
            ("52w", Some(31_449_600)),
            ("367d", None),
            ("0d", None),
            ("30", None),
            ("never", None),
            ("", None),
            ("-1d", None),
            ("99999999999999999999w", None),
            ("30500568904943w", None),
        ] {
            assert_eq!(token_life(text).ok(), expect.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn spans_have_units_and_a_limit() {
        for (text, expect) in [
            ("0", Some(0)),
            ("90s", Some(90)),
            ("30m", Some(1800)),
            ("2 h", Some(7200)),
            ("366d", Some(31_622_400)),
            ("367d", None),
            ("30", None),
            ("m", None),
            ("1.5h", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(span(text).ok(), expect.map(Duration::from_secs), "{text}");
        }
        assert_eq!(queue_bytes("64KiB"), Ok(65_536));
        assert!(queue_bytes("65MiB").is_err() && queue_bytes("1").is_err());
    }

    #[test]
    fn domains_mail_addresses_and_authorities() {
        assert_eq!(domain("Box.Example.org"), Ok("box.example.org".to_owned()));
        let long = format!("{}.org", "a".repeat(64));
        for bad in [
            "",
            "box",
            "*.example.org",
            "192.0.2.1",
            "::1",
            "a..b",
            "a.b.",
            "-a.org",
            "a.org:443",
            "a_b.org",
            "bücher.example",
            &long,
        ] {
            assert!(domain(bad).is_err(), "{bad}");
        }
        assert!(mail_address("ann@example.org").is_ok());
        for bad in ["", "ann", "@example.org", "ann@", "a@b@c", "a b@c"] {
            assert!(mail_address(bad).is_err(), "{bad}");
        }
        assert!(https_url("https://ca.example.org:14000/dir").is_ok());
        for bad in ["", "ca.example.org", "http://ca.example.org/dir", "https://", "https:///x"] {
            assert!(https_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn host_names_are_names_only() {
        for good in
            ["localhost", "Box.Example.org", "192.0.2.1", "[2001:db8::1]", "a:8443", "[::1]:80"]
        {
            assert_eq!(host_name(good), Ok(good.to_ascii_lowercase()));
        }
        let long = "a".repeat(254);
        for bad in [
            "", "a b", "http://a", "a:", ":80", "a:080", "a:65536", "a/b", "[::1", "[x]", "*",
            &long,
        ] {
            assert!(host_name(bad).is_err(), "{bad}");
        }
    }
}
