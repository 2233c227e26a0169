//! Where strangers come from, as far as limits are concerned.

use std::net::{IpAddr, Ipv6Addr};

/// A network address that shares one limit: an IPv4 address, or a /64 of IPv6, which is what one
/// customer is given (RFC 6177).
///
/// There is none for this machine itself: its programs are the owner's, or could do worse, and a
/// page of another site that sends the owner's browser here must not lock the owner out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(IpAddr);

impl Source {
    /// The source of an address; `None` for loopback addresses.
    #[must_use]
    pub fn of(address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return None;
        }
        Some(Self(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Option<Source> {
        Source::of(address.parse().unwrap())
    }

    #[test]
    fn this_machine_is_no_source() {
        for address in ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(source(address), None, "{address}");
        }
    }

    #[test]
    fn addresses_of_one_network_are_one_source() {
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            assert_eq!(source(one) == source(other), same, "{one} {other}");
            assert!(source(one).is_some());
        }
    }
}
