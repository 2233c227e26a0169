//! Options about where the gateway listens and what protects it, and what they come to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use hither_auth::{IpNet, Origin, parse_network};
use hither_server::acme;
use hither_server::gateway::{Authentication, Listen};
use hither_server::http::{BasePath, Protection, check_bind};
use hither_server::tls::{Acceptor, ClientCertificates, OwnCertificate, TlsSettings};
use http::HeaderName;

use super::acme::AcmeArgs;
use crate::failure::{Exit, Failure};
use crate::values;

/// What must be said to have no encryption at all.
const WAIVER: &str = "I-understand";

/// Where the gateway listens and whom it lets in.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Listening")]
pub(crate) struct ListenArgs {
    /// TCP port; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 7681)]
    pub(crate) port: u16,
    /// Address to listen on; may be given several times. One of the network needs TLS or a proxy
    #[arg(long, value_name = "ADDRESS", default_values_t = [IpAddr::V4(Ipv4Addr::LOCALHOST)])]
    pub(crate) bind: Vec<IpAddr>,
    /// Listen on this Unix socket too; whoever may open it gets in
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Serve metrics for Prometheus on this address too, besides the runtime directory's metrics.sock
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Host under which browsers come, with its port unless that is 443; may be given several times
    #[arg(long, value_name = "NAME", value_parser = values::host_name)]
    pub(crate) allow_host: Vec<String>,
    /// Path below which everything is, as in /term, when a proxy shares its host with others
    #[arg(long, value_name = "PATH", default_value = "/", value_parser = base_path)]
    pub(crate) base_path: BasePath,
    /// Proxies whose X-Forwarded-For, -Proto and -Host are believed: addresses or networks
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = proxy)]
    pub(crate) behind_proxy: Vec<IpNet>,
    /// Header in which those proxies name the user who has logged in, as in X-Remote-User
    #[arg(long, value_name = "HEADER", value_parser = header_name)]
    pub(crate) identity_header: Option<HeaderName>,
    /// Let everybody in who reaches the port: every user of this machine
    #[arg(long)]
    pub(crate) no_auth: bool,
    /// Listen on the network without encryption: whoever is on the way sees and types along
    #[arg(long, value_name = WAIVER, value_parser = [WAIVER], hide_possible_values = true)]
    pub(crate) insecure_plaintext: Option<String>,
    /// Listen on the network as root: whoever gets in is root
    #[arg(long)]
    pub(crate) allow_root: bool,
}

/// The certificate of the gateway, and those of its clients.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// Certificate chain in PEM; read again when it changes. Needs --tls-key
    #[arg(long, value_name = "PATH")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key of the certificate in PEM, readable by its owner only
    #[arg(long, value_name = "PATH")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Authorities in PEM whose client certificates are good
    #[arg(long, value_name = "PATH")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// Revocation lists in PEM of those authorities
    #[arg(long, value_name = "PATH")]
    pub(crate) tls_client_crl: Option<PathBuf>,
    /// User that a client certificate with this URI stands for; may be given several times
    #[arg(long, value_name = "URI=USER", value_parser = certified_user)]
    pub(crate) tls_client_user: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) acme: AcmeArgs,
}

fn base_path(text: &str) -> Result<BasePath, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn header_name(text: &str) -> Result<HeaderName, String> {
    // What every request has, or what is read for something else, names nobody.
    let taken = ["authorization", "cookie", "host", "origin"];
    let name: HeaderName = text.parse().map_err(|_| "expected the name of a header".to_owned())?;
    if taken.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded-") {
        return Err("expected a header of the proxy's own, as in X-Remote-User".to_owned());
    }
    Ok(name)
}

fn certified_user(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((uri, user)) if uri.contains(':') && !user.is_empty() => {
            Ok((uri.to_owned(), user.to_owned()))
        }
        _ => Err("expected a URI and a user, as in spiffe://example.org/ann=ann".to_owned()),
    }
}

fn proxy(text: &str) -> Result<IpNet, String> {
    let network = parse_network(text.trim()).map_err(|error| error.to_string())?;
    if network.prefix_len() == 0 {
        return Err("expected the proxies' own networks, not everybody's".to_owned());
    }
    Ok(network)
}

impl ListenArgs {
    /// Refuses addresses on which strangers could read along or come in.
    pub(crate) fn check(&self, tls: &TlsArgs) -> Result<(), Failure> {
        if self.identity_header.is_some() && self.behind_proxy.is_empty() {
            let message = "--identity-header would be believed from nobody";
            let cure = "name the proxy with --behind-proxy too";
            return Err(Failure::new(Exit::Configuration, message).cure(cure));
        }
        let protection = self.protection(tls);
        for &address in &self.bind {
            check_bind(address, protection, !self.no_auth)
                .map_err(|refused| Failure::new(Exit::Configuration, refused.to_string()))?;
            let is_root = rustix::process::geteuid().is_root();
            if is_root && !self.allow_root && !address.to_canonical().is_loopback() {
                let message =
                    format!("listening on {address} as root would make whoever gets in root");
                let cure = "run as an ordinary user, or say --allow-root";
                return Err(Failure::new(Exit::Configuration, message).cure(cure));
            }
        }
        self.check_metrics()
    }

    /// The listener of the metrics has neither TLS nor a login, and knows no proxy: what protects
    /// the others does not protect it.
    fn check_metrics(&self) -> Result<(), Failure> {
        let waived = self.insecure_plaintext.is_some();
        let protection = if waived { Protection::Waived } else { Protection::None };
        match self.metrics {
            Some(address) if check_bind(address.ip(), protection, true).is_err() => {
                let message = format!(
                    "serving metrics on {address} would show them to everybody on the network"
                );
                let cure = format!(
                    "serve them on 127.0.0.1, collect them from metrics.sock in the runtime \
                     directory, or say --insecure-plaintext={WAIVER}"
                );
                Err(Failure::new(Exit::Configuration, message).cure(cure))
            }
            _ => Ok(()),
        }
    }

    fn protection(&self, tls: &TlsArgs) -> Protection {
        if tls.tls_cert.is_some() || tls.acme.is_wanted() {
            Protection::Tls
        } else if !self.behind_proxy.is_empty() {
            Protection::Proxy
        } else if self.insecure_plaintext.is_some() {
            Protection::Waived
        } else {
            Protection::None
        }
    }

    /// What is allowed and still deserves a word.
    pub(crate) fn warnings(&self, tls: &TlsArgs) -> Vec<&'static str> {
        let beyond = |address: IpAddr| !address.to_canonical().is_loopback();
        let mut warnings = Vec::new();
        if self.metrics.is_some_and(|metrics| beyond(metrics.ip())) {
            warnings.push("the metrics have no login: whoever reaches their address reads them");
        }
        let beyond = self.bind.iter().copied().any(beyond);
        if beyond && self.protection(tls) == Protection::Waived {
            warnings.push("nothing is encrypted: whoever is on the way sees and types along");
        }
        let is_local = |proxy: &IpNet| proxy.addr().is_loopback();
        if self.identity_header.is_some() && self.behind_proxy.iter().any(is_local) {
            warnings.push(
                "every program of this machine can name itself any user: the proxy is on this \
                 machine, where others may be too",
            );
        }
        warnings
    }

    /// The settings of the listeners.
    pub(super) fn settings(&self, tls: &TlsArgs) -> Result<Listen, Failure> {
        let mut public_origins = Vec::new();
        let acme = tls.acme.settings()?;
        for name in self.allow_host.iter().chain(&tls.acme.acme_domain) {
            for scheme in ["https", "http"] {
                let origin = format!("{scheme}://{name}").parse::<Origin>();
                public_origins.push(origin.map_err(|error| {
                    Failure::new(Exit::Configuration, format!("--allow-host {name}: {error}"))
                })?);
            }
        }
        Ok(Listen {
            addresses: self.bind.clone(),
            port: self.port,
            passed: passed_sockets()?,
            socket: self.socket.clone(),
            metrics: self.metrics,
            public_origins,
            tls: tls.acceptor(acme.as_ref())?,
            acme,
            proxies: self.behind_proxy.clone(),
            identity_header: self.identity_header.clone(),
            insecure_plaintext: self.insecure_plaintext.is_some(),
            base_path: self.base_path.clone(),
            authentication: if self.no_auth {
                Authentication::Off
            } else {
                Authentication::Required
            },
        })
    }
}

/// How many sockets a service manager has passed to this process: sd_listen_fds(3). What was meant
/// for the process that started this one is not ours.
fn passed_sockets() -> Result<u8, Failure> {
    let variable = |name| std::env::var(name).unwrap_or_default();
    if variable("LISTEN_PID") != std::process::id().to_string() {
        return Ok(0);
    }
    let count = variable("LISTEN_FDS");
    count.parse().map_err(|_| {
        let message = format!("variable LISTEN_FDS is wrong: {count:?} is no count up to 255");
        Failure::new(Exit::Configuration, message).cure("mend or unset it")
    })
}

impl TlsArgs {
    /// Refuses files that cannot be used, and certificates that nobody could obtain.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.acceptor(self.acme.settings()?.as_ref()).map(drop)
    }

    /// What makes TLS connections, with all files read and the certificates of `acme`; none without
    /// either.
    fn acceptor(&self, acme: Option<&acme::Settings>) -> Result<Option<Arc<Acceptor>>, Failure> {
        let refuse =
            |message: &str, cure: &str| Err(Failure::new(Exit::Configuration, message).cure(cure));
        if self.tls_client_ca.is_none() {
            let cure = "give --tls-client-ca too";
            if self.tls_client_crl.is_some() {
                return refuse("--tls-client-crl is of no use alone", cure);
            }
            if !self.tls_client_user.is_empty() {
                return refuse("--tls-client-user is of no use alone", cure);
            }
        }
        let clients = self.tls_client_ca.clone().map(|authorities| ClientCertificates {
            authorities,
            revoked: self.tls_client_crl.clone(),
            users: self.tls_client_user.clone(),
        });
        let own = match (&self.tls_cert, &self.tls_key, acme) {
            (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
                let message = "--acme-domain and --tls-cert are two certificates for one address";
                return refuse(message, "give one of them");
            }
            (Some(certificate), Some(key), None) => {
                OwnCertificate::Files { certificate: certificate.clone(), key: key.clone() }
            }
            (Some(_), None, None) => {
                return refuse("--tls-cert is of no use alone", "give --tls-key too");
            }
            (None, Some(_), None) => {
                return refuse("--tls-key is of no use alone", "give --tls-cert too");
            }
            (None, None, Some(acme)) => OwnCertificate::Issued(Arc::clone(&acme.issued)),
            (None, None, None) if clients.is_some() => {
                let cure = "give --tls-cert and --tls-key too";
                return refuse("--tls-client-ca is of no use without TLS", cure);
            }
            (None, None, None) => return Ok(None),
        };
        let acceptor = Acceptor::open(TlsSettings { own, clients });
        let acceptor =
            acceptor.map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
        Ok(Some(Arc::new(acceptor)))
    }
}
