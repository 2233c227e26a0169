use super::*;
use crate::principal::{ShareId, Way};
use crate::scope::Scopes;

const OWNER: UserId = UserId(1);

fn principal(who: Who, scopes: Scopes) -> Principal {
    Principal {
        who,
        name: "somebody".to_owned(),
        way: Way::NoAuth,
        scopes,
        expires: None,
        generation: 0,
        with: None,
    }
}

/// Every set of scopes × everybody × every grant × every need, against the rule in other words.
#[test]
fn the_lower_of_scope_and_relation_decides() {
    let grants = [None, Some(Level::Read), Some(Level::Write), Some(Level::Own)];
    let whos = [Who::User(OWNER), Who::User(UserId(2)), Who::Link(ShareId(1))];
    for bits in 0..32_u8 {
        let scopes: Scopes = Scope::ALL
            .into_iter()
            .enumerate()
            .filter(|(at, _)| bits >> at & 1 == 1)
            .map(|(_, scope)| scope)
            .collect();
        for who in &whos {
            for granted in grants {
                for needed in Level::ALL {
                    let found = authorize(&principal(who.clone(), scopes), OWNER, granted, needed);
                    let is_owner = *who == Who::User(OWNER);
                    let is_admin = scopes.allow(Scope::Admin);
                    let may = match needed {
                        Level::Read => is_owner || is_admin || granted.is_some(),
                        Level::Write => is_owner || is_admin || granted > Some(Level::Read),
                        Level::Own => is_owner || is_admin,
                        Level::Admin => is_admin && !is_owner,
                    };
                    let expect = may && scopes.allow(needed.scope());
                    let case = format!("{scopes} {who:?} {granted:?} {needed}");
                    assert_eq!(found.is_ok(), expect, "{case}");
                    if let Ok(held) = found {
                        assert!(held >= needed, "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_one_may_not_see_is_hidden_and_what_one_lacks_is_named() {
    let member = principal(Who::User(UserId(2)), Scopes::MEMBER);
    assert_eq!(authorize(&member, OWNER, None, Level::Own), Err(Forbidden::Hidden));
    let held = Err(Forbidden::Level { needed: Level::Own, held: Level::Write });
    assert_eq!(authorize(&member, OWNER, Some(Level::Write), Level::Own), held);
    let reader = principal(Who::User(OWNER), Scopes::NONE.with(Scope::SessionRead));
    let lacks = Err(Forbidden::Scope(Scope::SessionWrite));
    assert_eq!(authorize(&reader, OWNER, None, Level::Write), lacks);
    // Nor does the answer about a scope depend on the session.
    assert_eq!(authorize(&reader, UserId(9), None, Level::Write), lacks);
}

#[test]
fn words_round_trip() {
    for level in Level::ALL {
        assert_eq!(level.to_string().parse(), Ok(level));
    }
    for text in ["", "READ", "viewer", "owner"] {
        assert_eq!(text.parse::<Level>(), Err(InvalidLevel), "{text}");
    }
}
