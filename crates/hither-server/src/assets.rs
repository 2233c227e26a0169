//! The web page, as it was built into the binary.

use std::borrow::Cow;

use rust_embed::{Embed, EmbeddedFile};

/// Files of `web/dist`, where the build wrote `x.br` and `x.gz` next to each `x`.
///
/// They are looked up by name in a table: there is no file system behind it to traverse.
#[derive(Embed)]
#[folder = "$HITHER_WEB_DIST"]
struct Dist;

/// A file in the encoding that the client likes best.
pub(crate) struct Asset {
    pub(crate) bytes: Cow<'static, [u8]>,
    pub(crate) content_type: &'static str,
    pub(crate) encoding: Option<&'static str>,
    /// Strong entity tag, other for each encoding.
    pub(crate) etag: String,
    pub(crate) freshness: Freshness,
}

/// Whether a browser has to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Never: the name holds a hash of the content.
    Immutable,
    /// Each time; the entity tag saves the transfer.
    Revalidate,
}

/// Encodings by preference: name of the coding, suffix of the file.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The file at `path` (without a leading slash), encoded as `accept_encoding` allows.
pub(crate) fn find(path: &str, accept_encoding: &str) -> Option<Asset> {
    // Encoded twins are reached by their plain name only.
    if ENCODINGS.iter().any(|(_, suffix)| path.ends_with(suffix)) {
        return None;
    }
    let encoded = ENCODINGS
        .iter()
        .filter(|(coding, _)| accepts(accept_encoding, coding))
        .find_map(|(coding, suffix)| Some((*coding, Dist::get(&format!("{path}{suffix}"))?)));
    match encoded {
        Some((coding, file)) => Some(asset(path, file, Some(coding))),
        None => Dist::get(path).map(|file| asset(path, file, None)),
    }
}

fn asset(path: &str, file: EmbeddedFile, encoding: Option<&'static str>) -> Asset {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    Asset {
        bytes: file.data,
        content_type: content_type(path),
        encoding,
        etag: format!("\"{hex}-{}\"", encoding.unwrap_or("id")),
        freshness: if path.starts_with("assets/") {
            Freshness::Immutable
        } else {
            Freshness::Revalidate
        },
    }
}

/// Whether an `Accept-Encoding` value (RFC 9110 section 12.5.3) allows a coding.
fn accepts(header: &str, coding: &str) -> bool {
    let weight_of = |name: &str| {
        header.split(',').find_map(|item| {
            let (found, params) = item.split_once(';').unwrap_or((item, ""));
            found.trim().eq_ignore_ascii_case(name).then(|| {
                let weight = params.trim().strip_prefix("q=").unwrap_or("1");
                weight.trim().parse::<f32>().unwrap_or(0.0)
            })
        })
    };
    weight_of(coding).or_else(|| weight_of("*")).unwrap_or(0.0) > 0.0
}

fn content_type(path: &str) -> &'static str {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_accept_encoding() {
        for (header, br, gzip) in [
            ("", false, false),
            ("br", true, false),
            ("gzip, deflate, br, zstd", true, true),
            ("GZIP", false, true),
            ("br;q=0, gzip;q=0.5", false, true),
            ("br; q=0.001", true, false),
            ("*", true, true),
            ("*;q=0, br", true, false),
            ("brotli, xgzip", false, false),
            ("br;q=x", false, false),
        ] {
            assert_eq!(accepts(header, "br"), br, "{header}");
            assert_eq!(accepts(header, "gzip"), gzip, "{header}");
        }
    }

    #[test]
    fn has_a_page_even_when_none_was_built() {
        let page = find("index.html", "").unwrap();
        assert_eq!(page.content_type, "text/html; charset=utf-8");
        assert_eq!(page.freshness, Freshness::Revalidate);
        assert!(page.bytes.starts_with(b"<!doctype html>") || page.bytes.starts_with(b"<!DOCTYPE"));
    }

    #[test]
    fn finds_nothing_outside() {
        for path in [
            "",
            "/",
            "..",
            "../Cargo.toml",
            "/index.html",
            "./index.html",
            "assets/../index.html",
            "index.html\0",
            "index.html/",
            "INDEX.HTML",
            "%69ndex.html",
            "..\\Cargo.toml",
            "/etc/passwd",
            "index.html.br",
            "index.html.gz",
        ] {
            assert!(find(path, "br, gzip").is_none(), "{path}");
        }
    }
}
