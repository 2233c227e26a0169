//! Every route × who it is × what its credential is for, against the guards of the table.

use hither_auth::{
    ApiToken, Level, Mode, Scope, Scopes, TokenId, TokenRecord, User, UserId, UserKind,
};
use hither_server::http::{Guard, ROUTES};

use crate::client::Response;
use crate::harness::Harness;
use crate::matrix::{TABLE, request};

/// Whose credential it is, seen from the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Owner,
    Admin,
    Writer,
    Reader,
    Stranger,
}

const WHOSE: [Whose; 5] =
    [Whose::Owner, Whose::Admin, Whose::Writer, Whose::Reader, Whose::Stranger];

/// The sets of scopes that are tried: each alone, all of a member's, all, and none that helps.
fn scopes() -> Vec<Scopes> {
    let alone = Scope::ALL.into_iter().map(|scope| Scopes::NONE.with(scope));
    alone.chain([Scopes::MEMBER, Scopes::ALL]).collect()
}

fn user(id: u64, name: &str, kind: UserKind) -> User {
    User { id: UserId(id), name: name.parse().unwrap(), kind, password: None, generation: 0 }
}

/// A server whose one session belongs to the first of four users, and the token of one of them.
async fn start(whose: Whose, scopes: Scopes) -> (Harness, String) {
    let harness = Harness::start(Mode::Required).await;
    harness.double.state().sessions.get_mut(&harness.id).unwrap().owner = UserId(1);
    let token = ApiToken::from_random([9; 32]);
    let user_of = match whose {
        Whose::Owner => 1,
        Whose::Admin => 2,
        Whose::Writer => 3,
        Whose::Reader => 4,
        Whose::Stranger => 5,
    };
    harness.app.auth.change_people(|people| {
        for (id, name, kind) in [
            (1, "owner", UserKind::Member),
            (2, "admin", UserKind::Admin),
            (3, "writer", UserKind::Member),
            (4, "reader", UserKind::Member),
            (5, "stranger", UserKind::Member),
        ] {
            people.add_user(user(id, name, kind));
        }
        people.add_grant(harness.id, UserId(3), Level::Write);
        people.add_grant(harness.id, UserId(4), Level::Read);
        people.tokens.add(TokenRecord {
            id: TokenId(1),
            user: UserId(user_of),
            scopes,
            ..TokenRecord::local("theirs", token.digest())
        });
    });
    (harness, token.to_text())
}

/// What the guard of a route asks for, in other words than the server's.
fn expected(guard: Guard, whose: Whose, scopes: Scopes, through: &[u16]) -> Vec<u16> {
    // A member's token is never worth an admin's scope.
    let has = |scope| {
        let is_member = whose != Whose::Admin;
        if is_member && scope == Scope::Admin { false } else { scopes.allow(scope) }
    };
    let refused = |scope| if has(scope) { None } else { Some(vec![403]) };
    let through = through.to_vec();
    match guard {
        Guard::Public | Guard::Secret | Guard::Credential => through,
        Guard::Scope(scope) => refused(scope).unwrap_or(through),
        Guard::Session(level) => {
            if let Some(refused) = refused(level.scope()) {
                return refused;
            }
            let is_admin = whose == Whose::Admin && has(Scope::Admin);
            match (whose, level) {
                _ if is_admin => through,
                (Whose::Owner, _)
                | (Whose::Writer, Level::Read | Level::Write)
                | (Whose::Reader, Level::Read) => through,
                (Whose::Writer, _) if has(Scope::SessionWrite) || has(Scope::SessionRead) => {
                    vec![403]
                }
                (Whose::Reader, _) if has(Scope::SessionRead) => vec![403],
                _ => vec![404],
            }
        }
    }
}

#[tokio::test]
async fn a01_every_route_by_everybody_with_every_scope() {
    let mut cases = 0;
    for row in TABLE {
        for whose in WHOSE {
            for scopes in scopes() {
                let (harness, token) = start(whose, scopes).await;
                let request = request(&harness, *row);
                let request = request.header("authorization", format!("Bearer {token}"));
                let response = request.send(harness.address).await;
                let mut expect = expected(row.2, whose, scopes, row.3);
                if row.1 == "/ws" && expect == [404] {
                    // Browsers cannot see the status of a refused handshake: it is said behind it.
                    expect = vec![101];
                }
                let case = format!("{} {} {whose:?} {scopes}", row.0, row.1);
                assert!(expect.contains(&response.status), "{case}: {expect:?} {response:?}");
                check_nothing_done(&harness, &response, &case);
                cases += 1;
            }
        }
    }
    assert_eq!(cases, ROUTES.len() * WHOSE.len() * 7);
}

/// A session that one may not see answers, byte for byte, as one that does not exist.
#[tokio::test]
async fn a22_a_hidden_session_is_no_session() {
    let rows = TABLE.iter().filter(|row| matches!(row.2, Guard::Session(_)) && row.1 != "/ws");
    for row in rows {
        let (harness, token) = start(Whose::Stranger, Scopes::MEMBER).await;
        let mut answers = Vec::new();
        for missing in [false, true] {
            if missing {
                harness.double.state().sessions.clear();
            }
            let request = request(&harness, *row);
            let request = request.header("authorization", format!("Bearer {token}"));
            let response = request.send(harness.address).await;
            answers.push((response.status, response.body.clone()));
        }
        assert_eq!(answers[0], answers[1], "{} {}", row.0, row.1);
        assert_eq!(answers[0].0, 404, "{} {}", row.0, row.1);
    }
}

#[tokio::test]
async fn lists_show_what_one_may_read() {
    for (whose, expect) in [
        (Whose::Owner, 1),
        (Whose::Admin, 1),
        (Whose::Writer, 1),
        (Whose::Reader, 1),
        (Whose::Stranger, 0),
    ] {
        let (harness, token) = start(whose, Scopes::ALL).await;
        let request = harness.request("GET", "/api/sessions");
        let request = request.header("authorization", format!("Bearer {token}"));
        let list = request.send(harness.address).await.json();
        assert_eq!(list.as_array().unwrap().len(), expect, "{whose:?}");
    }
}

#[tokio::test]
async fn whoever_starts_a_session_owns_it() {
    let (harness, token) = start(Whose::Stranger, Scopes::MEMBER).await;
    let bearer = format!("Bearer {token}");
    let request = harness.request("POST", "/api/sessions").header("authorization", bearer);
    assert_eq!(request.json("{}").send(harness.address).await.status, 201);
    let state = harness.double.state();
    let owners: Vec<_> = state.sessions.values().map(|info| info.owner).collect();
    assert_eq!(owners, [UserId(1), UserId(5)]);
}

fn check_nothing_done(harness: &Harness, response: &Response, case: &str) {
    if response.status >= 400 {
        assert!(harness.done().is_empty(), "{case}: {:?}", harness.done());
        assert_eq!(harness.double.state().sessions.len(), 1, "{case}");
    }
}
