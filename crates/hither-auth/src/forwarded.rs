//! What a proxy says about the client behind it, which counts only if the proxy is trusted.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::origin::Scheme;

/// Most addresses of a chain of proxies that are looked at.
pub const HOPS_MAX: usize = 32;

/// The proxies whose word counts.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

/// A text that is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an address or a network, as in 10.0.0.7 or 10.0.0.0/8")]
pub struct InvalidNetwork;

/// Reads an address, or a network with the length of its prefix.
///
/// # Errors
/// When it is neither, or when bits are set behind the prefix: such a text means two things.
pub fn parse_network(text: &str) -> Result<IpNet, InvalidNetwork> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_canonical().into());
    }
    let network: IpNet = text.parse().map_err(|_| InvalidNetwork)?;
    if network.trunc() == network { Ok(network) } else { Err(InvalidNetwork) }
}

impl Proxies {
    /// These, and no other.
    #[must_use]
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether the peer at this address is one of them.
    #[must_use]
    pub fn trust(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }

    /// The address of the client: that of the peer; or, if that is a trusted proxy, the rightmost
    /// one of its `X-Forwarded-For` headers that is not. What is left of it anybody can write.
    #[must_use]
    pub fn client<'a>(&self, peer: IpAddr, headers: impl Iterator<Item = &'a str>) -> IpAddr {
        let mut client = peer.to_canonical();
        let values: Vec<&str> = headers.flat_map(|value| value.split(',')).collect();
        for value in values.iter().rev().take(HOPS_MAX) {
            if !self.trust(client) {
                break;
            }
            match parse_hop(value.trim()) {
                Some(address) => client = address.to_canonical(),
                None => break,
            }
        }
        client
    }
}

/// An address, with or without a port.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = bracketed.unwrap_or(text).parse().ok();
    address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

/// The last word of `X-Forwarded-Proto` or `X-Forwarded-Host` headers, which is that of the proxy
/// itself; what is in front of it may come from anybody.
#[must_use]
pub fn last_word<'a>(headers: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = headers.last()?.rsplit(',').next()?.trim();
    (!word.is_empty()).then_some(word)
}

/// A scheme as proxies write it.
#[must_use]
pub fn parse_scheme(text: &str) -> Option<Scheme> {
    match text {
        "http" => Some(Scheme::Http),
        "https" => Some(Scheme::Https),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn proxies() -> Proxies {
        let networks = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"];
        Proxies::new(networks.map(|text| parse_network(text).unwrap()).to_vec())
    }

    #[test]
    fn networks_are_exact() {
        for good in ["10.0.0.0/8", "0.0.0.0/0", "192.0.2.7", "192.0.2.7/32", "::1", "fe80::/10"] {
            assert!(parse_network(good).is_ok(), "{good}");
        }
        for bad in ["", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10/8", "box", "*", "::/129"] {
            assert_eq!(parse_network(bad), Err(InvalidNetwork), "{bad}");
        }
    }

    #[test]
    fn the_rightmost_untrusted_address_is_the_client() {
        for (peer, headers, expect) in [
            // A stranger's headers say nothing.
            ("192.0.2.9", &["1.1.1.1"][..], "192.0.2.9"),
            ("10.1.1.1", &[], "10.1.1.1"),
            ("10.1.1.1", &["192.0.2.1"], "192.0.2.1"),
            ("::ffff:10.1.1.1", &["192.0.2.1"], "192.0.2.1"),
            // What the client itself has written stands on the left.
            ("10.1.1.1", &["127.0.0.1, 8.8.8.8, 192.0.2.1"], "192.0.2.1"),
            ("10.1.1.1", &["8.8.8.8", "192.0.2.1, 10.2.2.2"], "192.0.2.1"),
            ("2001:db8::1", &["[2001:db9::5]:4711"], "2001:db9::5"),
            ("10.1.1.1", &["192.0.2.1:4711"], "192.0.2.1"),
            ("10.1.1.1", &["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            // Behind what cannot be read, nobody is believed.
            ("10.1.1.1", &["8.8.8.8, unknown, 10.2.2.2"], "10.2.2.2"),
            ("10.1.1.1", &["8.8.8.8,"], "10.1.1.1"),
            ("10.1.1.1", &["evil"], "10.1.1.1"),
        ] {
            let client = proxies().client(peer.parse().unwrap(), headers.iter().copied());
            assert_eq!(client, expect.parse::<IpAddr>().unwrap(), "{peer} {headers:?}");
        }
    }

    #[test]
    fn no_more_hops_than_the_limit() {
        let chain = ["8.8.8.8"].into_iter().chain(std::iter::repeat_n("10.0.0.1", HOPS_MAX));
        let header = chain.collect::<Vec<_>>().join(",");
        let client = proxies().client("10.1.1.1".parse().unwrap(), [&*header].into_iter());
        assert_eq!(client, "10.0.0.1".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn the_proxy_has_the_last_word() {
        for (headers, expect) in [
            (&[][..], None),
            (&["https"][..], Some("https")),
            (&["http", "https"], Some("https")),
            (&["http, https "], Some("https")),
            (&["https,"], None),
        ] {
            assert_eq!(last_word(headers.iter().copied()), expect, "{headers:?}");
        }
    }

    proptest! {
        #[test]
        fn a_client_is_never_invented(header in "[0-9a-f.:,\\[\\] ]{0,80}") {
            let peer: IpAddr = "10.1.1.1".parse().unwrap();
            let client = proxies().client(peer, [&*header].into_iter());
            let named = header.split(',').filter_map(|hop| parse_hop(hop.trim()));
            prop_assert!(client == peer || named.map(|hop| hop.to_canonical()).any(|hop| hop == client));
        }
    }
}
