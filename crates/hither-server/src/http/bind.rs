//! Which addresses the server may listen on.

use std::net::IpAddr;

/// What `--no-auth` means, to be said when it is used.
pub const NO_AUTH_MEANING: &str = "authentication is off: every program and every user on this \
     machine can open sessions as you; pages of other web sites are still refused";

/// What keeps strangers from reading along on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Nothing.
    None,
    /// TLS of the server itself.
    Tls,
    /// A proxy that ends TLS; whoever does not come through it is sent away.
    Proxy,
    /// Nothing, and somebody has said in as many words that this is wanted.
    Waived,
}

/// An address that would let the network in, and the cure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindRefused {
    /// Credentials and keys would cross the network in the clear.
    #[error(
        "listening on {0} would show your shell to the network without encryption; give --tls-cert \
         and --tls-key, or --behind-proxy with the address of a proxy that ends TLS, or listen on \
         127.0.0.1 and reach it from elsewhere with `ssh -L 7681:localhost:7681 THIS-MACHINE`"
    )]
    Plaintext(IpAddr),
    /// Nobody would be asked for a credential.
    #[error(
        "listening on {0} without authentication would give your shell to everybody on the \
         network; leave out --no-auth, or listen on 127.0.0.1"
    )]
    NoAuthentication(IpAddr),
}

/// Lets loopback addresses pass, and others where credentials are asked for and protected.
///
/// # Errors
/// For every other address; the text is a sentence with the cure.
pub fn check_bind(
    address: IpAddr,
    protection: Protection,
    asks_credentials: bool,
) -> Result<(), BindRefused> {
    if address.to_canonical().is_loopback() {
        return Ok(());
    }
    match protection {
        _ if !asks_credentials => Err(BindRefused::NoAuthentication(address)),
        Protection::None => Err(BindRefused::Plaintext(address)),
        Protection::Tls | Protection::Proxy | Protection::Waived => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_passes_unprotected() {
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
            assert!(check_bind(address, Protection::Tls, true).is_ok());
            let plain = check_bind(address, Protection::None, true);
            assert_eq!(plain.is_ok(), passes, "{address}");
            for protection in [Protection::Tls, Protection::Proxy, Protection::Waived] {
                let open = check_bind(address, protection, false);
                assert_eq!(open.is_ok(), passes, "{address}");
            }
        }
    }

    #[test]
    fn the_refusal_names_the_cure() {
        let address = "0.0.0.0".parse().unwrap();
        let plain = check_bind(address, Protection::None, true).unwrap_err().to_string();
        for part in ["0.0.0.0", "--tls-cert", "--behind-proxy", "listen on 127.0.0.1", "ssh -L"] {
            assert!(plain.contains(part), "{plain}");
        }
        let open = check_bind(address, Protection::Tls, false).unwrap_err().to_string();
        assert!(open.contains("0.0.0.0") && open.contains("--no-auth"), "{open}");
    }
}
