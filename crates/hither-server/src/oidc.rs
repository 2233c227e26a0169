//! Single sign-on: the gateway as a client of an OpenID Connect provider.
//!
//! Code flow with PKCE. `provider` knows the way to the provider and back, [`crate::web`] asks it over HTTPS,
//! `token` judges what it has signed, with the keys and the arithmetic of `signature`. Who may come
//! in is decided by `hither_auth::Admission`; what binds an answer to a browser is
//! `hither_auth::SignOn`.

mod metadata;
mod provider;
mod signature;
mod token;

pub use crate::web::is_trustworthy;
pub(crate) use provider::{Answer, Failed};
pub use provider::{Provider, ProviderError, Settings};
