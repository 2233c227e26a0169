//! A blocking client with TLS, and WebSocket frames on it.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use crate::certificates::{Authority, Pair};
use crate::gateway::Gateway;

/// Whom a client trusts, and what it offers.
#[derive(Clone)]
pub(crate) struct Trust(pub(crate) ClientConfig);

/// A connection after the handshake.
pub(crate) struct Client(pub(crate) StreamOwned<ClientConnection, TcpStream>);

impl Trust {
    pub(crate) fn of(authority: &Authority) -> Self {
        Self::with(authority, &[&rustls::version::TLS13, &rustls::version::TLS12], None)
    }

    pub(crate) fn with(
        authority: &Authority,
        versions: &[&'static SupportedProtocolVersion],
        own: Option<&Pair>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        Self(match own {
            Some(pair) => {
                let chain = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![chain], key).unwrap()
            }
            None => builder.with_no_client_auth(),
        })
    }

    pub(crate) fn offering(mut self, protocol: &[u8]) -> Self {
        self.0.alpn_protocols = vec![protocol.to_vec()];
        self
    }
}

impl Client {
    /// Completes the handshake as `localhost`.
    pub(crate) fn open(tcp: TcpStream, trust: &Trust) -> io::Result<Self> {
        Self::open_as(tcp, trust, "localhost")
    }

    pub(crate) fn open_as(mut tcp: TcpStream, trust: &Trust, name: &str) -> io::Result<Self> {
        let name = name.to_owned().try_into().unwrap();
        let mut tls = ClientConnection::new(Arc::new(trust.0.clone()), name).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(Self(StreamOwned::new(tls, tcp)))
    }

    /// Sends a request that is the last one, and reads the whole answer.
    pub(crate) fn ask(
        &mut self,
        host: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> (u16, String) {
        self.ask_with(host, method, path, "", body)
    }

    /// The same with more header lines, each ended by CR LF.
    pub(crate) fn ask_with(
        &mut self,
        host: &str,
        method: &str,
        path: &str,
        lines: &str,
        body: &str,
    ) -> (u16, String) {
        self.try_ask(host, method, path, lines, body).unwrap()
    }

    /// The same where the connection may end before the answer.
    pub(crate) fn try_ask(
        &mut self,
        host: &str,
        method: &str,
        path: &str,
        lines: &str,
        body: &str,
    ) -> io::Result<(u16, String)> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        self.0.read_to_end(&mut answer)?;
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok((status.unwrap_or(0), answer))
    }

    /// Attaches to a session by a target of `/ws`, with more header lines.
    pub(crate) fn attach(gateway: &Gateway, target: &str, lines: &str) -> Self {
        gateway.client().attached(gateway, target, lines)
    }

    /// The same on a connection that is there.
    pub(crate) fn attached(mut self, gateway: &Gateway, target: &str, lines: &str) -> Self {
        let client = &mut self;
        let request = format!(
            "GET {target} HTTP/1.1\r\nhost: {}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n",
            gateway.host()
        );
        client.0.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.byte());
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        self
    }

    /// Sends one masked frame; the mask is zero.
    pub(crate) fn send(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match u8::try_from(payload.len()) {
            Ok(len @ ..=125) => frame.push(0x80 | len),
            _ => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.0.write_all(&frame).unwrap();
    }

    /// The next frame of the gateway: first byte and payload.
    pub(crate) fn frame(&mut self) -> (u8, Vec<u8>) {
        let first = self.byte();
        let len = match self.byte() {
            126 => u64::from(u16::from_be_bytes([self.byte(), self.byte()])),
            127 => u64::from_be_bytes(std::array::from_fn(|_| self.byte())),
            len => u64::from(len),
        };
        let mut payload = vec![0; usize::try_from(len).unwrap()];
        self.0.read_exact(&mut payload).unwrap();
        (first, payload)
    }

    /// Payloads of output up to `len` bytes; pings are answered.
    pub(crate) fn output(&mut self, len: usize) -> Vec<u8> {
        let mut output = Vec::new();
        while output.len() < len {
            match self.frame() {
                (0x82, payload) => output.extend(payload),
                (0x89, payload) => self.send(0x8a, &payload),
                (first, payload) => {
                    panic!("{first:#x} {payload:02x?} after {} bytes", output.len())
                }
            }
        }
        output
    }

    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.0.read_exact(&mut byte).unwrap();
        byte[0]
    }
}
