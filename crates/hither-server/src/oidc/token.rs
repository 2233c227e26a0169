//! ID tokens: what the provider has signed of somebody (OpenID Connect Core 1.0, section 3.1.3.7).

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, Header, Validation, decode, decode_header,
};
use serde_json::{Map, Value};

/// How far the provider's clock may be from ours, in seconds.
const SKEW_SECONDS: u64 = 60;
/// Most keys that are tried for one token.
const KEYS_MAX: usize = 16;
/// Most bytes of a subject (OpenID Connect Core 1.0, section 2).
const SUBJECT_BYTES_MAX: usize = 255;

/// What a token must say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    /// Who has signed it.
    pub(super) issuer: &'a str,
    /// For whom.
    pub(super) client_id: &'a str,
    /// For which sign-on.
    pub(super) nonce: &'a str,
}

/// Why a token proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenRefused {
    /// No key is known that can have signed it. The provider may have new ones.
    #[error("signed with a key that is not known")]
    UnknownKey,
    /// It is none, or not signed, or not by the provider, or too old.
    #[error("{0}")]
    Invalid(Error),
    /// It says something else than it must.
    #[error("its {0} is not the expected one")]
    Claim(&'static str),
}

/// All that a token says, if the provider has signed it, for this client, for this sign-on, and not
/// long ago.
pub(super) fn verify(
    text: &str,
    keys: &JwkSet,
    expected: Expected<'_>,
) -> Result<Map<String, Value>, TokenRefused> {
    // An algorithm that the library does not know, "none" above all, is an error here already.
    let header = decode_header(text).map_err(TokenRefused::Invalid)?;
    if header.alg.family() == AlgorithmFamily::Hmac || header.crit.is_some() {
        return Err(TokenRefused::Invalid(ErrorKind::InvalidAlgorithm.into()));
    }
    let validation = validation(header.alg, expected);
    let mut refused = TokenRefused::UnknownKey;
    for key in keys.keys.iter().filter(|key| fits(key, &header)).take(KEYS_MAX) {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        match decode::<Map<String, Value>>(text, &key, &validation) {
            Ok(token) => return check(token.claims, expected),
            // The next key may be the right one.
            Err(error) if *error.kind() == ErrorKind::InvalidSignature => {
                refused = TokenRefused::Invalid(error);
            }
            Err(error) => return Err(TokenRefused::Invalid(error)),
        }
    }
    Err(refused)
}

fn validation(algorithm: Algorithm, expected: Expected<'_>) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = SKEW_SECONDS;
    validation.validate_nbf = true;
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

/// Whether a key may have made the signature that a header announces.
fn fits(key: &Jwk, header: &Header) -> bool {
    let common = &key.common;
    let is_named = header.kid.is_none() || header.kid == common.key_id;
    let is_for_signatures = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
    let is_for_algorithm = common
        .key_algorithm
        .is_none_or(|algorithm| algorithm.to_string() == format!("{:?}", header.alg));
    // A shared secret in a public list of keys is a mistake or a trap: there is no row for it.
    let is_of_kind = match header.alg.family() {
        AlgorithmFamily::Rsa => matches!(key.algorithm, AlgorithmParameters::RSA(_)),
        AlgorithmFamily::Ec => curve(key) == curve_of(header.alg),
        AlgorithmFamily::Ed => matches!(key.algorithm, AlgorithmParameters::OctetKeyPair(_)),
        AlgorithmFamily::Hmac => false,
    };
    is_named && is_for_signatures && is_for_algorithm && is_of_kind
}

fn curve(key: &Jwk) -> Option<EllipticCurve> {
    let AlgorithmParameters::EllipticCurve(key) = &key.algorithm else { return None };
    Some(key.curve.clone())
}

fn curve_of(algorithm: Algorithm) -> Option<EllipticCurve> {
    Some(if algorithm == Algorithm::ES256 { EllipticCurve::P256 } else { EllipticCurve::P384 })
}

/// What the library does not look at.
fn check(
    claims: Map<String, Value>,
    expected: Expected<'_>,
) -> Result<Map<String, Value>, TokenRefused> {
    let text = |name| claims.get(name).and_then(Value::as_str);
    let is_shared = claims.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
    let party = claims.get("azp");
    let subject = text("sub").unwrap_or_default();
    if text("iss") != Some(expected.issuer) {
        Err(TokenRefused::Claim("issuer"))
    } else if text("nonce") != Some(expected.nonce) {
        Err(TokenRefused::Claim("nonce"))
    } else if (is_shared || party.is_some())
        && party.and_then(Value::as_str) != Some(expected.client_id)
    {
        Err(TokenRefused::Claim("authorized party"))
    } else if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
        Err(TokenRefused::Claim("subject"))
    } else {
        Ok(claims)
    }
}
