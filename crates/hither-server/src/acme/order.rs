//! The conversation with the authority: an account, an order, a proof for each domain, a
//! certificate.

use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationHandle, AuthorizationStatus, ChallengeType,
    Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::https::Https;
use super::place::Place;
use super::{AcmeError, Settings};
use crate::tls::Issued;

/// How an order is waited for: it is asked for at once, then more and more seldom.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));

/// Gets a new certificate: its chain and its key in PEM, one after the other.
pub(super) async fn obtain(settings: &Settings, place: &Place) -> Result<Vec<u8>, AcmeError> {
    let account = account(settings, place).await?;
    let names: Vec<Identifier> = settings.domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    prove_all(&mut order, &settings.issued).await?;
    match order.poll_ready(&PATIENCE).await {
        Ok(OrderStatus::Ready) => {}
        Ok(_) | Err(instant_acme::Error::Api(_)) => return Err(reason(&mut order).await),
        Err(error) => return Err(error.into()),
    }
    let key = KeyPair::generate().map_err(unusable)?;
    let mut params = CertificateParams::new(settings.domains.clone()).map_err(unusable)?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key).map_err(unusable)?;
    order.finalize_csr(request.der()).await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    Ok(format!("{chain}\n{}", key.serialize_pem()).into_bytes())
}

/// The account that is kept, or a new one.
async fn account(settings: &Settings, place: &Place) -> Result<Account, AcmeError> {
    let https = Https::open(settings.directory_authorities.as_deref())?;
    let builder = Account::builder_with_http(Box::new(https));
    let kept = place.account()?;
    // One that cannot be read is no account; the authority gives another.
    let kept = kept.and_then(|kept| serde_json::from_slice::<AccountCredentials>(&kept).ok());
    if let Some(credentials) = kept {
        return Ok(builder.from_credentials(credentials).await?);
    }
    let contacts: Vec<String> =
        settings.contacts.iter().map(|contact| format!("mailto:{contact}")).collect();
    let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
    let wanted = NewAccount {
        contact: &contacts,
        // Without --acme-accept-terms the gateway does not start.
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let (account, credentials) = builder.create(&wanted, settings.directory.clone(), None).await?;
    let text = serde_json::to_vec(&credentials).map_err(unusable)?;
    place.keep_account(&text)?;
    Ok(account)
}

/// Puts up the proof of each domain that is not proven yet, and says so.
async fn prove_all(order: &mut Order, issued: &Issued) -> Result<(), AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization?;
        if authorization.status == AuthorizationStatus::Pending {
            prove(authorization, issued).await?;
        }
    }
    Ok(())
}

async fn prove(
    mut authorization: AuthorizationHandle<'_>,
    issued: &Issued,
) -> Result<(), AcmeError> {
    let domain = authorization.identifier().to_string();
    let mut challenge = authorization
        .challenge(ChallengeType::TlsAlpn01)
        .ok_or_else(|| AcmeError::NoProof(domain.clone()))?;
    let digest = challenge.key_authorization().digest();
    let (certificate, key) = proof(&domain, digest.as_ref())?;
    issued.put_up_proof(&domain, certificate, key).map_err(unusable)?;
    match challenge.set_ready().await {
        // An authority that looks at once may answer what it has found.
        Err(instant_acme::Error::Api(problem)) => {
            Err(AcmeError::NotProven { domain, cause: problem.to_string() })
        }
        ready => Ok(ready?),
    }
}

/// The certificate by which a domain is proven (RFC 8737, section 3).
fn proof(
    domain: &str,
    digest: &[u8],
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), AcmeError> {
    let key = KeyPair::generate().map_err(unusable)?;
    let mut params = CertificateParams::new([domain.to_owned()]).map_err(unusable)?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key).map_err(unusable)?;
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).map_err(unusable)?;
    Ok((certificate.der().clone(), key))
}

/// Why an order will not come to anything: the first domain that was not proven.
async fn reason(order: &mut Order) -> AcmeError {
    let mut authorizations = order.authorizations();
    while let Some(Ok(authorization)) = authorizations.next().await {
        let problem =
            authorization.challenges.iter().find_map(|challenge| challenge.error.as_ref());
        if let Some(problem) = problem {
            let domain = authorization.identifier().to_string();
            return AcmeError::NotProven { domain, cause: problem.to_string() };
        }
    }
    AcmeError::Authority("the order became invalid".to_owned())
}

fn unusable(error: impl std::fmt::Display) -> AcmeError {
    AcmeError::Unusable(error.to_string())
}
