//! The way to the provider and back.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::{Serializer, byte_serialize};
use hither_auth::{Admission, Admitted, Claims, NotAdmitted, SignOn};
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http_body_util::Full;
use hyper::body::Bytes;
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

use super::metadata::Metadata;
use super::signature;
use super::token::{Expected, TokenRefused, verify};
use crate::tls::{TlsError, trusted};
use crate::web::{Web, WebError};

/// Time for one answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
/// How long what the provider says of itself is taken as known.
const KNOWN_LIFE: Duration = Duration::from_secs(3600);
/// How long to wait before keys are fetched again for a token that none of them has signed.
const KEYS_PAUSE: Duration = Duration::from_secs(30);
/// Most sign-ons that ask the provider at a time.
const AT_A_TIME_MAX: usize = 8;
/// Most groups of a person that are looked at.
const GROUPS_MAX: usize = 1000;
/// Most bytes of a code.
const CODE_BYTES_MAX: usize = 4096;

/// Who the provider is, and who may come in.
#[derive(Clone)]
pub struct Settings {
    /// The provider's name for itself: an address.
    pub issuer: String,
    /// Its name for us.
    pub client_id: String,
    /// What proves us to it, if it asks for that.
    pub client_secret: Option<String>,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that is the user's name.
    pub name_claim: String,
    /// The claim that lists groups.
    pub group_claim: String,
    /// Who may come in.
    pub admission: Admission,
    /// What people call it.
    pub label: String,
    /// File of the authorities that vouch for it, in place of the system's.
    pub authorities: Option<PathBuf>,
}

/// Why there is no single sign-on. Each text is a sentence with the cure.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The authorities cannot be used.
    #[error(transparent)]
    Authorities(#[from] TlsError),
}

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// The provider does not answer, or says what it should not. Nobody's fault who comes.
    #[error("single sign-on provider: {0}")]
    Provider(String),
    /// As many as may be are asking it now.
    #[error("limit of {AT_A_TIME_MAX} sign-ons at a time is reached")]
    Busy,
    /// It does not take the code, or its answer proves nothing.
    #[error("sign-on refused: {0}")]
    Refused(String),
    /// It has proven somebody who may not come in.
    #[error("somebody has signed on and may not come in: {0}")]
    NotAdmitted(#[from] NotAdmitted),
}

/// What the provider has said of itself.
struct Known {
    metadata: Metadata,
    keys: JwkSet,
    since: Instant,
}

/// A provider of single sign-on.
pub struct Provider {
    settings: Settings,
    web: Web,
    known: Mutex<Option<Arc<Known>>>,
    slots: Semaphore,
}

/// The answer of the authorization endpoint, as it comes back through the browser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) code: &'a str,
    /// Who gives it, if it says so (RFC 9207).
    pub(crate) issuer: Option<&'a str>,
}

/// The answer of the token endpoint.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: String,
}

impl Provider {
    /// A provider that nobody has asked yet: it need not be there before somebody wants to sign on.
    ///
    /// # Errors
    /// When the file of authorities cannot be used.
    pub fn open(settings: Settings) -> Result<Self, ProviderError> {
        signature::install();
        let web = Web::new(trusted(settings.authorities.as_deref())?, ANSWER_DEADLINE);
        Ok(Self { settings, web, known: Mutex::default(), slots: Semaphore::new(AT_A_TIME_MAX) })
    }

    /// What people call it.
    pub(crate) fn label(&self) -> &str {
        &self.settings.label
    }

    /// Its name for itself.
    pub(crate) fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Where the browser goes, to come back to `redirect`.
    pub(crate) async fn address(&self, sign_on: &SignOn, redirect: &str) -> Result<String, Failed> {
        let _slot = self.slots.try_acquire().map_err(|_| Failed::Busy)?;
        let known = self.known(KNOWN_LIFE).await?;
        let scope =
            std::iter::once("openid").chain(self.settings.scopes.iter().map(String::as_str));
        let scope: Vec<_> = scope.collect();
        let query = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", redirect)
            .append_pair("scope", &scope.join(" "))
            .append_pair("state", &sign_on.state())
            .append_pair("nonce", &sign_on.nonce())
            .append_pair("code_challenge", &sign_on.challenge())
            .append_pair("code_challenge_method", "S256")
            .finish();
        let endpoint = &known.metadata.authorization_endpoint;
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{joint}{query}"))
    }

    /// Who has come back, if the provider proves it and they may come in.
    pub(crate) async fn redeem(
        &self,
        sign_on: &SignOn,
        answer: Answer<'_>,
        redirect: &str,
    ) -> Result<Admitted, Failed> {
        let _slot = self.slots.try_acquire().map_err(|_| Failed::Busy)?;
        let known = self.known(KNOWN_LIFE).await?;
        if !known.metadata.may_answer_as(answer.issuer) {
            return Err(Failed::Refused("the answer is another provider's".to_owned()));
        }
        if answer.code.is_empty() || answer.code.len() > CODE_BYTES_MAX {
            return Err(Failed::Refused("the answer has no code".to_owned()));
        }
        let tokens = self.tokens(&known.metadata, sign_on, answer.code, redirect).await?;
        let mut claims = self.verify(&known, &tokens.id_token, &sign_on.nonce()).await?;
        self.complete(&mut claims, &known.metadata, &tokens.access_token).await?;
        Ok(self.settings.admission.judge(&self.read(&claims))?)
    }

    async fn tokens(
        &self,
        metadata: &Metadata,
        sign_on: &SignOn,
        code: &str,
        redirect: &str,
    ) -> Result<Tokens, Failed> {
        let request = self.token_request(metadata, sign_on, code, redirect)?;
        let body = match self.web.ask(request).await {
            Err(WebError::Status(status)) if status.is_client_error() => {
                return Err(Failed::Refused(format!("the provider takes no such code ({status})")));
            }
            asked => asked.map_err(|error| Failed::at(&metadata.token_endpoint, &error))?,
        };
        serde_json::from_slice(&body).map_err(|error| Failed::at(&metadata.token_endpoint, &error))
    }

    fn token_request(
        &self,
        metadata: &Metadata,
        sign_on: &SignOn,
        code: &str,
        redirect: &str,
    ) -> Result<Request<Full<Bytes>>, Failed> {
        let Settings { client_id, client_secret, .. } = &self.settings;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect)
            .append_pair("code_verifier", &sign_on.verifier());
        let mut request = Request::post(&metadata.token_endpoint)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json");
        match client_secret {
            Some(secret) if !metadata.wants_secret_in_body() => {
                // RFC 6749, section 2.3.1: encoded as in a form, each.
                let part = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = STANDARD.encode(format!("{}:{}", part(client_id), part(secret)));
                request = request.header(AUTHORIZATION, format!("Basic {pair}"));
            }
            Some(secret) => {
                form.append_pair("client_id", client_id).append_pair("client_secret", secret);
            }
            None => {
                form.append_pair("client_id", client_id);
            }
        }
        let request = request.body(Full::new(Bytes::from(form.finish())));
        request.map_err(|error| Failed::at(&metadata.token_endpoint, &error))
    }

    /// What the ID token says. Keys that have changed are fetched again, now and then.
    async fn verify(
        &self,
        known: &Arc<Known>,
        token: &str,
        nonce: &str,
    ) -> Result<Map<String, Value>, Failed> {
        let Settings { issuer, client_id, .. } = &self.settings;
        let expected = Expected { issuer, client_id, nonce };
        let verified = match verify(token, &known.keys, expected) {
            Err(TokenRefused::UnknownKey) => {
                let known = self.known(KEYS_PAUSE).await?;
                verify(token, &known.keys, expected)
            }
            verified => verified,
        };
        verified.map_err(|refused| Failed::Refused(format!("ID token: {refused}")))
    }

    /// Asks for what the ID token does not say, when there is more to know.
    async fn complete(
        &self,
        claims: &mut Map<String, Value>,
        metadata: &Metadata,
        access_token: &str,
    ) -> Result<(), Failed> {
        let Settings { name_claim, group_claim, admission, .. } = &self.settings;
        let needs_groups = !admission.groups.is_empty() || !admission.admin_groups.is_empty();
        let is_whole =
            claims.contains_key(name_claim) && (!needs_groups || claims.contains_key(group_claim));
        let Some(endpoint) = metadata.userinfo_endpoint.as_ref().filter(|_| !is_whole) else {
            return Ok(());
        };
        let request = Request::get(endpoint)
            .header(AUTHORIZATION, format!("Bearer {access_token}"))
            .header(ACCEPT, "application/json")
            .body(Full::new(Bytes::new()));
        let request = request.map_err(|error| Failed::at(endpoint, &error))?;
        let body = self.web.ask(request).await.map_err(|error| Failed::at(endpoint, &error))?;
        let more: Map<String, Value> =
            serde_json::from_slice(&body).map_err(|error| Failed::at(endpoint, &error))?;
        if more.get("sub") != claims.get("sub") {
            return Err(Failed::Refused("the claims are somebody else's".to_owned()));
        }
        for (name, value) in more {
            // What was signed counts more.
            claims.entry(name).or_insert(value);
        }
        Ok(())
    }

    fn read(&self, claims: &Map<String, Value>) -> Claims {
        let Settings { name_claim, group_claim, .. } = &self.settings;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let groups = match claims.get(group_claim) {
            Some(Value::Array(all)) => all.iter().take(GROUPS_MAX).filter_map(text).collect(),
            Some(Value::String(one)) => vec![one.clone()],
            _ => Vec::new(),
        };
        let is_verified = claims.get("email_verified") == Some(&Value::Bool(true));
        Claims {
            subject: claims.get("sub").and_then(text).unwrap_or_default(),
            name: claims.get(name_claim).and_then(text),
            is_unverified_address: name_claim == "email" && !is_verified,
            groups,
        }
    }

    /// What the provider says of itself; asked again when that is older than `life`.
    async fn known(&self, life: Duration) -> Result<Arc<Known>, Failed> {
        // Held while asking, so that many who come at once ask once.
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.since.elapsed() < life) {
            return Ok(Arc::clone(known));
        }
        let metadata = Metadata::discover(&self.web, &self.settings.issuer).await?;
        let keys = metadata.keys(&self.web).await?;
        let fresh = Arc::new(Known { metadata, keys, since: Instant::now() });
        *known = Some(Arc::clone(&fresh));
        Ok(fresh)
    }
}

impl Failed {
    /// Something is wrong with what is at an address of the provider's.
    pub(super) fn at(address: &str, error: &dyn std::fmt::Display) -> Self {
        Self::Provider(format!("{address}: {error}"))
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.settings.issuer).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
