//! Single sign-on by OpenID Connect, as far as it is pure: what binds an answer of the provider to
//! the browser that began, and whom its claims admit.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hither_core::SessionId;
use sha2::{Digest as _, Sha256};

use crate::secret::{Digest, SECRET_TEXT_MAX, Secret};
use crate::user::{UserKind, UserName};

/// How long somebody may take at the provider.
pub const SIGN_ON_LIFE: Duration = Duration::from_secs(10 * 60);

/// A sign-on that has begun.
///
/// The browser keeps it in a cookie, and nobody else keeps anything. What goes to the provider is
/// made from it by one-way functions: whoever sees that learns nothing of the cookie, and whoever
/// changes the cookie has another sign-on.
#[derive(Clone)]
pub struct SignOn {
    text: String,
    session: Option<SessionId>,
}

impl SignOn {
    /// Begins one at `now` that shall lead to the page of `session`, or to the start page.
    #[must_use]
    pub fn begin(random: [u8; 32], session: Option<SessionId>, now: SystemTime) -> Self {
        let secret = Secret::from_random(random).to_text();
        let place = session.as_ref().map_or("", SessionId::as_str);
        Self { text: format!("{secret}.{}.{place}", seconds(now)), session }
    }

    /// The one in a cookie, unless it is none, is too old, or began later than `now`.
    #[must_use]
    pub fn from_cookie(text: &str, now: SystemTime) -> Option<Self> {
        if text.len() > SECRET_TEXT_MAX {
            return None;
        }
        let mut parts = text.split('.');
        let (secret, began, place) = (parts.next()?, parts.next()?, parts.next()?);
        let is_secret = URL_SAFE_NO_PAD.decode(secret).is_ok_and(|bits| bits.len() == 32);
        let began: u64 = began.parse().ok()?;
        let age = seconds(now).checked_sub(began)?;
        if !is_secret || parts.next().is_some() || age > SIGN_ON_LIFE.as_secs() {
            return None;
        }
        let session = if place.is_empty() { None } else { Some(place.parse().ok()?) };
        Some(Self { text: text.to_owned(), session })
    }

    /// What the browser keeps.
    #[must_use]
    pub fn to_cookie(&self) -> &str {
        &self.text
    }

    /// Whose page it leads to.
    #[must_use]
    pub const fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The `state`, which comes back from the provider.
    #[must_use]
    pub fn state(&self) -> String {
        self.derive("state")
    }

    /// Whether `text` is its state, in constant time.
    #[must_use]
    pub fn is_state(&self, text: &str) -> bool {
        let is_one = text.len() <= SECRET_TEXT_MAX;
        is_one && Digest::of(text).matches(&Digest::of(&self.state())).into()
    }

    /// The `nonce`, which is in the ID token.
    #[must_use]
    pub fn nonce(&self) -> String {
        self.derive("nonce")
    }

    /// The code verifier of PKCE (RFC 7636), which goes to the provider's token endpoint.
    #[must_use]
    pub fn verifier(&self) -> String {
        self.derive("verifier")
    }

    /// Its challenge, by the method `S256`, which went there through the browser.
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier()))
    }

    fn derive(&self, purpose: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{purpose}\n{}", self.text)))
    }
}

impl std::fmt::Debug for SignOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignOn").field("session", &self.session).finish_non_exhaustive()
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What a provider has said of somebody, and signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Identifies the person at the provider, for ever.
    pub subject: String,
    /// The claim that names the user, if it is there.
    pub name: Option<String>,
    /// Whether the name is an address that the provider has not verified.
    pub is_unverified_address: bool,
    /// Groups of the person.
    pub groups: Vec<String>,
}

/// Who may come in by single sign-on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Names that may, exactly as the provider writes them; `*` is everybody.
    pub users: Vec<String>,
    /// Groups whose members may.
    pub groups: Vec<String>,
    /// Groups whose members may, and are admins.
    pub admin_groups: Vec<String>,
}

/// Somebody who may come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Identifies the person at the provider, for ever.
    pub subject: String,
    /// Name of the user.
    pub name: UserName,
    /// What kind of user.
    pub kind: UserKind,
}

/// Why somebody may not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// There is no such claim.
    #[error("the provider says no name")]
    Nameless,
    /// The name is an address that may be anybody's.
    #[error("the provider has not verified the address that is the name")]
    Unverified,
    /// It is none that a user can have.
    #[error(
        "the name is not 1 to 64 characters of a-z, 0-9 and . _ @ + -, a letter or digit first"
    )]
    Unusable,
    /// Nothing allows it.
    #[error("neither the name nor a group is allowed")]
    NotAllowed,
}

impl Admission {
    /// Judges what a provider has said.
    ///
    /// Upper case in a name becomes lower case only after the name was found allowed, so that
    /// nobody is let in for a name of another case.
    ///
    /// # Errors
    /// See [`NotAdmitted`].
    pub fn judge(&self, claims: &Claims) -> Result<Admitted, NotAdmitted> {
        let name = claims.name.as_deref().filter(|name| !name.is_empty());
        let name = name.ok_or(NotAdmitted::Nameless)?;
        if claims.is_unverified_address {
            return Err(NotAdmitted::Unverified);
        }
        let belongs = |to: &[String]| claims.groups.iter().any(|group| to.contains(group));
        let is_admin = belongs(&self.admin_groups);
        let is_named = self.users.iter().any(|user| user == "*" || user == name);
        if !is_admin && !is_named && !belongs(&self.groups) {
            return Err(NotAdmitted::NotAllowed);
        }
        let name = name.to_ascii_lowercase().parse().map_err(|_| NotAdmitted::Unusable)?;
        let kind = if is_admin { UserKind::Admin } else { UserKind::Member };
        Ok(Admitted { subject: claims.subject.clone(), name, kind })
    }
}

#[cfg(test)]
#[path = "sign_on_tests.rs"]
mod tests;
