//! What a provider says of itself (OpenID Connect Discovery 1.0), with its keys.

use http::{Request, Uri};
use http_body_util::Full;
use hyper::body::Bytes;
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::provider::Failed;
use crate::web::{Web, is_trustworthy};

/// Below the issuer.
const DOCUMENT: &str = "/.well-known/openid-configuration";

/// The part of the document that is used.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) userinfo_endpoint: Option<String>,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether every answer of the authorization endpoint names the issuer (RFC 9207).
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Asks the provider `issuer`, which must call itself exactly that.
    pub(super) async fn discover(web: &Web, issuer: &str) -> Result<Self, Failed> {
        let address = format!("{}{DOCUMENT}", issuer.trim_end_matches('/'));
        let found: Self = fetch(web, &address).await?;
        let endpoints = [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri];
        let all = endpoints.into_iter().chain(found.userinfo_endpoint.as_ref());
        for endpoint in all {
            if !endpoint.parse::<Uri>().is_ok_and(|uri| is_trustworthy(&uri)) {
                return Err(Failed::Provider("its endpoints are not https".to_owned()));
            }
        }
        if found.issuer != issuer {
            return Err(Failed::Provider(format!("it calls itself {:?}", found.issuer)));
        }
        Ok(found)
    }

    /// Its keys, as they are now.
    pub(super) async fn keys(&self, web: &Web) -> Result<JwkSet, Failed> {
        fetch(web, &self.jwks_uri).await
    }

    /// Whether the client's secret belongs into the body: the header is what everybody must know,
    /// unless the provider says otherwise.
    pub(super) fn wants_secret_in_body(&self) -> bool {
        self.token_endpoint_auth_methods_supported
            .as_ref()
            .is_some_and(|known| !known.iter().any(|method| method == "client_secret_basic"))
    }

    /// Whether an answer that names `issuer`, or nobody, may come from this provider.
    pub(super) fn may_answer_as(&self, issuer: Option<&str>) -> bool {
        match issuer {
            Some(issuer) => issuer == self.issuer,
            None => !self.authorization_response_iss_parameter_supported,
        }
    }
}

/// A JSON document of the provider.
async fn fetch<T: DeserializeOwned>(web: &Web, address: &str) -> Result<T, Failed> {
    let request = Request::get(address).header("accept", "application/json");
    let request = request.body(Full::new(Bytes::new()));
    let request = request.map_err(|_| Failed::Provider(format!("{address:?} is no address")))?;
    let body = web.ask(request).await.map_err(|error| Failed::at(address, &error))?;
    serde_json::from_slice(&body).map_err(|error| Failed::at(address, &error))
}
