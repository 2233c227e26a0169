//! Certificates from an authority: the real gateway with Pebble, the small authority that Let's
//! Encrypt tests its clients with. Where that is not installed, these tests say so and pass.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use rcgen::CertificateParams;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use serde_json::json;
use tempfile::TempDir;

use crate::certificates::Authority;
use crate::client::{Client, Trust};
use crate::gateway::HANG;

const HITHER: &str = env!("CARGO_BIN_EXE_hither");
const DOMAIN: &str = "box.hither.test";
/// Lines that wait to be read by a test; no program here says as much.
const LINES_MAX: usize = 10_000;
const OTHER_DOMAIN: &str = "www.hither.test";

/// A program that is ended with the test, and what it says, line by line.
struct Program {
    child: Child,
    said: Receiver<String>,
    /// What nobody has waited for yet.
    kept: Vec<String>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, said) = sync_channel(LINES_MAX);
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let streams: [Box<dyn Read + Send>; 2] = [Box::new(out), Box::new(err)];
        for stream in streams {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    sender.send(line).ok();
                }
            });
        }
        Self { child, said, kept: Vec::new() }
    }

    /// Waits until it says something with these words. What else it has said meanwhile is kept for
    /// the next one who waits: two things that happen at once are said in any order.
    #[track_caller]
    fn wait_for(&mut self, words: &str) -> String {
        if let Some(found) = self.kept.iter().position(|line| line.contains(words)) {
            return self.kept.remove(found);
        }
        loop {
            let Ok(line) = self.said.recv_timeout(HANG) else {
                panic!("nothing of {words:?} after {:#?}", self.kept);
            };
            if line.contains(words) {
                return line;
            }
            self.kept.push(line);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// An authority and the DNS that it asks, at an address that no other test has: below the ports
/// that the kernel gives out, and where no other process of the tests is.
struct Pebble {
    folder: TempDir,
    address: String,
    tls_port: u16,
    port: u16,
    authority: Authority,
    _dns: Program,
    program: Program,
}

impl Pebble {
    /// One whose certificates are good for so many seconds; none where it is not installed.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn start(seconds: u32) -> Option<Self> {
        static COUNT: AtomicU16 = AtomicU16::new(0);
        if Command::new("pebble").arg("-h").output().is_err() {
            eprintln!("skipped: pebble is not installed");
            return None;
        }
        let [_, a, b, c] = std::process::id().to_be_bytes();
        let address = format!("127.{}.{b}.{c}", 64 | (a & 0x3f));
        let base = 14000 + 10 * COUNT.fetch_add(1, Ordering::Relaxed);
        let at = |port: u16| format!("{address}:{port}");
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("who vouches for the directory");
        let own = authority.sign(CertificateParams::new([address.clone()]).unwrap());
        own.install(folder.path());
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let config = json!({ "pebble": {
            "listenAddress": at(base),
            "managementListenAddress": at(base + 1),
            "certificate": folder.path().join("cert.pem"),
            "privateKey": folder.path().join("key.pem"),
            "httpPort": base + 4,
            "tlsPort": base + 5,
            "certificateValidityPeriod": seconds,
        }});
        let config_path = folder.path().join("pebble.json");
        fs::write(&config_path, config.to_string()).unwrap();
        let (names, management) = (at(base + 2), at(base + 3));
        let mut dns = Program::start(
            Command::new("pebble-challtestsrv")
                .args(["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""])
                .args(["-defaultIPv4", &address, "-dns01", &names, "-management", &management]),
        );
        dns.wait_for("Starting management server");
        let mut program = Program::start(
            Command::new("pebble")
                .args(["-strict", "-dnsserver", &names, "-config"])
                .arg(config_path)
                .env("PEBBLE_VA_NOSLEEP", "1"),
        );
        program.wait_for("ACME directory available");
        let tls_port = base + 5;
        Some(Self { folder, address, tls_port, port: base, authority, _dns: dns, program })
    }

    /// A gateway that gets its certificate here, without one of its own.
    fn gateway(&self, domains: &[&str]) -> Program {
        let mut command = Command::new(HITHER);
        command
            .args(["serve", "--no-auth", "--bind", &self.address])
            .args(["--port", &self.tls_port.to_string(), "--acme-accept-terms"])
            .args(["--acme-contact", "ann@hither.test", "--acme-ca", "ca.pem", "--acme-directory"])
            .arg(format!("https://{}:{}/dir", self.address, self.port))
            .args(domains.iter().flat_map(|domain| ["--acme-domain", domain]))
            .arg("--runtime-dir")
            .arg(self.folder.path().join("run"))
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("HITHER_LOG", "info")
            .current_dir(self.folder.path());
        let mut gateway = Program::start(&mut command);
        gateway.wait_for("Hither is at https://box.hither.test");
        gateway
    }

    /// The root of what it issues, which is another one each time that it is started.
    fn root(&self) -> CertificateDer<'static> {
        let tcp = TcpStream::connect((self.address.as_str(), self.port + 1)).unwrap();
        let trust = Trust::of(&self.authority);
        let mut client = Client::open_as(tcp, &trust, &self.address).unwrap();
        let (status, answer) = client.ask(&self.address, "GET", "/roots/0", "");
        assert_eq!(status, 200, "{answer}");
        let pem = answer.split_once("\r\n\r\n").unwrap().1;
        let start = pem.find("-----BEGIN").unwrap();
        CertificateDer::from_pem_slice(&pem.as_bytes()[start..]).unwrap()
    }

    fn connect(&self) -> TcpStream {
        let tcp = TcpStream::connect((self.address.as_str(), self.tls_port)).unwrap();
        tcp.set_read_timeout(Some(HANG)).unwrap();
        tcp
    }

    /// The certificate that the gateway serves, whatever it is.
    fn served(&self) -> std::io::Result<CertificateDer<'static>> {
        let client = Client::open_as(self.connect(), &anything(), DOMAIN)?;
        Ok(client.0.conn.peer_certificates().unwrap()[0].clone())
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().join("run/state/acme")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                assert_eq!(fs::symlink_metadata(&path).unwrap().mode() & 0o077, 0, "{path:?}");
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        found
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let run = self.folder.path().join("run");
        Command::new(HITHER).args(["kill", "--all", "--runtime-dir"]).arg(run).output().ok();
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn trusting(root: CertificateDer<'static>) -> Trust {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Trust(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Trusts any certificate: what is asked is which one there is.
#[derive(Debug)]
struct Anything;

fn anything() -> Trust {
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anything));
    Trust(builder.with_no_client_auth())
}

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

fn names(path: &[PathBuf]) -> Vec<&str> {
    path.iter().filter_map(|path| path.file_name()?.to_str()).collect()
}

#[test]
fn an_authority_issues_a_certificate_that_is_kept_and_served_again() {
    let Some(pebble) = Pebble::start(90 * 24 * 3600) else { return };
    let mut gateway = pebble.gateway(&[DOMAIN, OTHER_DOMAIN]);
    gateway.wait_for("certificate obtained");
    let trust = trusting(pebble.root());
    for domain in [DOMAIN, OTHER_DOMAIN] {
        let mut client = Client::open_as(pebble.connect(), &trust, domain).unwrap();
        let host = format!("{domain}:{}", pebble.tls_port);
        let (status, answer) = client.ask(&host, "GET", "/health", "");
        assert_eq!(status, 200, "{answer}");
        assert!(answer.contains("strict-transport-security"), "{answer}");
    }
    // Who only proves gets no proof any more, and no page either.
    let prover = trust.offering(b"acme-tls/1");
    assert!(Client::open_as(pebble.connect(), &prover, DOMAIN).is_err());
    let first = pebble.served().unwrap();
    drop(gateway);
    assert_eq!(names(&pebble.files()), ["account.json", "certificate.pem"]);
    // The next gateway needs nobody.
    let gateway = pebble.gateway(&[DOMAIN, OTHER_DOMAIN]);
    assert_eq!(pebble.served().unwrap(), first);
    drop(gateway);
    // One for another name is asked for when the settings name one, with the account that is there.
    let account = fs::read(&pebble.files()[0]).unwrap();
    let mut gateway = pebble.gateway(&[DOMAIN, "third.hither.test"]);
    gateway.wait_for("certificate obtained");
    assert_ne!(pebble.served().unwrap(), first);
    assert_eq!(fs::read(&pebble.files()[0]).unwrap(), account);
}

#[test]
fn a_certificate_is_renewed_in_time_and_no_failure_takes_it_away() {
    let Some(mut pebble) = Pebble::start(9) else { return };
    let mut gateway = pebble.gateway(&[DOMAIN]);
    gateway.wait_for("certificate obtained");
    let first = pebble.served().unwrap();
    gateway.wait_for("certificate obtained");
    // The second one was served before it was said; a third one may have come by now.
    let second = pebble.served().unwrap();
    assert_ne!(first, second);
    pebble.program.child.kill().unwrap();
    pebble.program.child.wait().unwrap();
    let line = gateway.wait_for("no new certificate");
    assert!(line.contains("again_in_s=120"), "{line}");
    let last = pebble.served().unwrap();
    drop(gateway);
    // The one that is kept has run out, and is better than none.
    let mut gateway = pebble.gateway(&[DOMAIN]);
    gateway.wait_for("no new certificate");
    assert_eq!(pebble.served().unwrap(), last);
}

#[test]
fn a_certificate_that_is_due_at_once_is_not_asked_for_again_and_again() {
    let Some(pebble) = Pebble::start(1) else { return };
    let mut gateway = pebble.gateway(&[DOMAIN]);
    let line = gateway.wait_for("due at once");
    assert!(line.contains("again_in_s=120"), "{line}");
    // It is served all the same: nothing better is there.
    assert!(pebble.served().is_ok());
}

#[test]
fn without_a_certificate_the_gateway_serves_its_own_user_and_says_why() {
    let Some(mut pebble) = Pebble::start(3600) else { return };
    // A gateway at another port than the one where the authority looks.
    pebble.tls_port += 1;
    let mut gateway = pebble.gateway(&[DOMAIN]);
    let line = gateway.wait_for("no new certificate");
    assert!(line.contains("port 443 of that name must lead to this gateway"), "{line}");
    assert!(pebble.served().is_err(), "there is no certificate to serve");
    let run = pebble.folder.path().join("run");
    let list = Command::new(HITHER).args(["ls", "--runtime-dir"]).arg(run).output().unwrap();
    assert!(list.status.success(), "{list:?}");
}

/// A folder without anything in it, for settings that are refused.
fn refused(folder: &Path, options: &[&str]) -> String {
    let output = Command::new(HITHER)
        .args(["serve", "--port", "0", "--runtime-dir"])
        .arg(folder.join("run"))
        .args(options)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    assert!(!folder.join("run").exists(), "nothing is half started");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn settings_that_no_authority_could_serve_are_refused_with_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let terms = "--acme-accept-terms";
    for (options, cure) in [
        (&["--acme-domain", DOMAIN][..], "then say --acme-accept-terms"),
        (&["--acme-contact", "ann@hither.test"], "give --acme-domain too"),
        (&[terms], "give --acme-domain too"),
        (&["--acme-domain", DOMAIN, terms, "--tls-cert", "c", "--tls-key", "k"], "one of them"),
        (&["--acme-domain", DOMAIN, terms, "--acme-ca", "/nowhere"], "name another one"),
        (&["--acme-domain", DOMAIN, terms, "--bind", "0.0.0.0", "--no-auth"], "--no-auth"),
    ] {
        let said = refused(folder.path(), options);
        assert!(said.contains(cure) && said.lines().count() == 1, "{said}");
    }
}
