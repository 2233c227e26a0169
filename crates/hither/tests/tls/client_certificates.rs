//! Row A21 of the security catalogue: certificates of clients.

use std::io::{Read as _, Write as _};

use rcgen::{
    CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose, KeyIdMethod,
    RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use rustls::version::{TLS12, TLS13};

use crate::certificates::{Authority, Pair, replace};
use crate::client::{Client, Trust};
use crate::gateway::Gateway;

const ANN: &str = "spiffe://example.org/ann";
const REVOKED: u64 = 13;

/// What a good certificate of a client says.
fn params(uri: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names.push(SanType::URI(uri.try_into().unwrap()));
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    params.serial_number = Some(SerialNumber::from(7_u64));
    params
}

/// A gateway that takes certificates of this authority.
fn start(clients: &Authority) -> Gateway {
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from(REVOKED),
        revocation_time: date_time_ymd(2026, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2126, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&clients.0).unwrap().pem().unwrap();
    let options = [
        ["--tls-client-ca", "clients.pem"],
        ["--tls-client-crl", "revoked.pem"],
        ["--tls-client-user", &format!("{ANN}=ann")],
    ];
    Gateway::with(options.as_flattened(), |folder| {
        replace(&folder.join("clients.pem"), &clients.pem());
        replace(&folder.join("revoked.pem"), &list);
    })
}

/// Asks for the sessions with a certificate: the answer, or nothing when the handshake fails.
fn ask(gateway: &Gateway, own: Option<&Pair>, lines: &str) -> Option<String> {
    let trust = Trust::with(&gateway.authority, &[&TLS13, &TLS12], own);
    let mut client = Client::open(gateway.connect(), &trust).ok()?;
    let request = format!(
        "GET /api/sessions HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{lines}\r\n",
        gateway.host()
    );
    // In TLS 1.3 the client is done before the server has looked at its certificate.
    client.0.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    client.0.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn certificates_that_are_not_good_do_not_get_through_the_handshake() {
    let clients = Authority::new("the clients' authority");
    let gateway = start(&clients);
    let mut expired = params(ANN);
    expired.not_after = date_time_ymd(2026, 1, 2);
    let mut early = params(ANN);
    early.not_before = date_time_ymd(2100, 1, 1);
    let mut for_servers = params(ANN);
    for_servers.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut revoked = params(ANN);
    revoked.serial_number = Some(SerialNumber::from(REVOKED));
    for (what, pair) in [
        ("of another authority", Authority::new("the clients' authority").sign(params(ANN))),
        ("expired", clients.sign(expired)),
        ("not yet valid", clients.sign(early)),
        ("of a server", clients.sign(for_servers)),
        ("revoked", clients.sign(revoked)),
    ] {
        assert_eq!(ask(&gateway, Some(&pair), ""), None, "{what}");
    }
    assert!(gateway.is_well());
}

#[test]
fn a_certificate_stands_for_the_user_of_its_uri_and_for_nobody_else() {
    let clients = Authority::new("the clients' authority");
    let gateway = start(&clients);
    let code = |own: Option<&Pair>| {
        let answer = ask(&gateway, own, "").unwrap();
        let json = answer.split_once("\r\n\r\n").unwrap().1;
        let problem: serde_json::Value = serde_json::from_str(json).unwrap();
        problem["code"].as_str().unwrap().to_owned()
    };
    // Nobody of that name is known to the gateway, which is another answer than none at all.
    assert_eq!(code(Some(&clients.sign(params(ANN)))), "credentials_refused");
    assert_eq!(code(Some(&clients.sign(params("spiffe://example.org/ann2")))), "unauthenticated");
    assert_eq!(code(None), "unauthenticated");
    // Other ways in stay open.
    let bearer = format!("authorization: Bearer {}\r\n", gateway.token());
    assert!(ask(&gateway, None, &bearer).unwrap().starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_known_user_comes_in_by_certificate_and_goes_out_with_the_account() {
    let clients = Authority::new("the clients' authority");
    let gateway = start(&clients);
    gateway.hither(&["user", "add", "ann", "--password-stdin"], b"correct horse\n");
    let pair = clients.sign(params(ANN));
    for versions in [&TLS13, &TLS12] {
        let trust = Trust::with(&gateway.authority, &[versions], Some(&pair));
        let mut client = Client::open(gateway.connect(), &trust).unwrap();
        let host = gateway.host();
        let (status, answer) = client.ask(&host, "GET", "/api/auth/current-user", "");
        assert_eq!(status, 200, "{answer}");
        assert!(answer.contains(r#""userId":"ann""#), "{answer}");
        assert!(answer.contains(r#""via":"certificate""#), "{answer}");
    }
    // The certificate does not make a page of another site ann's.
    let foreign = "sec-fetch-site: cross-site\r\n";
    assert!(ask(&gateway, Some(&pair), foreign).unwrap().starts_with("HTTP/1.1 403 "));
    let other = clients.sign(params("spiffe://example.org/bob"));
    assert!(ask(&gateway, Some(&other), "").unwrap().starts_with("HTTP/1.1 401 "));
    gateway.hither(&["user", "remove", "ann"], b"");
    assert!(ask(&gateway, Some(&pair), "").unwrap().starts_with("HTTP/1.1 401 "));
}
