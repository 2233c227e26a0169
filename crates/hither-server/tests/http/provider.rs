//! A provider of single sign-on that lies when it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The client that the provider knows.
pub(crate) const CLIENT: &str = "hither & co";
/// Its secret.
pub(crate) const SECRET: &str = "p@ss:word/+%";

/// What the provider does. Each test changes what it is about.
#[derive(Default)]
pub(crate) struct Conduct {
    /// Claims that the ID token has besides, or in place of, the right ones; null leaves one out.
    pub(crate) claims: Value,
    /// The header of the ID token, when it is not the right one.
    pub(crate) header: Option<Value>,
    /// How the ID token is signed.
    pub(crate) signing: Signing,
    /// What the user-info endpoint says; 404 when there is nothing.
    pub(crate) info: Option<Value>,
    /// In place of the list of keys.
    pub(crate) keys: Option<String>,
    /// Changes to the discovery document.
    pub(crate) metadata: Value,
    /// The code is good again and again.
    pub(crate) forgets_codes: bool,
    /// Where every request is sent instead.
    pub(crate) redirect: Option<String>,
    /// Whether the client has to prove itself in the body.
    pub(crate) secret_in_body: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    #[default]
    Right,
    /// With a key that is not in the list.
    OtherKey,
    /// With the public key, as a shared secret.
    Shared,
    Nothing,
}

/// A request for authorization that a person has said yes to.
struct Granted {
    nonce: String,
    challenge: String,
    redirect: String,
}

pub(crate) struct Provider {
    pub(crate) issuer: String,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

struct State {
    issuer: String,
    conduct: Mutex<Conduct>,
    granted: Mutex<BTreeMap<String, Granted>>,
    asked: Mutex<Vec<String>>,
    /// The key that signs, and its number.
    key: Mutex<(EcdsaKeyPair, u32)>,
    other: EcdsaKeyPair,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

fn key() -> EcdsaKeyPair {
    let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap()
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(State {
            issuer: issuer.clone(),
            conduct: Mutex::default(),
            granted: Mutex::default(),
            asked: Mutex::default(),
            key: Mutex::new((key(), 1)),
            other: key(),
        });
        let serving = {
            let state = Arc::clone(&state);
            tokio::spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    state.answer(stream).await;
                }
            })
        };
        Self { issuer, state, serving }
    }

    pub(crate) fn conduct(&self) -> MutexGuard<'_, Conduct> {
        lock(&self.state.conduct)
    }

    /// How often each path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        lock(&self.state.asked).iter().filter(|asked| *asked == path).count()
    }

    /// Signs with a new key from now on.
    pub(crate) fn rotate(&self) {
        let mut held = lock(&self.state.key);
        *held = (key(), held.1 + 1);
    }

    /// The person says yes to what is asked for at `address`; the code for that.
    pub(crate) fn consent(&self, address: &str) -> String {
        let query = parameters(address);
        assert!(address.starts_with(&format!("{}/authorize?", self.issuer)), "{address}");
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], CLIENT);
        assert_eq!(query["code_challenge_method"], "S256");
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"));
        let code = format!("code-{}", lock(&self.state.granted).len());
        let granted = Granted {
            nonce: query["nonce"].clone(),
            challenge: query["code_challenge"].clone(),
            redirect: query["redirect_uri"].clone(),
        };
        lock(&self.state.granted).insert(code.clone(), granted);
        code
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The parameters of an address.
pub(crate) fn parameters(address: &str) -> BTreeMap<String, String> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

impl State {
    async fn answer(&self, mut stream: TcpStream) {
        let (head, body) = read(&mut stream).await;
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        lock(&self.asked).push(path.to_owned());
        let redirect = lock(&self.conduct).redirect.clone();
        let (status, extra, body) = match (redirect, method, path) {
            (Some(to), ..) => ("302 Found", format!("location: {to}{path}\r\n"), String::new()),
            (None, "GET", "/.well-known/openid-configuration") => {
                ("200 OK", String::new(), self.metadata().to_string())
            }
            (None, "GET", "/keys") => ("200 OK", String::new(), self.keys()),
            (None, "POST", "/token") => match self.token(&head, &body) {
                Ok(answer) => ("200 OK", String::new(), answer),
                Err(error) => {
                    ("400 Bad Request", String::new(), json!({ "error": error }).to_string())
                }
            },
            (None, "GET", "/userinfo") => match lock(&self.conduct).info.clone() {
                Some(info) if head.contains("authorization: Bearer access") => {
                    ("200 OK", String::new(), info.to_string())
                }
                _ => ("404 Not Found", String::new(), String::new()),
            },
            _ => ("404 Not Found", String::new(), String::new()),
        };
        let len = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\n{extra}content-length: {len}\r\nconnection: close\r\n\r\n"
        );
        // Who asked may have had enough.
        drop(stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await);
    }

    fn metadata(&self) -> Value {
        let issuer = &self.issuer;
        let mut all = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "jwks_uri": format!("{issuer}/keys"),
        });
        let conduct = lock(&self.conduct);
        if conduct.secret_in_body {
            all["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        }
        change(&mut all, &conduct.metadata);
        all
    }

    fn keys(&self) -> String {
        if let Some(keys) = lock(&self.conduct).keys.clone() {
            return keys;
        }
        let (key, number) = &*lock(&self.key);
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        // Others that are of no use, as providers have them.
        json!({ "keys": [
            { "kty": "unheard-of", "kid": "k0" },
            { "kty": "RSA", "use": "enc", "kid": "k1", "n": "AQAB", "e": "AQAB" },
            { "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig",
              "kid": format!("k{number}"), "x": x, "y": y },
        ] })
        .to_string()
    }

    /// The answer to a code, for whoever proves to be the client that began.
    fn token(&self, head: &str, body: &str) -> Result<String, &'static str> {
        let form: BTreeMap<String, String> =
            form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let part =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = STANDARD.encode(format!("{}:{}", part(CLIENT), part(SECRET)));
        let in_body = form.get("client_secret").is_some_and(|secret| secret == SECRET);
        let in_head = head.contains(&format!("authorization: Basic {pair}\r\n"));
        let is_client = if lock(&self.conduct).secret_in_body { in_body } else { in_head };
        if !is_client {
            return Err("invalid_client");
        }
        let code = form.get("code").ok_or("invalid_request")?;
        let mut granted = lock(&self.granted);
        let grant = granted.get(code).ok_or("invalid_grant")?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
        if challenge != grant.challenge || form["redirect_uri"] != grant.redirect {
            return Err("invalid_grant");
        }
        let token = self.id_token(&grant.nonce);
        if !lock(&self.conduct).forgets_codes {
            granted.remove(code);
        }
        Ok(json!({ "token_type": "Bearer", "access_token": "access", "id_token": token })
            .to_string())
    }

    fn id_token(&self, nonce: &str) -> String {
        let (key, number) = &*lock(&self.key);
        let conduct = lock(&self.conduct);
        let mut claims = json!({
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "subject-1",
            "exp": now() + 300,
            "iat": now(),
            "nonce": nonce,
            "preferred_username": "ada",
            "groups": ["shell"],
        });
        change(&mut claims, &conduct.claims);
        let algorithm = match conduct.signing {
            Signing::Right | Signing::OtherKey => "ES256",
            Signing::Shared => "HS256",
            Signing::Nothing => "none",
        };
        let header = json!({ "alg": algorithm, "kid": format!("k{number}") });
        let header = conduct.header.clone().unwrap_or(header);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(&claims));
        let random = SystemRandom::new();
        let signature = match conduct.signing {
            Signing::Right => key.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Signing::OtherKey => {
                self.other.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec()
            }
            Signing::Shared => {
                let secret = key.public_key().as_ref();
                let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
                ring::hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
            }
            Signing::Nothing => Vec::new(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Sets members of an object; null removes one.
fn change(object: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().into_iter().flatten() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
}

/// The head of a request and its body, as text.
async fn read(stream: &mut TcpStream) -> (String, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let len = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; len.map_or(0, |len| len.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// Before, or after, now.
pub(crate) fn in_seconds(seconds: i64) -> u64 {
    let from_now = Duration::from_secs(seconds.unsigned_abs()).as_secs();
    if seconds < 0 { now() - from_now } else { now() + from_now }
}
