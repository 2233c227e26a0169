//! Signatures of ID tokens, verified by *ring*, which does the same for TLS.
//!
//! Nothing here knows a shared secret: a token that is "signed" with one is refused, so that a
//! public key can never be taken for it.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature as ring;

/// What jsonwebtoken calculates with.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Has jsonwebtoken use it, for the life of the process.
pub(super) fn install() {
    // Whoever was first has installed the same.
    if PROVIDER.install_default().is_err() {
        tracing::trace!("signatures are verified already");
    }
}

/// A public key, for one algorithm.
struct PublicKey {
    algorithm: Algorithm,
    key: Key,
}

enum Key {
    Rsa(&'static ring::RsaParameters, ring::RsaPublicKeyComponents<Vec<u8>>),
    Other(ring::UnparsedPublicKey<Vec<u8>>),
}

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    let key = match (rules(&RSA, algorithm), rules(&CURVES, algorithm), key.kind()) {
        (Some(rules), _, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            Key::Rsa(rules, ring::RsaPublicKeyComponents { n: n.clone(), e: e.clone() })
        }
        (_, Some(rules), DecodingKeyKind::SecretOrDer(bytes)) => {
            Key::Other(ring::UnparsedPublicKey::new(rules, bytes.clone()))
        }
        _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
    };
    Ok(Box::new(PublicKey { algorithm, key }))
}

/// The rules of RSA signatures.
const RSA: [(Algorithm, &ring::RsaParameters); 6] = [
    (Algorithm::RS256, &ring::RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RS384, &ring::RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::RS512, &ring::RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::PS256, &ring::RSA_PSS_2048_8192_SHA256),
    (Algorithm::PS384, &ring::RSA_PSS_2048_8192_SHA384),
    (Algorithm::PS512, &ring::RSA_PSS_2048_8192_SHA512),
];

/// Those of signatures on curves.
const CURVES: [(Algorithm, &dyn ring::VerificationAlgorithm); 3] = [
    (Algorithm::ES256, &ring::ECDSA_P256_SHA256_FIXED),
    (Algorithm::ES384, &ring::ECDSA_P384_SHA384_FIXED),
    (Algorithm::EdDSA, &ring::ED25519),
];

fn rules<R: Copy>(table: &[(Algorithm, R)], algorithm: Algorithm) -> Option<R> {
    table.iter().find(|(known, _)| *known == algorithm).map(|(_, rules)| *rules)
}

impl Verifier<Vec<u8>> for PublicKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match &self.key {
            Key::Rsa(rules, key) => key.verify(rules, message, signature),
            Key::Other(key) => key.verify(message, signature),
        };
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for PublicKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::crypto::verify;

    use super::*;

    // Made by another library, OpenSSL's, of the text "header.payload".
    const MODULUS: &str = "lcllqUZAIjPo6jKTLyuyxOHuQ3K-rHLHNJx8DW637ugVSycI95Y9YmPgHMwWIFkA8Epn7fSSEuopa4lH\
         v1HEEmNpDNEl1qsVXabnAf86q0SWXNQ4bqULf0uzQt22f_oDfg3gZYqKTQx8tr2iRh_uNeO8QXtvyze1\
         Ij7i4RrW9J2bgWJeA3nu1-Uk1HPoahCFWIGuY27k3yrlhOmrt8S1GSMheYH-HnJqyzVc6SrB0ktIe5pf\
         TpB1M13Dwd_Y1l5-KkJZRyzCJwgNctl4mPZXM6FCGz2g_Y3NJdgfU-wQGDvSjnFFLNgDf7E0T849zyxx\
         VKpYPmDxBLo9-J9RNCMHGQ";
    const RS256: &str = "S9TE3dfZbuN6tHl4LK9kXwN05UShvEb6Zubv-kYcv5Pq_NQQr6pLrapYbp0sL7m9jy0Nbl9_DXF_ef2z\
         hbq4abW-h4Lc0lkPgDtOCXJY0TtKqfYbfbss-741Dqa7PIBtegvcMWqx0JDfXudPNYb6qnaSm0UgciXB\
         uxj3nvCo1TvtQ5hvzETSw5cXJNCrp1czhYKrOZBy6w2yKaoCHytpGoB8kuDnPP_jIfk7NCLIfj4qwY1L\
         rxSPYe_ABNIooNY24zidW4EvoCe7V1eKjhrGu_Mjn4QZurfi0i8XxJKSY8PxdcnIWe0_XhUmM55jaG-1\
         55xTsxd8TwLAae52jSlHlA";
    const PS384: &str = "a7VTOUNS95jolgfaGoMXygSlly5JT31QznxEn2T3vb_x3Ps5S7Y1qECHuAXBuBPLNk7XNySHQqXbEOd5\
         IPjuHQeay-i5O7iKAna1LrYuk9T1mQyoINqF1dM90qsfhOd9Q-r68uXhof5KLgjhTJNIvaEQ2b6vy6_x\
         BAfHGDZSmC-JFgvn-BFWhO5wGc11qXrE7uQe-PVRNTwfi6FNFv5s_j01Xkr1lBLfY-RcuETS9XQdXiLX\
         rN8py4p2pBfzNxl5nkydRD_N_hFGs8bF_etfEPKqPEc8lj7JtX_a4FpgfSMMVTyXccnQPGB4taH7pEX5\
         skJN2dwIGIPqaXnM8bCsng";
    const ES256: [&str; 3] = [
        "0x5ub_WxaE_U-WYIgkxm7PXOYv1xVfcljEY8-JQ8z48",
        "3V_KtqbkNCtfQWobTWBOznur9baNwXG3uamYNqEFFNQ",
        "p3E5LvKZjYG_OwySltOK7mvpR6yV6GQjSH9T8q265QKXP_8yELD6ENn_ECGExhDSJAp4DnRgR9JExuD6bPe42A",
    ];
    const ES384: [&str; 3] = [
        "ewdgAlbf2upYPhx15101f0B19yE3P9p9VrB7yPgRcmUylbGVKU32LM9K-R5_rXku",
        "a-2oOZzg_TNGM-PJLv_KdfqXDUxhPnzkOOncYtxJRr7sYR4ooojcmSInLky9WMQ5",
        "GZqEV6ThLph6UQakbEegyFz4sV4zjumDmZ4ohBT-SExFkYUZsQY7ElztJepN9266kuiKafsTS28XvBsL\
         xWuxczLGg5zQZXiB4rh05jgt119yyeW3eUTKTWOGjkqHeUYQ",
    ];
    const ED: [&str; 2] = [
        "H6xhect9Pc12pwxbBoptJdjWypde314rKyhQtEjxFrM",
        "b8MKTnT439k5e0QVyT6wbQo7A3FoGRPnyGnIxA6214_nJq7uhzBnyBJpmu2zqq-nu4sg7PJOg-nFjyAbcwvXBQ",
    ];

    fn check(algorithm: Algorithm, key: &DecodingKey, signature: &str) {
        install();
        let is_good = |message: &[u8], signature: &str| {
            verify(signature, message, key, algorithm).unwrap_or(false)
        };
        assert!(is_good(b"header.payload", signature), "{algorithm:?}");
        assert!(!is_good(b"header.payloae", signature), "{algorithm:?}");
        let turned = if signature.starts_with('A') { "B" } else { "A" };
        assert!(!is_good(b"header.payload", &format!("{turned}{}", &signature[1..])));
        assert!(!is_good(b"header.payload", ""));
    }

    #[test]
    fn a20_signatures_of_another_library_are_understood() {
        let rsa = DecodingKey::from_rsa_components(MODULUS, "AQAB").unwrap();
        check(Algorithm::RS256, &rsa, RS256);
        check(Algorithm::PS384, &rsa, PS384);
        let ec = |[x, y, _]: [&str; 3]| DecodingKey::from_ec_components(x, y).unwrap();
        check(Algorithm::ES256, &ec(ES256), ES256[2]);
        check(Algorithm::ES384, &ec(ES384), ES384[2]);
        check(Algorithm::EdDSA, &DecodingKey::from_ed_components(ED[0]).unwrap(), ED[1]);
    }

    #[test]
    fn a20_no_shared_secret_and_no_key_of_another_kind_verifies() {
        install();
        let rsa = DecodingKey::from_rsa_components(MODULUS, "AQAB").unwrap();
        let secret = DecodingKey::from_secret(MODULUS.as_bytes());
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            assert!(verifier(algorithm, &rsa).is_err(), "{algorithm:?}");
            assert!(verifier(algorithm, &secret).is_err(), "{algorithm:?}");
        }
        for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
            assert!(verifier(algorithm, &rsa).is_err(), "{algorithm:?}");
        }
        assert!(verifier(Algorithm::RS256, &secret).is_err());
    }
}
