//! What may happen.

use hither_auth::{Level, Scope, Scopes};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::world::SESSIONS;

/// Something that happens. An index that points to nothing makes it nothing.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    AddUser { is_admin: bool },
    RemoveUser(Index),
    SetPassword(Index),
    EndLogins(Index),
    AddToken { user: Index, scopes: Scopes, life: u64 },
    RevokeToken(Index),
    LogIn(Index),
    LogOut(Index),
    Grant { session: u8, user: Index, level: Option<Level> },
    Share { session: u8, creator: Index, level: Level, life: u64 },
    RevokeShare(Index),
    Forget { session: u8 },
    Pass(u64),
    Restart,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    let session = || 0..SESSIONS;
    let scope = prop::sample::select(Scope::ALL.to_vec());
    let scopes = vec(scope, 1..4).prop_map(|scopes| scopes.into_iter().collect::<Scopes>());
    let level = || prop::sample::select(Level::ALL.to_vec());
    let life = || 1_u64..4000;
    prop_oneof![
        3 => any::<bool>().prop_map(|is_admin| Step::AddUser { is_admin }),
        1 => index().prop_map(Step::RemoveUser),
        1 => index().prop_map(Step::SetPassword),
        1 => index().prop_map(Step::EndLogins),
        3 => (index(), scopes, life())
            .prop_map(|(user, scopes, life)| Step::AddToken { user, scopes, life }),
        1 => index().prop_map(Step::RevokeToken),
        3 => index().prop_map(Step::LogIn),
        1 => index().prop_map(Step::LogOut),
        3 => (session(), index(), prop::option::weighted(0.8, level()))
            .prop_map(|(session, user, level)| Step::Grant { session, user, level }),
        3 => (session(), index(), level(), life()).prop_map(|(session, creator, level, life)| {
            Step::Share { session, creator, level, life }
        }),
        1 => index().prop_map(Step::RevokeShare),
        1 => session().prop_map(|session| Step::Forget { session }),
        2 => (1_u64..2000).prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ]
}
