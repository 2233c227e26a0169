//! Pure verification: who is behind a request, and what they may do with which session.
//!
//! Nothing here reads a clock, a file or a random number: `now` and random bits are arguments.
//! Secrets are kept as SHA-256 digests only. That is enough, and argon2 would be waste, because
//! each of them is 256 random bits. Passwords, which people choose, are hashed with argon2id.
#![forbid(unsafe_code)]

mod authorization;
mod backoff;
mod cookie;
mod forwarded;
mod host;
mod launch;
mod level;
mod lobby;
mod login;
mod origin;
mod password;
mod penalty;
mod people;
mod principal;
mod scope;
mod secret;
mod share;
mod sign_on;
mod source;
mod ticket;
mod token;
mod user;
mod verify;

pub use authorization::{Authorization, InvalidAuthorization};
pub use backoff::{ACCOUNTS_MAX, Backoff, Record, WAIT_MAX, WAIT_MIN};
pub use cookie::{COOKIE_BYTES_MAX, COOKIES_MAX, CookieName, cookie_values};
pub use forwarded::{HOPS_MAX, InvalidNetwork, Proxies, last_word, parse_network, parse_scheme};
pub use host::{AcceptedHost, HostPolicy, HostRefused};
pub use ipnet::IpNet;
pub use launch::{LAUNCH_LIFE, Launch, LaunchError};
pub use level::{Forbidden, GRANTS_MAX, InvalidLevel, Level, authorize};
pub use lobby::{Entered, Guest, LOBBY_MAX, LOBBY_SOURCE_MAX, Lobby};
pub use login::{ADMIN_IDLE, LOGIN_LIFE, LOGINS_MAX, LoginRecord, Logins};
pub use origin::{
    FetchSite, FromWhere, InvalidOrigin, Origin, OriginPolicy, OriginRefused, Scheme,
};
pub use password::{
    HASH_MEMORY_KIB, InvalidPassword, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, Password, Verdict,
    check_password, hash,
};
pub use penalty::{Offence, PENALTY_FREE, PENALTY_MAX, Penalties, SOURCES_MAX};
pub use people::{Account, People};
pub use principal::{LoginId, Principal, ShareId, TokenId, Way, Who};
pub use scope::{InvalidScope, Scope, Scopes};
pub use secret::{Digest, InvalidDigest, SECRET_TEXT_MAX, Secret};
pub use share::{SHARE_LIFE_DEFAULT, SHARE_LIFE_MAX, SHARE_VIEWERS_MAX, SHARES_MAX, Share};
pub use sign_on::{Admission, Admitted, Claims, NotAdmitted, SIGN_ON_LIFE, SignOn};
pub use source::Source;
pub use ticket::{
    TICKET_LIFE, TICKETS_MAX, TICKETS_OF_ONE_MAX, Ticket, TicketRefused, Tickets, TooManyTickets,
};
pub use token::{ApiToken, TOKEN_LIFE_DEFAULT, TOKEN_LIFE_MAX, TokenRecord, Tokens};
pub use user::{InvalidUserName, User, UserId, UserKind, UserName};
pub use verify::{Denied, Intent, Mode, Peer, Presented, Verifier, Vouched};
