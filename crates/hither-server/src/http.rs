//! The control plane: HTTP, authentication, and the handshake of `/ws`.
//!
//! A request passes through these, in this order: [`serve`] accepts the connection and bounds it;
//! `door` checks host and origin, before anything else looks at the request; the router of
//! `routes` finds the handler; the handler's `Access` argument verifies the credential against
//! the route's guard and names the principal; `handle` makes of it, and of a level, the only way to
//! a session; `headers` puts the security headers on whatever comes out. After the
//! handshake of `/ws` the socket itself goes to the data plane and never comes back.

mod access;
mod app;
mod auth;
mod auth_json;
mod auth_routes;
mod base_path;
mod bind;
mod body;
mod cells;
mod connection;
mod door;
mod events;
mod forget;
mod gate;
mod grant_routes;
mod handle;
mod handover;
mod hashing;
mod headers;
mod history;
mod http2;
mod idempotency;
mod listing;
mod lobby;
mod names;
mod new_session;
mod oidc_routes;
pub mod openapi;
mod output;
mod pages;
mod pattern;
mod problem;
mod profiles;
mod query;
mod routes;
mod run;
mod screen;
mod serve;
mod server_routes;
mod session_json;
mod session_routes;
mod share_routes;
mod status;
mod stream_body;
mod ticket_routes;
mod time;
mod ttyd;
mod typing;
mod upgrade;
mod viewer_routes;
mod wait;
mod watch;
mod wire;

pub use app::{App, Config};
pub use auth::Auth;
pub use base_path::{BasePath, InvalidBasePath};
pub use bind::{BindRefused, NO_AUTH_MEANING, Protection, check_bind};
pub use profiles::{InvalidProfile, ProfileTable, Profiles};
pub use routes::{Guard, ROUTES, Route};
pub use serve::{
    CONNECTIONS_MAX, DRAIN_DEADLINE, HEADER_BYTES_MAX, HEADER_DEADLINE, HEADERS_MAX, Listener,
    Server, Stop,
};
pub(crate) use server_routes::{Succession, UpgradeBegun, UpgradeRefused, UpgradeWish};
pub(crate) use time::rfc3339;
