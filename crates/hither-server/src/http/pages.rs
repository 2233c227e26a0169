//! The web page and its files.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::RawPathParams;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

use super::problem::Problem;
use super::session_routes::IdInPath;
use crate::assets::{self, Asset, Freshness};

/// `GET /`: the start page.
pub(crate) async fn start(headers: HeaderMap) -> Response {
    serve("index.html", &headers)
}

/// `GET /s/{id}`: the page of a session, which finds out itself whether there is one.
pub(crate) async fn session(_: IdInPath, headers: HeaderMap) -> Response {
    match find("s/index.html", &headers) {
        Some(asset) => answer(asset, &headers),
        None => serve("index.html", &headers),
    }
}

/// `GET /assets/{*path}`: scripts, styles and fonts, named by their content.
pub(crate) async fn asset(params: RawPathParams, headers: HeaderMap) -> Response {
    let path = params.iter().find(|(name, _)| *name == "path");
    let path = path.map_or("", |(_, value)| value);
    serve(&format!("assets/{path}"), &headers)
}

/// `GET /favicon.ico` and the like.
pub(crate) async fn root_file(uri: Uri, headers: HeaderMap) -> Response {
    serve(uri.path().trim_start_matches('/'), &headers)
}

fn serve(path: &str, headers: &HeaderMap) -> Response {
    find(path, headers)
        .map_or_else(|| Problem::not_found().into_response(), |asset| answer(asset, headers))
}

fn find(path: &str, headers: &HeaderMap) -> Option<Asset> {
    assets::find(path, text(headers.get(ACCEPT_ENCODING)))
}

fn answer(asset: Asset, headers: &HeaderMap) -> Response {
    let cache = match asset.freshness {
        Freshness::Immutable => "public, max-age=31536000, immutable",
        Freshness::Revalidate => "no-cache",
    };
    let common = [(CACHE_CONTROL, cache), (ETAG, asset.etag.as_str()), (VARY, "accept-encoding")];
    if is_known(text(headers.get(IF_NONE_MATCH)), &asset.etag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let body = match asset.bytes {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    let mut response = (common, [(CONTENT_TYPE, asset.content_type)], body).into_response();
    if let Some(encoding) = asset.encoding {
        let value = HeaderValue::from_static(encoding);
        response.headers_mut().insert(CONTENT_ENCODING, value);
    }
    response
}

/// Whether an `If-None-Match` value (RFC 9110 section 13.1.2) holds the tag.
fn is_known(header: &str, etag: &str) -> bool {
    let tags = header.split(',').map(str::trim);
    tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag)).any(|tag| tag == etag || tag == "*")
}

fn text(value: Option<&HeaderValue>) -> &str {
    value.and_then(|value| value.to_str().ok()).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn compares_entity_tags_weakly() {
        for (header, known) in [
            ("", false),
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("a", false),
            ("\"b\"", false),
        ] {
            assert_eq!(is_known(header, "\"a\""), known, "{header}");
        }
    }
}
