//! Keeps a certificate that is good: the one on the disk, and a new one in time.

use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::time::{sleep, timeout};
use webpki::EndEntityCert;
use x509_cert::der::Decode as _;

use super::place::Place;
use super::schedule::{Validity, pause};
use super::{AcmeError, Settings, order};
use crate::tls::Bundle;

/// Longest time for one try.
const TRY_SECONDS_MAX: u64 = 300;
/// The clock is looked at as often: a machine that slept has not noticed the time.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// Obtains, keeps and renews the certificate of a gateway.
#[derive(Debug)]
pub(crate) struct Keeper {
    settings: Settings,
    place: Place,
    /// That of the certificate that is served, unless it is for other domains than wanted.
    validity: Option<Validity>,
    failures: u32,
}

impl Keeper {
    /// Serves what is kept, if it can be used.
    pub(crate) fn open(settings: Settings, state_dir: &Path) -> Result<Self, AcmeError> {
        let place = Place::open(state_dir, &settings.directory)?;
        let kept = place.certificate()?;
        let mut keeper = Self { settings, place, validity: None, failures: 0 };
        match kept.map(|pem| keeper.serve(&pem)) {
            Some(Ok(())) => tracing::info!("serving the certificate that was kept"),
            Some(Err(error)) => tracing::warn!(%error, "not serving the certificate that was kept"),
            None => tracing::info!("no certificate yet; asking for one"),
        }
        Ok(keeper)
    }

    /// Keeps a good certificate for ever. What fails is logged and tried again later.
    pub(crate) async fn run(mut self) {
        loop {
            let wait = self.wait();
            if !wait.is_zero() {
                sleep(wait.min(LOOK_EVERY)).await;
                continue;
            }
            if let Err(error) = self.renew().await {
                self.failures = self.failures.saturating_add(1);
                let pause = pause(self.failures);
                tracing::warn!(%error, again_in_s = pause.as_secs(), "no new certificate");
                sleep(pause).await;
            }
        }
    }

    /// How long to wait before a new one is asked for; zero is now.
    fn wait(&self) -> Duration {
        self.validity.map_or(Duration::ZERO, |good| good.wait(SystemTime::now()))
    }

    async fn renew(&mut self) -> Result<(), AcmeError> {
        let limit = Duration::from_secs(TRY_SECONDS_MAX);
        let obtained = timeout(limit, order::obtain(&self.settings, &self.place)).await;
        self.settings.issued.take_down_proofs();
        let pem = obtained.map_err(|_| AcmeError::TooLong(TRY_SECONDS_MAX))??;
        // Served first: a full disk is no reason to let the old one run out.
        self.serve(&pem)?;
        self.place.keep_certificate(&pem)?;
        if self.wait().is_zero() {
            // A failure, since another would be asked for at once, and then another.
            return Err(AcmeError::Due);
        }
        self.failures = 0;
        tracing::info!(domains = self.settings.domains.join(" "), "certificate obtained");
        Ok(())
    }

    /// Serves a certificate and its key in PEM.
    fn serve(&mut self, pem: &[u8]) -> Result<(), AcmeError> {
        let bundle = Bundle::parse(pem).map_err(AcmeError::Unusable)?;
        self.validity = validity(&bundle, &self.settings.domains)?;
        self.settings.issued.serve(bundle);
        Ok(())
    }
}

/// When the certificate is good; none if it is not for all of the domains, and to be replaced.
fn validity(bundle: &Bundle, domains: &[String]) -> Result<Option<Validity>, AcmeError> {
    let unusable = |error: &dyn std::fmt::Display| AcmeError::Unusable(error.to_string());
    let first = bundle.end_entity();
    let names = EndEntityCert::try_from(first).map_err(|error| unusable(&error))?;
    let covers = |domain: &String| names.valid_dns_names().any(|name| name == domain);
    if !domains.iter().all(covers) {
        return Ok(None);
    }
    let parsed = x509_cert::Certificate::from_der(first).map_err(|error| unusable(&error))?;
    let time = parsed.tbs_certificate().validity();
    let (from, until) = (time.not_before.to_system_time(), time.not_after.to_system_time());
    Ok(Some(Validity { from, until }))
}
