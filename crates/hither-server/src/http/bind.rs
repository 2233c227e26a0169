//! Which addresses the server may listen on.

use std::net::IpAddr;

/// What `--no-auth` means, to be said when it is used.
pub const NO_AUTH_MEANING: &str = "authentication is off: every program and every user on this \
     machine can open sessions as you; pages of other web sites are still refused";

/// An address that would let the network in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "listening on {address} would show your shell to the network without encryption; listen on \
     127.0.0.1 and reach it from elsewhere with `ssh -L 7681:localhost:7681 THIS-MACHINE`"
)]
pub struct BindRefused {
    /// The address.
    pub address: IpAddr,
}

/// Lets only loopback addresses pass: without TLS, credentials and keys would cross the network
/// in the clear, so there is no setting that allows more.
///
/// # Errors
/// When the address is not a loopback one; the text is a sentence with the cure.
pub fn check_bind(address: IpAddr) -> Result<(), BindRefused> {
    if address.to_canonical().is_loopback() { Ok(()) } else { Err(BindRefused { address }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_passes() {
        for (address, passes) in [
            ("127.0.0.1", true),
            ("127.8.9.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("0.0.0.0", false),
            ("::", false),
            ("::ffff:0.0.0.0", false),
            ("192.168.1.2", false),
            ("10.0.0.1", false),
            ("8.8.8.8", false),
            ("fe80::1", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(check_bind(address).is_ok(), passes, "{address}");
        }
    }

    #[test]
    fn the_refusal_names_the_cure() {
        let text = check_bind("0.0.0.0".parse().unwrap()).unwrap_err().to_string();
        for part in ["0.0.0.0", "listen on 127.0.0.1", "ssh -L"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
