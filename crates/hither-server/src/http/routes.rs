//! The table of routes, from which the router is made.

use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::extract::MatchedPath;
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use hither_auth::{Level, Scope};

use super::app::App;
use super::problem::Problem;
use super::{
    auth_routes, events, grant_routes, history, oidc_routes, openapi, output, pages, run, screen,
    server_routes, session_routes, share_routes, status, ticket_routes, upgrade, viewer_routes,
    wait,
};

/// One method of one path.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET` answers `HEAD` too.
    pub method: &'static str,
    /// Pattern; `{id}` is one segment, `{*path}` is the rest.
    pub path: &'static str,
    /// Who gets an answer.
    pub guard: Guard,
    handler: fn() -> MethodRouter<Arc<App>>,
}

/// Who gets an answer from a route, apart from pages of other sites, which never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Everybody: there is nothing to protect.
    Public,
    /// Everybody who knows the secret that the request carries.
    Secret,
    /// Whoever has a credential.
    Credential,
    /// Whoever has a credential with this scope.
    Scope(Scope),
    /// Whoever has this level in the session that the request names, and a credential with the
    /// scope of that level.
    Session(Level),
}

impl Guard {
    /// To start sessions.
    pub const CREATE: Self = Self::Scope(Scope::SessionCreate);
    /// To see which sessions there are.
    pub const LIST: Self = Self::Scope(Scope::SessionRead);
    /// To close sessions that the request does not name.
    pub const MANAGE: Self = Self::Scope(Scope::SessionManage);
    /// To change the gateway.
    pub const ADMIN: Self = Self::Scope(Scope::Admin);
    /// To watch the session.
    pub const READ: Self = Self::Session(Level::Read);
    /// To type into the session.
    pub const WRITE: Self = Self::Session(Level::Write);
    /// To close or share the session.
    pub const OWN: Self = Self::Session(Level::Own);

    /// The word of the documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Secret => "secret",
            Self::Credential => "credential",
            Self::Scope(scope) => scope.as_str(),
            Self::Session(level) => level.as_str(),
        }
    }
}

macro_rules! routes {
    ($($method:ident $path:literal $guard:ident $handler:path;)*) => {
        /// Every route there is. The router is made from this table, so none can be missing in it.
        pub const ROUTES: &[Route] = &[$(Route {
            method: verb!($method),
            path: $path,
            guard: Guard::$guard,
            handler: || $method($handler),
        }),*];
    };
}

macro_rules! verb {
    (get) => {
        "GET"
    };
    (post) => {
        "POST"
    };
    (patch) => {
        "PATCH"
    };
    (delete) => {
        "DELETE"
    };
    (put) => {
        "PUT"
    };
}

routes! {
    get "/" Public pages::start;
    get "/s/{id}" Public pages::session;
    get "/assets/{*path}" Public pages::asset;
    get "/favicon.ico" Public pages::root_file;
    get "/favicon.svg" Public pages::root_file;
    get "/manifest.webmanifest" Public pages::root_file;
    get "/health" Public status::health;
    get "/api/health" Public status::health;
    get "/api/ready" Public status::ready;
    get "/api/auth/config" Public auth_routes::config;
    post "/api/auth/launch" Secret auth_routes::launch;
    post "/api/auth/login" Secret auth_routes::login;
    get "/api/auth/oidc/login" Public oidc_routes::login;
    get "/api/auth/oidc/callback" Secret oidc_routes::callback;
    post "/api/auth/launch-url" ADMIN auth_routes::launch_url;
    post "/api/auth/logout" Credential auth_routes::logout;
    post "/api/auth/logout-all" Credential auth_routes::logout_all;
    post "/api/auth/reload" ADMIN auth_routes::reload;
    get "/api/auth/current-user" Credential auth_routes::current_user;
    get "/api/openapi.json" Public openapi::json;
    get "/api/docs" Public openapi::docs;
    get "/api/docs.css" Public openapi::style;
    get "/api/config" Credential status::config;
    get "/api/server/status" Credential status::status;
    post "/api/server/upgrade" ADMIN server_routes::upgrade;
    get "/api/events" LIST events::stream;
    get "/api/sessions" LIST session_routes::list;
    post "/api/sessions" CREATE session_routes::create;
    get "/api/sessions/{id}" READ session_routes::find;
    patch "/api/sessions/{id}" OWN session_routes::amend;
    delete "/api/sessions/{id}" OWN session_routes::close;
    post "/api/sessions/{id}/resize" WRITE session_routes::resize;
    post "/api/sessions/{id}/reset-size" WRITE session_routes::reset_size;
    post "/api/sessions/{id}/input" WRITE session_routes::input;
    post "/api/sessions/{id}/run" WRITE run::run;
    post "/api/sessions/{id}/signal" WRITE session_routes::signal;
    post "/api/sessions/{id}/wait" READ wait::wait;
    get "/api/sessions/{id}/screen" READ screen::screen;
    get "/api/sessions/{id}/scrollback" READ screen::scrollback;
    get "/api/sessions/{id}/output" READ history::output;
    get "/api/sessions/{id}/stream" READ output::stream;
    get "/api/sessions/{id}/viewers" READ viewer_routes::list;
    patch "/api/sessions/{id}/viewers/{number}" OWN viewer_routes::set_level;
    delete "/api/sessions/{id}/viewers/{number}" OWN viewer_routes::send_away;
    get "/api/sessions/{id}/grants" OWN grant_routes::list;
    put "/api/sessions/{id}/grants/{user}" OWN grant_routes::set;
    delete "/api/sessions/{id}/grants/{user}" OWN grant_routes::remove;
    get "/api/sessions/{id}/shares" OWN share_routes::list;
    post "/api/sessions/{id}/shares" OWN share_routes::create;
    delete "/api/sessions/{id}/shares/{number}" OWN share_routes::revoke;
    post "/api/share" Secret share_routes::redeem;
    post "/api/ws-ticket" READ ticket_routes::issue;
    post "/api/cleanup-exited" MANAGE session_routes::remove_exited;
    get "/token" Credential upgrade::ttyd_token;
    get "/ws" READ upgrade::upgrade;
}

/// The pattern of the route that made a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MatchedRoute(pub(crate) &'static str);

/// Notes in a response where it comes from, for those who count.
fn noting(path: &'static str, handler: MethodRouter<Arc<App>>) -> MethodRouter<Arc<App>> {
    handler.layer(map_response(move |mut response: Response| async move {
        response.extensions_mut().insert(MatchedRoute(path));
        response
    }))
}

/// Says that a path does not have a method, as an answer of that path.
async fn wrong_method(path: MatchedPath) -> Response {
    let mut response = Problem::method_not_allowed().into_response();
    if let Some(route) = ROUTES.iter().find(|route| route.path == path.as_str()) {
        response.extensions_mut().insert(MatchedRoute(route.path));
    }
    response
}

/// The router of [`ROUTES`], with problems for all other paths and methods.
pub(crate) fn router(app: Arc<App>) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, route| {
            // The guard travels with the request, and `Access` asks for it.
            let handler = (route.handler)().layer(Extension(route.guard));
            router.route(route.path, noting(route.path, handler))
        })
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(wrong_method)
        .with_state(app)
}
