use super::*;
use crate::origin::Scheme;
use crate::token::{ApiToken, TokenRecord};

const NOW: SystemTime = SystemTime::UNIX_EPOCH;
const INTENTS: [Intent; 3] = [Intent::Read, Intent::Change, Intent::Upgrade];

struct Fixture {
    verifier: Verifier,
    token: String,
    login: String,
    name: CookieName,
}

impl Fixture {
    fn new(mode: Mode) -> Self {
        let token = ApiToken::from_random([1; 32]);
        let record = TokenRecord { name: "ci".to_owned(), digest: token.digest() };
        let mut verifier = Verifier::new(mode, Tokens::new(vec![record]));
        let login = verifier.logins.open([2; 32], NOW).to_text();
        Self { verifier, token: token.to_text(), login, name: CookieName::new(Scheme::Http, 7681) }
    }

    fn shown(&self) -> Presented<'_> {
        Presented {
            peer: Peer::Network,
            intent: Intent::Read,
            from: FromWhere::Absent,
            site: FetchSite::Absent,
            authorization: None,
            cookies: "",
            cookie_name: &self.name,
        }
    }

    fn verify(&self, shown: Presented<'_>) -> Result<Identity, Denied> {
        let verified = self.verifier.verify(&shown, NOW);
        verified.map(|authenticated| authenticated.identity().clone())
    }
}

#[test]
fn asks_for_a_credential() {
    let fixture = Fixture::new(Mode::Required);
    for intent in INTENTS {
        for from in [FromWhere::Absent, FromWhere::SameOrigin] {
            let shown = Presented { intent, from, ..fixture.shown() };
            assert_eq!(fixture.verify(shown), Err(Denied::Missing), "{intent:?} {from:?}");
        }
    }
}

#[test]
fn takes_tokens_by_header() {
    use base64::Engine as _;
    let fixture = Fixture::new(Mode::Required);
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("any:{}", fixture.token));
    for (header, expect) in [
        (format!("Bearer {}", fixture.token), Ok(Identity::Token("ci".to_owned()))),
        (format!("Basic {basic}"), Ok(Identity::Token("ci".to_owned()))),
        (format!("Bearer {}", fixture.login), Ok(Identity::Login)),
        (format!("Bearer {}x", fixture.token), Err(Denied::Wrong)),
        ("Bearer".to_owned(), Err(Denied::Wrong)),
        (String::new(), Err(Denied::Wrong)),
    ] {
        for intent in INTENTS {
            let authorization = Some(&*header);
            let shown = Presented { intent, authorization, ..fixture.shown() };
            assert_eq!(fixture.verify(shown), expect, "{header} {intent:?}");
        }
    }
}

#[test]
fn takes_cookies_of_own_pages_only() {
    let fixture = Fixture::new(Mode::Required);
    let good = format!("hither-7681={}", fixture.login);
    let login = Ok(Identity::Login);
    let cross = Err(Denied::CrossSite);
    for (intent, from, site, expect) in [
        (Intent::Read, FromWhere::Absent, FetchSite::Absent, &login),
        (Intent::Read, FromWhere::Absent, FetchSite::Person, &login),
        (Intent::Read, FromWhere::Absent, FetchSite::Other, &cross),
        (Intent::Change, FromWhere::Absent, FetchSite::Absent, &cross),
        (Intent::Change, FromWhere::Absent, FetchSite::Person, &cross),
        (Intent::Change, FromWhere::Absent, FetchSite::SameOrigin, &login),
        (Intent::Change, FromWhere::SameOrigin, FetchSite::Absent, &login),
        (Intent::Change, FromWhere::SameOrigin, FetchSite::Other, &cross),
        (Intent::Upgrade, FromWhere::Absent, FetchSite::SameOrigin, &cross),
        (Intent::Upgrade, FromWhere::SameOrigin, FetchSite::Absent, &login),
        (Intent::Upgrade, FromWhere::SameOrigin, FetchSite::Other, &cross),
    ] {
        let shown = Presented { intent, from, site, cookies: &good, ..fixture.shown() };
        assert_eq!(&fixture.verify(shown), expect, "{intent:?} {from:?} {site:?}");
    }
}

#[test]
fn finds_the_good_cookie_among_planted_ones() {
    let fixture = Fixture::new(Mode::Required);
    let planted = format!("hither-7681=evil; hither-7681={}", fixture.login);
    let shown = Presented { cookies: &planted, ..fixture.shown() };
    assert_eq!(fixture.verify(shown), Ok(Identity::Login));
    let shown = Presented { cookies: "hither-7681=evil", ..fixture.shown() };
    assert_eq!(fixture.verify(shown), Err(Denied::Wrong));
}

#[test]
fn a_wrong_header_is_not_made_good_by_a_cookie() {
    let fixture = Fixture::new(Mode::Required);
    let good = format!("hither-7681={}", fixture.login);
    let shown = Presented { authorization: Some("Bearer x"), cookies: &good, ..fixture.shown() };
    assert_eq!(fixture.verify(shown), Err(Denied::Wrong));
}

#[test]
fn off_lets_programs_through_and_other_sites_not() {
    let fixture = Fixture::new(Mode::Off);
    for intent in INTENTS {
        for authorization in [None, Some("Basic x"), Some("Bearer wrong")] {
            let shown = Presented { intent, authorization, ..fixture.shown() };
            assert_eq!(fixture.verify(shown), Ok(Identity::Anyone));
        }
        let shown = Presented { intent, site: FetchSite::Other, ..fixture.shown() };
        assert_eq!(fixture.verify(shown), Err(Denied::CrossSite));
    }
}

#[test]
fn the_kernel_vouches_for_the_same_user_but_not_for_a_browser() {
    let fixture = Fixture::new(Mode::Required);
    for intent in INTENTS {
        let shown = Presented { intent, peer: Peer::SameUser, ..fixture.shown() };
        assert_eq!(fixture.verify(shown), Ok(Identity::SameUser));
        for site in [FetchSite::SameOrigin, FetchSite::Person, FetchSite::Other] {
            let shown = Presented { site, ..shown };
            assert_eq!(fixture.verify(shown), Err(Denied::CrossSite), "{site:?}");
        }
    }
}

#[test]
fn expired_logins_are_wrong() {
    let fixture = Fixture::new(Mode::Required);
    let cookies = format!("hither-7681={}", fixture.login);
    let shown = Presented { cookies: &cookies, ..fixture.shown() };
    let late = NOW + crate::login::LOGIN_LIFE;
    assert_eq!(fixture.verifier.verify(&shown, late), Err(Denied::Wrong));
}
