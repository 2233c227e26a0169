//! What the routes of credentials answer.

use hither_auth::{Principal, Scope, Way};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

/// How to get in.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AuthConfig")]
pub(crate) struct AuthConfigJson {
    /// Whether a credential is asked for.
    pub(super) auth_required: bool,
    /// The ways that there are.
    pub(super) auth_methods: Vec<AuthMethodJson>,
    /// Whether `POST /api/auth/login` takes anything: passwords of users, or API tokens.
    pub(super) password_auth: bool,
    /// Always false; for clients that ask.
    pub(super) ssh_key_auth: bool,
    /// What to write on the button that leads to the provider, if there is one.
    pub(super) oidc_label: Option<String>,
}

/// A way to get in.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "AuthMethod")]
pub(super) enum AuthMethodJson {
    /// The printed address, once.
    Launch,
    /// An API token.
    Token,
    /// Name and password of a user.
    Password,
    /// Single sign-on at a provider.
    Oidc,
}

/// A login by name and password.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LoggedIn")]
pub(crate) struct LoggedInJson {
    /// Always true.
    success: bool,
    /// Token of the login, for programs that keep no cookies.
    token: String,
    /// Who has logged in.
    user: UserJson,
}

/// Who the request was made by.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CurrentUser")]
pub(crate) struct CurrentUserJson {
    /// Always true.
    success: bool,
    /// Name of the user.
    user_id: String,
    /// The user.
    user: UserJson,
    /// By which kind of credential.
    #[schemars(schema_with = "ways")]
    via: &'static str,
    /// Name of the API token, if it was one.
    token_name: Option<String>,
    /// What the credential is good for.
    #[schemars(schema_with = "scopes")]
    scopes: Vec<&'static str>,
}

/// A user, in the words of the plan's clients.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "User")]
struct UserJson {
    /// Name of the user.
    id: String,
    /// The same.
    username: String,
    /// Always `owner`.
    role: &'static str,
}

/// An address that logs a browser in.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LaunchUrl")]
pub(crate) struct LaunchUrlJson {
    /// The address, which is good once and for ten minutes.
    pub(super) url: String,
}

impl LoggedInJson {
    pub(super) fn new(token: String, name: &str) -> Self {
        Self { success: true, token, user: UserJson::new(name) }
    }
}

impl CurrentUserJson {
    pub(super) fn new(principal: &Principal, token_name: Option<String>) -> Self {
        Self {
            success: true,
            user_id: principal.name().to_owned(),
            user: UserJson::new(principal.name()),
            via: principal.way().as_str(),
            token_name,
            scopes: principal.scopes().iter().map(Scope::as_str).collect(),
        }
    }
}

impl UserJson {
    fn new(name: &str) -> Self {
        Self { id: name.to_owned(), username: name.to_owned(), role: "owner" }
    }
}

fn ways(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Way::WORDS })
}

fn scopes(_: &mut SchemaGenerator) -> Schema {
    let words = Scope::ALL.map(Scope::as_str);
    json_schema!({ "type": "array", "items": { "type": "string", "enum": words } })
}
