//! Passes: who is attached to which session, and what may be done there.
//!
//! A viewer's connection carries its pass to the worker, and the control plane keeps a weak one, so
//! that it can find every open connection of a credential that is good no more. Nothing of it is
//! on the path of a keystroke.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use hither_auth::{Level, Principal, Scope, ShareId, Way, Who};
use hither_core::{Role, SessionId, ViewerId};

use crate::sessions::ViewerProtocol;

/// Number of a pass, good as long as the gateway runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PassId(pub u64);

/// What an attached connection may do, and for whom.
#[derive(Debug)]
pub struct Pass {
    id: PassId,
    session: SessionId,
    principal: Principal,
    address: Option<IpAddr>,
    protocol: ViewerProtocol,
    since: SystemTime,
    /// The level that the session's owner has set for this viewer alone; 0 is none.
    set_level: AtomicU8,
    /// What the worker was last told.
    role: AtomicU8,
    /// Number of the viewer in its session; 0 until the worker has it.
    viewer: AtomicU64,
}

/// All passes of connections that are open, or were a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Passes {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    issued: u64,
    passes: BTreeMap<PassId, Weak<Pass>>,
}

/// What a pass is issued for.
#[derive(Debug)]
pub(crate) struct PassRequest {
    pub(crate) session: SessionId,
    pub(crate) principal: Principal,
    pub(crate) address: Option<IpAddr>,
    pub(crate) protocol: ViewerProtocol,
    pub(crate) role: Role,
}

impl Pass {
    /// Its number.
    #[must_use]
    pub const fn id(&self) -> PassId {
        self.id
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// Who is attached, as it was proven when it came.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Where it comes from; none on a Unix socket.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// What is spoken.
    #[must_use]
    pub const fn protocol(&self) -> ViewerProtocol {
        self.protocol
    }

    /// When it came.
    #[must_use]
    pub const fn since(&self) -> SystemTime {
        self.since
    }

    /// The most that the viewer may do now.
    #[must_use]
    pub fn role(&self) -> Role {
        if self.role.load(Relaxed) == 0 { Role::Observer } else { Role::Operator }
    }

    /// Notes the most that the viewer may do, and says whether that is news.
    pub(crate) fn set_role(&self, role: Role) -> bool {
        let new = u8::from(role.may_type());
        self.role.swap(new, Relaxed) != new
    }

    /// Number of the viewer in its session; nobody until the worker has it.
    #[must_use]
    pub fn viewer(&self) -> ViewerId {
        ViewerId(self.viewer.load(Relaxed))
    }

    /// The worker has it, as this viewer.
    pub fn attached_as(&self, viewer: ViewerId) {
        self.viewer.store(viewer.0, Relaxed);
    }

    /// Sets the level that the session's owner wants for this viewer alone.
    pub(crate) fn set_level(&self, level: Level) {
        let number = if level.role().may_type() { 2 } else { 1 };
        self.set_level.store(number, Relaxed);
    }

    /// The most that the viewer may do when its principal, proven again, holds `held`.
    ///
    /// What the owner has set for it counts, up or down; but a credential that was not made for
    /// typing does not type. Share links are no credential of anybody's, so that nothing was said
    /// with their scopes but what the owner may change.
    pub(crate) fn role_for(&self, principal: &Principal, held: Level) -> Role {
        let is_link = principal.way() == Way::Link;
        match self.set_level.load(Relaxed) {
            1 => Role::Observer,
            2 if is_link || principal.scopes().allow(Scope::SessionWrite) => Role::Operator,
            _ => held.role(),
        }
    }
}

impl Passes {
    /// Issues a pass.
    pub(crate) fn issue(&self, request: PassRequest) -> Arc<Pass> {
        let PassRequest { session, principal, address, protocol, role } = request;
        let mut table = self.table();
        table.passes.retain(|_, pass| pass.strong_count() > 0);
        table.issued += 1;
        let id = PassId(table.issued);
        let pass = Arc::new(Pass {
            id,
            session,
            principal,
            address,
            protocol,
            since: SystemTime::now(),
            set_level: AtomicU8::new(0),
            role: AtomicU8::new(u8::from(role.may_type())),
            viewer: AtomicU64::new(0),
        });
        table.passes.insert(id, Arc::downgrade(&pass));
        pass
    }

    /// The passes of all open connections, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Pass>> {
        self.table().passes.values().filter_map(Weak::upgrade).collect()
    }

    /// Those of the viewers of a session.
    pub(crate) fn of_session(&self, session: SessionId) -> Vec<Arc<Pass>> {
        let mut all = self.all();
        all.retain(|pass| pass.session == session && pass.viewer() != ViewerId::NOBODY);
        all
    }

    /// How many connections came by a share link.
    pub(crate) fn by_link(&self, share: ShareId) -> usize {
        let who = Who::Link(share);
        self.all().iter().filter(|pass| *pass.principal.who() == who).count()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
