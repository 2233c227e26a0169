//! What a link is like: `rtt=200ms,rate=1mbit,stall=2s@5s,drop=10s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// A link, as given by `--link`. Members that are left out do not limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkSpec {
    /// Delay of both directions together; half of it each way.
    pub rtt: Duration,
    /// Bytes per second in each direction.
    pub bytes_per_second: Option<f64>,
    /// Nothing moves for the first duration, once the connection is as old as the second.
    pub stall: Option<(Duration, Duration)>,
    /// The connection is cut when it is this old.
    pub cut_after: Option<Duration>,
}

/// A text that does not describe a link.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "a link is rtt=TIME,rate=BITS,stall=TIME@TIME,drop=TIME with times as 200ms or 2s and bits \
     as 500kbit or 1mbit, not {0:?}"
)]
pub struct InvalidLinkSpec(String);

impl FromStr for LinkSpec {
    type Err = InvalidLinkSpec;

    fn from_str(text: &str) -> Result<Self, InvalidLinkSpec> {
        let mut spec = Self::default();
        for member in text.split(',') {
            spec.set(member).ok_or_else(|| InvalidLinkSpec(member.to_owned()))?;
        }
        Ok(spec)
    }
}

impl LinkSpec {
    fn set(&mut self, member: &str) -> Option<()> {
        match member.split_once('=')? {
            ("rtt", time) => self.rtt = duration(time)?,
            ("rate", rate) => self.bytes_per_second = Some(bits(rate)? / 8.0),
            ("drop", time) => self.cut_after = Some(duration(time)?),
            ("stall", times) => {
                let (length, at) = times.split_once('@')?;
                self.stall = Some((duration(length)?, duration(at)?));
            }
            _ => return None,
        }
        Some(())
    }
}

impl fmt::Display for LinkSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rtt={}ms", self.rtt.as_millis())?;
        if let Some(rate) = self.bytes_per_second {
            write!(f, ",rate={}kbit", rate * 8.0 / 1e3)?;
        }
        if let Some((length, at)) = self.stall {
            write!(f, ",stall={}ms@{}ms", length.as_millis(), at.as_millis())?;
        }
        match self.cut_after {
            Some(time) => write!(f, ",drop={}ms", time.as_millis()),
            None => Ok(()),
        }
    }
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let seconds = match &text[unit..] {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    let number: f64 = text[..unit].parse().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok().filter(|time| time.as_secs() < 86_400)
}

fn bits(text: &str) -> Option<f64> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let factor = match &text[unit..] {
        "bit" => 1.0,
        "kbit" => 1e3,
        "mbit" => 1e6,
        "gbit" => 1e9,
        _ => return None,
    };
    let number: f64 = text[..unit].parse().ok()?;
    Some(number * factor).filter(|bits| (8.0..=1e12).contains(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let text = "rtt=200ms,rate=1mbit,stall=2s@5s,drop=10s";
        let spec: LinkSpec = text.parse().unwrap();
        assert_eq!(spec.rtt, Duration::from_millis(200));
        assert_eq!(spec.bytes_per_second, Some(125_000.0));
        assert_eq!(spec.stall, Some((Duration::from_secs(2), Duration::from_secs(5))));
        assert_eq!(spec.cut_after, Some(Duration::from_secs(10)));
        assert_eq!(spec.to_string().parse(), Ok(spec));
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        let wrong = [
            "",
            "rtt",
            "rtt=",
            "rtt=5",
            "rtt=-5ms",
            "rtt=NaNms",
            "rate=0mbit",
            "rate=1mb",
            "loss=5",
            "stall=2s",
            "rtt=1ms;rate=1mbit",
            "rtt=99999999s",
        ];
        for text in wrong {
            assert!(text.parse::<LinkSpec>().is_err(), "{text}");
        }
    }
}
