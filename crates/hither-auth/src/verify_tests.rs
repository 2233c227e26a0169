use super::*;
use crate::origin::Scheme;
use crate::principal::{LoginId, TokenId};
use crate::scope::{Scope, Scopes};
use crate::token::ApiToken;
use crate::user::User;
use std::time::Duration;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;
const TOKEN: Way = Way::Token(TokenId(0));
const LOGIN: Way = Way::Login(LoginId(1));
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
        let mut people = People::new("me");
        people.tokens.add(TokenRecord::local("ci", token.digest()));
        let mut verifier = Verifier::new(mode, people);
        let login = verifier.logins.open(UserId::MACHINE, 0, [2; 32], NOW).to_text();
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
            vouched: None,
        }
    }

    fn verify(&self, shown: Presented<'_>) -> Result<Way, Denied> {
        self.verifier.verify(&shown, NOW).map(|principal| principal.way())
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
        (format!("Bearer {}", fixture.token), Ok(TOKEN)),
        (format!("Basic {basic}"), Ok(TOKEN)),
        (format!("Bearer {}", fixture.login), Ok(LOGIN)),
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
    let login = Ok(LOGIN);
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
    assert_eq!(fixture.verify(shown), Ok(LOGIN));
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
            assert_eq!(fixture.verify(shown), Ok(Way::NoAuth));
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
        assert_eq!(fixture.verify(shown), Ok(Way::UnixSocket));
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

fn alice(kind: UserKind) -> User {
    let name = "alice".parse().unwrap();
    User { id: UserId(1), name, kind, password: None, generation: 3 }
}

impl Fixture {
    /// With a user, and the text of a login of hers.
    fn with_alice(kind: UserKind) -> (Self, String) {
        let mut fixture = Self::new(Mode::Required);
        fixture.verifier.people.add_user(alice(kind));
        let login = fixture.verifier.logins.open(UserId(1), 3, [9; 32], NOW).to_text();
        (fixture, login)
    }

    fn bearer(&self, text: &str, now: SystemTime) -> Result<Principal, Denied> {
        let header = format!("Bearer {text}");
        let shown = Presented { authorization: Some(&header), ..self.shown() };
        self.verifier.verify(&shown, now)
    }
}

#[test]
fn a_login_is_worth_what_its_user_is() {
    for (kind, scopes) in [(UserKind::Member, Scopes::MEMBER), (UserKind::Admin, Scopes::ALL)] {
        let (fixture, login) = Fixture::with_alice(kind);
        let principal = fixture.bearer(&login, NOW).unwrap();
        assert_eq!(principal.scopes(), scopes);
        assert_eq!((principal.user(), principal.name()), (Some(UserId(1)), "alice"));
    }
}

#[test]
fn a_new_generation_ends_all_logins_and_a_removed_user_everything() {
    let (mut fixture, login) = Fixture::with_alice(UserKind::Member);
    let principal = fixture.bearer(&login, NOW).unwrap();
    assert!(fixture.verifier.verify_again(&principal, NOW).is_ok());
    fixture.verifier.people.add_user(User { generation: 4, ..alice(UserKind::Member) });
    assert_eq!(fixture.bearer(&login, NOW), Err(Denied::Wrong));
    assert_eq!(fixture.verifier.verify_again(&principal, NOW), Err(Denied::Wrong));

    let (mut fixture, login) = Fixture::with_alice(UserKind::Member);
    fixture.verifier.people = People::new("me");
    assert_eq!(fixture.bearer(&login, NOW), Err(Denied::Wrong));
    assert_eq!(fixture.verifier.verify_again(&principal, NOW), Err(Denied::Wrong));
}

#[test]
fn only_an_admin_s_login_ends_when_it_is_not_used() {
    let late = NOW + ADMIN_IDLE;
    let (fixture, login) = Fixture::with_alice(UserKind::Admin);
    assert_eq!(fixture.bearer(&login, late), Err(Denied::Wrong));
    let (fixture, login) = Fixture::with_alice(UserKind::Admin);
    assert!(fixture.bearer(&login, late - Duration::from_secs(1)).is_ok());
    assert!(fixture.bearer(&login, late).is_ok(), "it was used a second ago");
    let (fixture, login) = Fixture::with_alice(UserKind::Member);
    assert!(fixture.bearer(&login, late).is_ok());
    // Whoever started the gateway need not start it again after a break.
    let own = fixture.login.clone();
    assert!(fixture.bearer(&own, late).is_ok());
}

#[test]
fn a_token_is_worth_the_less_of_its_scopes_and_its_user_s() {
    let (mut fixture, _) = Fixture::with_alice(UserKind::Member);
    let token = ApiToken::from_random([5; 32]);
    let record = TokenRecord {
        id: TokenId(7),
        user: UserId(1),
        scopes: Scopes::NONE.with(Scope::Admin),
        expires: Some(NOW + Duration::from_secs(60)),
        ..TokenRecord::local("ci", token.digest())
    };
    fixture.verifier.people.tokens.add(record);
    let principal = fixture.bearer(&token.to_text(), NOW).unwrap();
    assert_eq!(principal.scopes(), Scopes::MEMBER);
    assert_eq!(principal.way(), Way::Token(TokenId(7)));
    let late = NOW + Duration::from_secs(60);
    assert_eq!(fixture.bearer(&token.to_text(), late), Err(Denied::Wrong));
    assert_eq!(fixture.verifier.verify_again(&principal, late), Err(Denied::Wrong));
    fixture.verifier.people.tokens = crate::token::Tokens::default();
    assert_eq!(fixture.verifier.verify_again(&principal, NOW), Err(Denied::Wrong));
}

#[test]
fn a_vouched_name_must_be_a_user_and_needs_an_own_page_as_a_cookie_does() {
    let (fixture, _) = Fixture::with_alice(UserKind::Member);
    for way in [Way::Proxy, Way::Certificate] {
        let known = Some(Vouched { way, name: "alice" });
        let shown = Presented { vouched: known, ..fixture.shown() };
        assert_eq!(fixture.verify(shown), Ok(way));
        for intent in [Intent::Change, Intent::Upgrade] {
            let shown = Presented { vouched: known, intent, ..fixture.shown() };
            assert_eq!(fixture.verify(shown), Err(Denied::CrossSite));
            let shown = Presented { from: FromWhere::SameOrigin, ..shown };
            assert_eq!(fixture.verify(shown), Ok(way));
        }
        for name in ["me", "", "Alice", "bob"] {
            let shown = Presented { vouched: Some(Vouched { way, name }), ..fixture.shown() };
            assert_eq!(fixture.verify(shown), Err(Denied::Wrong), "{name}");
        }
    }
}
