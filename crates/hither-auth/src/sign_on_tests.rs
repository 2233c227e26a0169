use super::*;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn begun() -> SignOn {
    SignOn::begin([7; 32], None, now())
}

#[test]
fn comes_back_from_its_cookie() {
    for session in [None, Some(SessionId::from_random([3; 10]))] {
        let begun = SignOn::begin([7; 32], session, now());
        let later = now() + SIGN_ON_LIFE;
        let found = SignOn::from_cookie(begun.to_cookie(), later).unwrap();
        assert_eq!(found.session(), session);
        assert_eq!((found.state(), found.nonce()), (begun.state(), begun.nonce()));
        assert!(found.is_state(&begun.state()));
    }
}

#[test]
fn a20_an_old_or_changed_cookie_is_another_sign_on() {
    let begun = begun();
    let text = begun.to_cookie();
    assert!(SignOn::from_cookie(text, now() + SIGN_ON_LIFE + Duration::from_secs(1)).is_none());
    assert!(SignOn::from_cookie(text, now() - Duration::from_secs(1)).is_none());
    // Who makes the cookie younger has another state than the one that the provider was given.
    let younger = text.replace("1800000000", "1800000600");
    let younger = SignOn::from_cookie(&younger, now() + SIGN_ON_LIFE * 2).unwrap();
    assert!(!younger.is_state(&begun.state()));
    // Who changes where it leads, too.
    let elsewhere = format!("{text}{}", SessionId::from_random([3; 10]).as_str());
    assert!(!SignOn::from_cookie(&elsewhere, now()).unwrap().is_state(&begun.state()));
    let long = format!("{text}{}", "x".repeat(200));
    for wrong in ["", ".", "..", "a.1.", "https://evil.test", &long, &format!("{text}.x")] {
        assert!(SignOn::from_cookie(wrong, now()).is_none(), "{wrong}");
    }
    assert!(SignOn::from_cookie(&format!("{text}//evil.test"), now()).is_none());
}

#[test]
fn what_the_provider_sees_does_not_tell_the_rest() {
    let begun = begun();
    let all = [begun.state(), begun.nonce(), begun.verifier(), begun.challenge()];
    for (at, one) in all.iter().enumerate() {
        assert_eq!(one.len(), 43, "{one}");
        assert!(!begun.to_cookie().contains(one.as_str()));
        assert!(all[..at].iter().all(|other| other != one));
    }
    assert!(!begun.is_state(""));
    assert!(!begun.is_state(&begun.nonce()));
    assert!(!SignOn::begin([8; 32], None, now()).is_state(&begun.state()));
    assert!(!format!("{begun:?}").contains(&begun.to_cookie()[..20]));
}

#[test]
fn the_challenge_is_that_of_rfc_7636() {
    // RFC 7636, appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

fn admission() -> Admission {
    Admission {
        users: vec!["Ada@Example.org".to_owned()],
        groups: vec!["shell".to_owned()],
        admin_groups: vec!["ops".to_owned()],
    }
}

fn claims(name: &str, groups: &[&str]) -> Claims {
    Claims {
        subject: "s".to_owned(),
        name: Some(name.to_owned()),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
        ..Claims::default()
    }
}

#[test]
fn a20_claims_admit_whom_the_settings_name() {
    let judge = |name: &str, groups: &[&str]| {
        let admitted = admission().judge(&claims(name, groups));
        admitted.map(|admitted| (admitted.name.to_string(), admitted.kind))
    };
    let member = |name: &str| Ok((name.to_owned(), UserKind::Member));
    assert_eq!(judge("Ada@Example.org", &[]), member("ada@example.org"));
    assert_eq!(judge("bob", &["x", "shell"]), member("bob"));
    assert_eq!(judge("eve", &["shell", "ops"]), Ok(("eve".to_owned(), UserKind::Admin)));
    for (name, groups) in [
        ("ada@example.org", &[][..]),
        ("bob", &[]),
        ("bob", &["Shell"]),
        ("bob", &["shell2", "hell"]),
        ("*", &[]),
    ] {
        assert_eq!(judge(name, groups), Err(NotAdmitted::NotAllowed), "{name} {groups:?}");
    }
    for name in ["a b", "-x", "\u{1b}[31m", "é", &"x".repeat(65)] {
        assert_eq!(judge(name, &["shell"]), Err(NotAdmitted::Unusable), "{name}");
    }
    assert_eq!(judge("", &["shell"]), Err(NotAdmitted::Nameless));
}

#[test]
fn a20_nothing_admits_nobody_and_an_unverified_address_is_nobodys() {
    let nobody = Admission::default();
    assert_eq!(nobody.judge(&claims("ada", &["shell"])), Err(NotAdmitted::NotAllowed));
    let all = Admission { users: vec!["*".to_owned()], ..nobody };
    assert!(all.judge(&claims("ada", &[])).is_ok());
    let unverified = Claims { is_unverified_address: true, ..claims("a@b.c", &[]) };
    assert_eq!(all.judge(&unverified), Err(NotAdmitted::Unverified));
    assert_eq!(all.judge(&Claims::default()), Err(NotAdmitted::Nameless));
}
