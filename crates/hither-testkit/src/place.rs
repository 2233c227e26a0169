//! Where a gateway can be found, for viewers that outlive it.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// The present address of a gateway that is killed and started again.
#[derive(Clone, Debug, Default)]
pub struct Place(Arc<(Mutex<At>, Condvar)>);

#[derive(Clone, Copy, Debug, Default)]
struct At {
    address: Option<SocketAddr>,
    /// Counts the addresses that were set.
    version: u64,
}

impl Place {
    /// A gateway listens here from now on; none: it is gone.
    pub fn set(&self, address: Option<SocketAddr>) {
        let (at, changed) = &*self.0;
        let mut at = at.lock().expect("nobody panics with it");
        at.address = address;
        at.version += u64::from(address.is_some());
        drop(at);
        changed.notify_all();
    }

    /// Where a gateway listens, if one does.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.0.lock().expect("nobody panics with it").address
    }

    /// How many addresses were set so far.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.0.lock().expect("nobody panics with it").version
    }

    /// Waits for an address that is newer than `seen`; gives it and its version.
    #[must_use]
    pub fn newer_than(&self, seen: u64, patience: Duration) -> Option<(SocketAddr, u64)> {
        let (at, changed) = &*self.0;
        let at = at.lock().expect("nobody panics with it");
        let old = |at: &mut At| at.address.is_none() || at.version <= seen;
        let (at, _) = changed.wait_timeout_while(at, patience, old).expect("nobody panics with it");
        at.address.filter(|_| at.version > seen).map(|address| (address, at.version))
    }
}
