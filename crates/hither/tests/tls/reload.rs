//! A certificate that is replaced while the gateway serves.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::certificates::{Authority, replace};
use crate::client::{Client, Trust};
use crate::gateway::Gateway;

fn served(client: &Client) -> CertificateDer<'static> {
    client.0.conn.peer_certificates().unwrap()[0].clone()
}

/// Connects until this certificate is served. Every connection on the way must succeed.
fn wait_for(gateway: &Gateway, certificate: &str) {
    let wanted = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    loop {
        let mut client = gateway.client();
        assert_eq!(client.ask(&gateway.host(), "GET", "/health", "").0, 200);
        if served(&client) == wanted {
            return;
        }
    }
}

#[test]
fn a_new_certificate_is_served_and_no_connection_is_dropped() {
    let gateway = Gateway::start();
    let id = gateway.session("stty raw -echo; printf ready; exec cat");
    let mut viewer = Client::attach(&gateway, &format!("/ws?sessionId={id}"), "");
    assert_eq!(viewer.output(5), b"ready");
    for round in 0..2 {
        let pair = gateway.authority.server();
        pair.install(gateway.folder());
        wait_for(&gateway, &pair.certificate);
        viewer.send(0x82, b"key");
        assert_eq!(viewer.output(3), b"key", "round {round}");
    }
}

#[test]
fn files_that_cannot_be_used_change_nothing() {
    let gateway = Gateway::start();
    let before = served(&gateway.client());
    let other = Authority::new("another authority").server();
    // Half a renewal: a certificate that does not belong to the key.
    replace(&gateway.folder().join("cert.pem"), &other.certificate);
    let good = gateway.authority.server();
    let mut loads = 0;
    while loads < 200 {
        assert_eq!(served(&gateway.client()), before);
        loads += 1;
    }
    good.install(gateway.folder());
    wait_for(&gateway, &good.certificate);
    let trust = Trust::of(&gateway.authority);
    assert!(Client::open(gateway.connect(), &trust).is_ok());
}
