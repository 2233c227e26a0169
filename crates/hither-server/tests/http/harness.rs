//! A server on a port of its own, with every credential there is.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use hither_auth::{ApiToken, Mode, People, Proxies, TokenRecord};
use hither_core::SessionId;
use hither_server::http::{
    App, Auth, BasePath, CONNECTIONS_MAX, Config, Listener, Profiles, Server,
};
use hither_server::sessions::{Connection, Status};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::client::{Request, Response};
use crate::double::Double;

pub(crate) struct Harness {
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    pub(crate) double: Arc<Double>,
    /// Connections that were handed over.
    pub(crate) attached: mpsc::Receiver<Connection>,
    /// A session that runs.
    pub(crate) id: SessionId,
    pub(crate) token: String,
    pub(crate) server: Arc<Server>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) serving: JoinHandle<std::io::Result<()>>,
    watching: JoinHandle<()>,
}

impl Harness {
    pub(crate) async fn start(mode: Mode) -> Self {
        Self::with_config(mode, config()).await
    }

    pub(crate) async fn with_config(mode: Mode, config: Config) -> Self {
        let token = ApiToken::from_random([7; 32]);
        let mut people = People::new("somebody");
        people.tokens.add(TokenRecord::local("ci", token.digest()));
        Self::with_auth(Auth::new(mode, people, []), config, token.to_text()).await
    }

    /// A server with these credentials, of which `token` is one.
    pub(crate) async fn with_auth(auth: Auth, config: Config, token: String) -> Self {
        Self::dressed(auth, config, token, |app| app).await
    }

    /// The same, with something more in its application.
    pub(crate) async fn dressed(
        auth: Auth,
        config: Config,
        token: String,
        dress: impl FnOnce(App) -> App,
    ) -> Self {
        let (double, attached) = Double::new();
        let double = Arc::new(double);
        let (stop, stopped) = watch::channel(false);
        let sessions = Arc::clone(&double);
        let app = Arc::new(dress(App::new(config, auth, sessions, stopped)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(Arc::clone(&app));
        let serving = {
            let server = Arc::clone(&server);
            tokio::spawn(async move { server.serve(Listener::Tcp(listener)).await })
        };
        let watching = {
            let app = Arc::clone(&app);
            tokio::spawn(async move { app.watch_passes().await })
        };
        Self {
            address,
            app,
            id: double.add(Status::Running),
            double,
            attached,
            token,
            server,
            stop,
            serving,
            watching,
        }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.host())
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.address.port())
    }

    /// A request with the right host and nothing else.
    pub(crate) fn request(&self, method: &str, target: &str) -> Request {
        Request::new(method, target).header("host", self.host())
    }

    /// A request with the API token.
    pub(crate) fn trusted(&self, method: &str, target: &str) -> Request {
        self.request(method, target).header("authorization", self.bearer())
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    pub(crate) fn basic(&self) -> String {
        let pair = format!("anybody:{}", self.token);
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    }

    /// A cookie, for a launch secret.
    pub(crate) async fn cookie(&self) -> String {
        let secret = self.app.auth.issue_launch().unwrap().to_text();
        let response = self.launch(&secret).await;
        assert_eq!(response.status, 204);
        let cookie = response.header("set-cookie").unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    pub(crate) async fn launch(&self, secret: &str) -> Response {
        self.request("POST", "/api/auth/launch")
            .header("origin", self.origin())
            .json(format!(r#"{{"secret":"{secret}"}}"#))
            .send(self.address)
            .await
    }

    pub(crate) async fn get(&self, target: &str) -> Response {
        self.trusted("GET", target).send(self.address).await
    }

    pub(crate) async fn post(&self, target: &str, body: &str) -> Response {
        self.trusted("POST", target).json(body).send(self.address).await
    }

    /// What was done to sessions so far.
    pub(crate) fn done(&self) -> Vec<String> {
        self.double.state().done.clone()
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.serving.abort();
        self.watching.abort();
    }
}

/// One profile for everybody, one for a user.
fn profiles() -> Profiles {
    let tables = serde_json::json!({
        "build": { "command": ["make"], "cwd": "/tmp", "title": "Build", "cols": 132,
                   "env": { "MAKEFLAGS": "-s", "CI": "1" }, "labels": { "team": "a" } },
        "private": { "command": "secret-tool", "users": ["ada"] },
    });
    let tables = serde_json::from_value(tables).unwrap();
    Profiles::read(tables, std::path::Path::new("/bin/sh")).unwrap()
}

pub(crate) fn config() -> Config {
    Config {
        server_name: "test".to_owned(),
        user: "somebody".to_owned(),
        shell: PathBuf::from("/bin/sh"),
        profiles: profiles(),
        page_url: "http://127.0.0.1:7681/".to_owned(),
        connections_max: CONNECTIONS_MAX,
        sessions_max: 100,
        public_origins: vec!["https://term.example.com".parse().unwrap()],
        proxies: Proxies::default(),
        identity_header: None,
        insecure_plaintext: false,
        base_path: BasePath::default(),
    }
}
