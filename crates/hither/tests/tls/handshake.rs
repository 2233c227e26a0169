//! Row H08 of the security catalogue: versions, protocols, names, and what is no TLS at all.

use std::io::Read as _;

use rustls::version::{TLS12, TLS13};

use crate::client::{Client, Trust};
use crate::gateway::Gateway;

/// Alerts (RFC 8446, section 6): level fatal, and what it is.
const PROTOCOL_VERSION: [u8; 2] = [2, 70];
const NO_APPLICATION_PROTOCOL: u8 = 120;

#[test]
fn both_safe_versions_are_spoken() {
    let gateway = Gateway::start();
    for version in [&TLS12, &TLS13] {
        let trust = Trust::with(&gateway.authority, &[version], None);
        let mut client = Client::open(gateway.connect(), &trust).unwrap();
        assert_eq!(client.0.conn.protocol_version(), Some(version.version));
        assert_eq!(client.ask(&gateway.host(), "GET", "/health", "").0, 200);
    }
}

#[test]
fn older_versions_are_refused_with_an_alert() {
    let gateway = Gateway::start();
    for version in [[3, 0], [3, 1], [3, 2]] {
        let answer = gateway.say_raw(&client_hello(version, b"localhost"));
        assert_eq!(answer.first(), Some(&21), "an alert: {answer:02x?}");
        assert_eq!(answer.get(5..7), Some(&PROTOCOL_VERSION[..]), "{version:?} {answer:02x?}");
    }
    assert!(gateway.is_well());
}

#[test]
fn a_client_that_wants_another_protocol_is_told_so() {
    let gateway = Gateway::start();
    let trust = Trust::of(&gateway.authority).offering(b"spdy/3");
    let refused = Client::open(gateway.connect(), &trust).err().unwrap();
    assert!(refused.to_string().contains("NoApplicationProtocol"), "{refused}");
    assert_eq!(NO_APPLICATION_PROTOCOL, u8::from(rustls::AlertDescription::NoApplicationProtocol));
    for (protocol, chosen) in [(&b"http/1.1"[..], &b"http/1.1"[..]), (b"h2", b"h2")] {
        let trust = Trust::of(&gateway.authority).offering(protocol);
        let client = Client::open(gateway.connect(), &trust).unwrap();
        assert_eq!(client.0.conn.alpn_protocol(), Some(chosen));
    }
}

#[test]
fn a_name_in_the_handshake_opens_nothing() {
    let gateway = Gateway::start();
    // The certificate is the same for every name, so that a client finds out itself.
    let trust = Trust::of(&gateway.authority);
    let refused = Client::open_as(gateway.connect(), &trust, "evil.test").err().unwrap();
    assert!(refused.to_string().contains("not valid for name"), "{refused}");
    // What counts is the host of the request.
    assert_eq!(gateway.client().ask("evil.test", "GET", "/health", "").0, 421);
    let long = vec![b'a'; 2000];
    for junk in [&b""[..], b"\0", b"\xff\xfe", b"a b", b"..", b"-", b"*.*", &long] {
        let answer = gateway.say_raw(&client_hello([3, 3], junk));
        // An alert, or the hello that everybody gets.
        assert!(matches!(answer.first(), Some(21 | 22)), "{junk:02x?} {answer:02x?}");
    }
    assert!(gateway.is_well());
}

#[test]
fn what_is_no_tls_gets_no_answer() {
    let gateway = Gateway::start();
    for bytes in [
        &b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"[..],
        b"SSH-2.0-x\r\n",
        &[0; 100],
        &[0xff; 5000],
        &[22, 3, 1, 0xff, 0xff],
        &[21, 3, 3, 0, 2, 2, 40],
    ] {
        let mut answer = gateway.say_raw(bytes);
        answer.truncate(16);
        assert!(matches!(answer.first(), None | Some(21)), "{answer:02x?}");
    }
    assert!(gateway.is_well());
}

#[test]
fn renegotiation_is_refused() {
    let gateway = Gateway::start();
    let trust = Trust::with(&gateway.authority, &[&TLS12], None);
    let client = Client::open(gateway.connect(), &trust).unwrap();
    let mut tcp = client.0.sock;
    // A new hello where sealed records are expected (CVE-2009-3555 needs it to be taken).
    std::io::Write::write_all(&mut tcp, &client_hello([3, 3], b"localhost")).unwrap();
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).ok();
    let hello = answer.windows(3).any(|window| window == [22, 3, 3]);
    assert!(!hello, "no second hello is answered: {answer:02x?}");
    assert!(gateway.is_well());
}

/// One suite of TLS 1.2 that is spoken and one that nobody should, behind their length.
const CIPHER_SUITES: [u8; 6] = [0, 4, 0xc0, 0x2b, 0, 0x2f];
/// Groups (x25519) and signature algorithms (ecdsa_secp256r1_sha256), without which no client is
/// understood.
const EXTENSIONS: [u8; 16] = [0, 10, 0, 4, 0, 2, 0, 29, 0, 13, 0, 4, 0, 2, 4, 3];

/// A ClientHello of TLS 1.2 or older that names a server (RFC 5246, section 7.4.1.2).
fn client_hello(version: [u8; 2], name: &[u8]) -> Vec<u8> {
    let u16_of = |len: usize| u16::try_from(len).unwrap().to_be_bytes();
    let entry = [&[0][..], &u16_of(name.len()), name].concat();
    let list = [&u16_of(entry.len())[..], &entry].concat();
    let extension = [&[0, 0][..], &u16_of(list.len()), &list].concat();
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(CIPHER_SUITES);
    body.extend([1, 0]);
    body.extend(u16_of(extension.len() + EXTENSIONS.len()));
    body.extend(&extension);
    body.extend(EXTENSIONS);
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    let handshake = [&[1][..], &len[1..], &body].concat();
    [&[22, 3, 1][..], &u16_of(handshake.len()), &handshake].concat()
}
