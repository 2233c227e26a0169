use super::*;
use crate::host::HostPolicy;
use proptest::prelude::*;

fn check(host: &str, origins: &[&str]) -> Result<FromWhere, OriginRefused> {
    let public: Vec<Origin> = vec!["https://term.example.com".parse().unwrap()];
    let host = HostPolicy::network(Scheme::Http, 7681, &public)
        .check([host].into_iter(), None, None)
        .unwrap();
    OriginPolicy::new(public).check(&host, origins.iter().copied())
}

#[test]
fn accepts_pages_of_its_own() {
    for (host, origin) in [
        ("localhost:7681", "http://localhost:7681"),
        ("127.0.0.1:7681", "http://127.0.0.1:7681"),
        ("[::1]:7681", "http://[::1]:7681"),
        ("term.example.com", "https://term.example.com"),
        // A proxy may pass on its own idea of the host.
        ("127.0.0.1:7681", "https://term.example.com"),
    ] {
        assert_eq!(check(host, &[origin]), Ok(FromWhere::SameOrigin), "{origin}");
    }
    assert_eq!(check("localhost:7681", &[]), Ok(FromWhere::Absent));
}

#[test]
fn refuses_every_other() {
    for origin in [
        "",
        "null",
        "http://evil.test",
        "http://evil.test:7681",
        "http://localhost",
        "http://localhost:80",
        "http://localhost:7682",
        "https://localhost:7681",
        "ws://localhost:7681",
        "file://",
        "chrome-extension://abc",
        "http://127.0.0.1:7681",
        "http://[::1]:7681",
        "http://a.localhost:7681",
        "http://localhost.evil.test:7681",
        "http://evil-localhost:7681",
        "http://localhost:7681.evil.test",
        "http://localhost:76811",
        "http://LOCALHOST:7681",
        "HTTP://localhost:7681",
        "http://localhost.:7681",
        "http://localhost:7681/",
        "http://localhost:7681/x",
        "http://localhost:07681",
        "http://localhost:+7681",
        "http://user@localhost:7681",
        "http://localhost:7681@evil.test",
        "http://localhost:7681 http://evil.test",
        " http://localhost:7681",
        "http://localhost:7681 ",
        "http://term.example.com",
        "https://term.example.com:443",
        "https://term.example.com:8443",
        "https://x.term.example.com",
        "https://term.example.com.evil.test",
        "http://localhost:0",
        "http://:7681",
        "http://[::1",
        "http://[evil]:7681",
    ] {
        assert_eq!(check("localhost:7681", &[origin]), Err(OriginRefused), "{origin}");
    }
}

#[test]
fn refuses_two_headers() {
    let own = "http://localhost:7681";
    for origins in [[own, own], [own, "http://evil.test"], ["http://evil.test", own]] {
        assert_eq!(check("localhost:7681", &origins), Err(OriginRefused));
    }
}

#[test]
fn a_unix_socket_has_no_pages() {
    let host = HostPolicy::unix_socket().check(["localhost"].into_iter(), None, None).unwrap();
    let policy = OriginPolicy::default();
    assert_eq!(policy.check(&host, std::iter::empty()), Ok(FromWhere::Absent));
    for origin in ["http://localhost", "http://localhost:80", "null"] {
        assert_eq!(policy.check(&host, [origin].into_iter()), Err(OriginRefused));
    }
}

#[test]
fn shows_origins_as_browsers_do() {
    for text in
        ["http://localhost:7681", "https://a.b", "http://[::1]:1", "http://a", "https://a:80"]
    {
        assert_eq!(text.parse::<Origin>().unwrap().to_string(), text);
    }
    assert_eq!("https://a:443".parse::<Origin>().unwrap().to_string(), "https://a");
}

#[test]
fn a_name_stands_for_two_origins() {
    let origins = Origin::of_name("box.example.org", 7681).unwrap();
    let texts = origins.map(|origin| origin.to_string());
    assert_eq!(texts, ["https://box.example.org", "http://box.example.org:7681"]);
    for name in ["", "a:1", "A.b", "a/b", "a@b", "http://a", "*", "a."] {
        assert_eq!(Origin::of_name(name, 7681), Err(InvalidOrigin), "{name}");
    }
}

#[test]
fn reads_fetch_metadata() {
    for (value, expect) in [
        (None, FetchSite::Absent),
        (Some("same-origin"), FetchSite::SameOrigin),
        (Some("none"), FetchSite::Person),
        (Some("same-site"), FetchSite::Other),
        (Some("cross-site"), FetchSite::Other),
        (Some("SAME-ORIGIN"), FetchSite::Other),
        (Some(""), FetchSite::Other),
    ] {
        assert_eq!(FetchSite::parse(value), expect, "{value:?}");
    }
}

proptest! {
    #[test]
    fn only_the_exact_text_passes(text in "(http|https)://[a-z0-9.:@\\[\\]-]{0,24}") {
        let passes = ["http://localhost:7681", "https://term.example.com"].contains(&&*text);
        prop_assert_eq!(check("localhost:7681", &[&text]).is_ok(), passes);
    }

    #[test]
    fn never_panics(text in ".{0,100}") {
        drop(text.parse::<Origin>());
    }
}
