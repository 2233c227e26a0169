//! Pure verification of launch secrets, tokens, cookies, origins and hosts.
//!
//! Nothing here reads a clock, a file or a random number: `now` and random bits are arguments.
//! Secrets are kept as SHA-256 digests only. That is enough, and argon2 would be waste, because
//! each of them is 256 random bits and never a word that a person chose.
#![forbid(unsafe_code)]

mod authorization;
mod cookie;
mod host;
mod launch;
mod login;
mod origin;
mod secret;
mod token;
mod verify;

pub use authorization::{Authorization, InvalidAuthorization};
pub use cookie::{COOKIE_BYTES_MAX, COOKIES_MAX, CookieName, cookie_values};
pub use host::{AcceptedHost, HostPolicy, HostRefused};
pub use launch::{LAUNCH_LIFE, Launch, LaunchError};
pub use login::{InvalidLoginRecord, LOGIN_LIFE, LOGINS_MAX, LoginRecord, Logins};
pub use origin::{
    FetchSite, FromWhere, InvalidOrigin, Origin, OriginPolicy, OriginRefused, Scheme,
};
pub use secret::{Digest, InvalidDigest, SECRET_TEXT_MAX, Secret};
pub use token::{ApiToken, TokenRecord, Tokens};
pub use verify::{Authenticated, Denied, Identity, Intent, Mode, Peer, Presented, Verifier};
