//! A server whose users sign on at a provider, and a browser that does.

use std::sync::Arc;

use hither_auth::{Admission, ApiToken, Mode, People, TokenRecord};
use hither_server::http::{App, Auth, Config};
use hither_server::oidc;
use hither_server::store_thread::StoreThread;
use hither_store::{StateDir, Store};
use serde_json::Value;

use crate::client::Response;
use crate::harness::{Harness, config};
use crate::provider::{CLIENT, Conduct, Provider, SECRET, parameters};

/// A server whose users sign on at a provider.
pub(crate) struct SignedOn {
    pub(crate) harness: Harness,
    pub(crate) provider: Provider,
    pub(crate) store: Store,
    _dir: tempfile::TempDir,
}

/// A browser on its way: what it keeps, and what the provider was asked.
pub(crate) struct Visit {
    pub(crate) cookie: String,
    pub(crate) address: String,
    pub(crate) state: String,
}

impl SignedOn {
    pub(crate) async fn start() -> Self {
        Self::with_config(config()).await
    }

    pub(crate) async fn with_config(config: Config) -> Self {
        let provider = Provider::start().await;
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&dir.path().join("state")).unwrap();
        let thread = StoreThread::start(Store::open(&state).unwrap()).unwrap();
        let local = ApiToken::from_random([7; 32]);
        let mut people = People::new("somebody");
        people.tokens.add(TokenRecord::local("ci", local.digest()));
        let auth = Auth::new(Mode::Required, people, []).with_store(thread);
        let client = Arc::new(oidc::Provider::open(settings(&provider)).unwrap());
        let dress = |app: App| app.with_oidc(Some(client));
        let harness = Harness::dressed(auth, config, local.to_text(), dress).await;
        Self { harness, provider, store: Store::open(&state).unwrap(), _dir: dir }
    }

    /// A browser is sent to the provider.
    pub(crate) async fn begin(&self, query: &str) -> Visit {
        let target = format!("/api/auth/oidc/login{query}");
        let sent = self.harness.request("GET", &target).send(self.harness.address).await;
        assert_eq!(sent.status, 303, "{sent:?}");
        let cookie = sent.header("set-cookie").unwrap();
        for flag in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=600"] {
            assert!(cookie.contains(flag), "{cookie}");
        }
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let address = sent.header("location").unwrap().to_owned();
        let state = parameters(&address)["state"].clone();
        Visit { cookie, address, state }
    }

    /// It comes back with these parameters, by a navigation from another site.
    pub(crate) async fn come_back(&self, cookie: &str, query: &str) -> Response {
        self.harness
            .request("GET", &format!("/api/auth/oidc/callback?{query}"))
            .header("cookie", cookie)
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
            .send(self.harness.address)
            .await
    }

    /// All of it: where the browser ends up, and its login, if it has one.
    pub(crate) async fn sign_on(&self, query: &str) -> (String, Option<String>) {
        let visit = self.begin(query).await;
        let code = self.provider.consent(&visit.address);
        outcome(&self.come_back(&visit.cookie, &format!("code={code}&state={}", visit.state)).await)
    }

    /// Signs on while the provider behaves like this, and expects to be refused for this reason.
    pub(crate) async fn refused(&self, conduct: Conduct, why: &str) {
        *self.provider.conduct() = conduct;
        let before = self.harness.app.refusals(why);
        let (place, login) = self.sign_on("").await;
        assert_eq!(place, format!("/#login={why}"));
        assert_eq!(login, None, "{why}");
        assert_eq!(self.harness.app.refusals(why), before + 1, "{why}");
        // Failures from this machine are not punished, so that the next case is looked at.
        *self.provider.conduct() = Conduct::default();
    }

    pub(crate) async fn who(&self, login: &str) -> Value {
        let request = self.harness.request("GET", "/api/auth/current-user");
        request.header("cookie", login).send(self.harness.address).await.json()
    }
}

pub(crate) fn settings(provider: &Provider) -> oidc::Settings {
    oidc::Settings {
        issuer: provider.issuer.clone(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(SECRET.to_owned()),
        scopes: vec!["profile".to_owned()],
        name_claim: "preferred_username".to_owned(),
        group_claim: "groups".to_owned(),
        admission: Admission {
            groups: vec!["shell".to_owned()],
            admin_groups: vec!["ops".to_owned()],
            ..Admission::default()
        },
        label: "the office".to_owned(),
        authorities: None,
    }
}

/// Where a browser is sent, and the login that it gets. The sign-on is over in any case.
pub(crate) fn outcome(response: &Response) -> (String, Option<String>) {
    assert_eq!(response.status, 303, "{response:?}");
    let cookies = response.headers.iter().filter(|(name, _)| name == "set-cookie");
    let (over, kept): (Vec<&str>, Vec<&str>) =
        cookies.map(|(_, value)| value.as_str()).partition(|value| value.contains("-sign-on="));
    assert!(matches!(&*over, [one] if one.contains("Max-Age=0")), "{over:?}");
    assert!(kept.iter().all(|cookie| cookie.contains("SameSite=Strict")), "{kept:?}");
    let login = kept.first().map(|cookie| cookie.split(';').next().unwrap().to_owned());
    let place = response.headers.iter().find(|(name, _)| name == "location").unwrap().1.clone();
    // Nowhere but to a page of ours.
    assert!(place.starts_with('/') && !place.starts_with("//"), "{place}");
    (place, login)
}
