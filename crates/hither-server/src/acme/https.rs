//! HTTPS to the authority.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use http::Request;
use http::uri::Scheme;
use http_body_util::Full;
use hyper::body::Bytes;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};

use crate::tls::{TlsError, trusted};
use crate::web::{Web, WebError};

/// Time for one answer: authorities look into many things before they give one.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// A client that speaks nothing but TLS.
pub(super) struct Https(Web);

impl Https {
    /// A client that trusts the authorities in a file, or the system's.
    pub(super) fn open(authorities: Option<&Path>) -> Result<Self, TlsError> {
        let roots = trusted(authorities)?;
        if roots.is_empty() {
            return Err(TlsError::NobodyTrusted);
        }
        Ok(Self(Web::new(roots, ANSWER_DEADLINE)))
    }
}

impl HttpClient for Https {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let web = self.0.clone();
        Box::pin(async move {
            let other = |error: WebError| Error::Other(Box::new(error));
            if request.uri().scheme() != Some(&Scheme::HTTPS) {
                return Err(other(WebError::Address));
            }
            let answer = web.send(request).await.map_err(other)?;
            Ok(BytesResponse::from(answer.map(Full::new)))
        })
    }
}
