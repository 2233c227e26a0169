//! Password hashing, bounded: each hash takes 19 MiB and a core for a while.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Hashes at a time, whatever the number of cores: a flood of logins must leave some to typists.
const RUNNING_MAX: usize = 2;
/// Logins that wait for their turn, those that are hashed included.
const WAITING_MAX: usize = 32;

/// Lets a bounded number of hashes be computed, off the runtime.
#[derive(Debug)]
pub(crate) struct Hashing {
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

/// Too many wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limit of {WAITING_MAX} logins at a time is reached")]
pub(crate) struct HashingFull;

impl Hashing {
    pub(crate) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(WAITING_MAX)),
            running: Arc::new(Semaphore::new(RUNNING_MAX)),
        }
    }

    /// Does the work when it is its turn. Once begun it is finished, even when nobody waits for it
    /// any more; its place is taken until then.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingFull> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| HashingFull)?;
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(|_| HashingFull)?;
        let worked = tokio::task::spawn_blocking(move || {
            let result = work();
            drop((turn, place));
            result
        });
        worked.await.map_err(|_| HashingFull)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use hither_auth::{Verdict, check_password};

    use super::*;

    #[tokio::test]
    async fn a18_two_at_a_time_and_a_bounded_queue() {
        let hashing = Arc::new(Hashing::new());
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut logins = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let (hashing, now, most) = (Arc::clone(&hashing), Arc::clone(&now), Arc::clone(&most));
            logins.spawn(async move {
                let work = move || {
                    let running = now.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(running, Ordering::SeqCst);
                    assert_eq!(check_password("guess", None), Verdict::Wrong);
                    now.fetch_sub(1, Ordering::SeqCst);
                };
                hashing.run(work).await.is_ok()
            });
        }
        let done = logins.join_all().await.into_iter().filter(|done| *done).count();
        assert_eq!(done, WAITING_MAX);
        assert!(most.load(Ordering::SeqCst) <= RUNNING_MAX);
        assert!(hashing.run(|| ()).await.is_ok(), "places are given back");
    }
}
