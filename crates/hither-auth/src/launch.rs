//! The one-time secret in the URL that `hither serve` prints.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::secret::{Digest, SECRET_TEXT_MAX, Secret};

/// How long a launch secret is good.
pub const LAUNCH_LIFE: Duration = Duration::from_mins(10);

/// The launch secret that may be exchanged for a login, if there is one.
#[derive(Debug, Default)]
pub struct Launch {
    issued: Option<Issued>,
}

#[derive(Debug)]
struct Issued {
    digest: Digest,
    expires: SystemTime,
}

/// Why a launch secret was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// It was never issued, was used before, or a newer one took its place.
    #[error("launch secret is wrong or was used")]
    Wrong,
    /// It is older than [`LAUNCH_LIFE`].
    #[error("launch secret has expired")]
    Expired,
}

impl Launch {
    /// Makes a secret of 256 random bits; the one before it is no longer good.
    pub fn issue(&mut self, random: [u8; 32], now: SystemTime) -> Secret {
        let secret = Secret::from_random(random);
        self.issued = Some(Issued { digest: secret.digest(), expires: now + LAUNCH_LIFE });
        secret
    }

    /// The secret's digest and its end, for the program that goes on in this one's place; `None`
    /// when none is good.
    #[must_use]
    pub fn to_line(&self) -> Option<String> {
        let issued = self.issued.as_ref()?;
        let expires = issued.expires.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(format!("{} {}", issued.digest.to_hex(), expires.as_secs()))
    }

    /// What [`Launch::to_line`] gave; none when the line is none of ours. A secret is never good
    /// for longer than it could have been when it was issued at `now`.
    #[must_use]
    pub fn from_line(line: &str, now: SystemTime) -> Self {
        let issued = line.split_once(' ').and_then(|(digest, expires)| {
            let digest = Digest::from_hex(digest).ok()?;
            let expires = UNIX_EPOCH.checked_add(Duration::from_secs(expires.parse().ok()?))?;
            Some(Issued { digest, expires: expires.min(now + LAUNCH_LIFE) })
        });
        Self { issued }
    }

    /// Uses the secret up. A wrong one changes nothing.
    ///
    /// # Errors
    /// When `text` is not the secret issued last, or was used, or is too old.
    pub fn redeem(&mut self, text: &str, now: SystemTime) -> Result<(), LaunchError> {
        let issued = self.issued.as_ref().ok_or(LaunchError::Wrong)?;
        if text.len() > SECRET_TEXT_MAX || !bool::from(issued.digest.matches(&Digest::of(text))) {
            return Err(LaunchError::Wrong);
        }
        let in_time = now < issued.expires;
        self.issued = None;
        in_time.then_some(()).ok_or(LaunchError::Expired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    #[test]
    fn is_good_once() {
        let mut launch = Launch::default();
        let text = launch.issue([1; 32], NOW).to_text();
        assert_eq!(launch.redeem("guess", NOW), Err(LaunchError::Wrong));
        assert_eq!(launch.redeem(&text, NOW), Ok(()));
        assert_eq!(launch.redeem(&text, NOW), Err(LaunchError::Wrong));
    }

    #[test]
    fn is_good_for_ten_minutes() {
        for (age, expect) in [
            (LAUNCH_LIFE - Duration::from_secs(1), Ok(())),
            (LAUNCH_LIFE, Err(LaunchError::Expired)),
        ] {
            let mut launch = Launch::default();
            let text = launch.issue([1; 32], NOW).to_text();
            assert_eq!(launch.redeem(&text, NOW + age), expect, "{age:?}");
            assert_eq!(launch.redeem(&text, NOW), Err(LaunchError::Wrong));
        }
    }

    #[test]
    fn a_new_one_replaces_the_old() {
        let mut launch = Launch::default();
        let old = launch.issue([1; 32], NOW).to_text();
        let new = launch.issue([2; 32], NOW).to_text();
        assert_eq!(launch.redeem(&old, NOW), Err(LaunchError::Wrong));
        assert_eq!(launch.redeem(&new, NOW), Ok(()));
    }

    #[test]
    fn goes_on_in_the_next_program_until_its_end() {
        let mut launch = Launch::default();
        assert_eq!(launch.to_line(), None);
        let text = launch.issue([1; 32], NOW).to_text();
        let line = launch.to_line().unwrap();
        assert!(!line.contains(&text));
        for (age, expect) in [
            (Duration::ZERO, Ok(())),
            (LAUNCH_LIFE - Duration::from_secs(1), Ok(())),
            (LAUNCH_LIFE, Err(LaunchError::Expired)),
        ] {
            let mut next = Launch::from_line(&line, NOW + age);
            assert_eq!(next.redeem(&text, NOW + age), expect, "{age:?}");
            assert_eq!(next.redeem(&text, NOW + age), Err(LaunchError::Wrong));
        }
        let digest = line.split_once(' ').unwrap().0;
        for nonsense in [
            "",
            "x",
            "00 5",
            &line.replace(' ', ""),
            &format!("{line}x"),
            // No time that the clock knows, and no number of 64 bits.
            &format!("{digest} {}", u64::MAX),
            &format!("{digest} {}0", u64::MAX),
        ] {
            let mut none = Launch::from_line(nonsense, NOW);
            assert_eq!(none.redeem(&text, NOW), Err(LaunchError::Wrong), "{nonsense}");
        }
    }

    #[test]
    fn a_secret_from_a_line_lasts_no_longer_than_a_fresh_one() {
        let digest = Secret::from_random([1; 32]).digest().to_hex();
        let mut launch = Launch::from_line(&format!("{digest} 99999999999"), NOW);
        let text = Secret::from_random([1; 32]).to_text();
        assert_eq!(launch.redeem(&text, NOW + LAUNCH_LIFE), Err(LaunchError::Expired));
    }

    #[test]
    fn nothing_is_good_before_one_is_issued() {
        let mut launch = Launch::default();
        for text in ["", "x", &"x".repeat(1 << 20)] {
            assert_eq!(launch.redeem(text, NOW), Err(LaunchError::Wrong));
        }
    }
}
