//! The thread that owns the store: one writer, and nobody waits for a disk on the runtime.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use hither_store::{Store, StoreError};
use tokio::sync::oneshot;

/// Jobs that may wait.
const JOBS_MAX: usize = 256;

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// The way to the store.
#[derive(Clone, Debug)]
pub struct StoreThread {
    jobs: SyncSender<Job>,
}

/// Why the store has not done what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreFailed {
    /// It refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too much is asked of it.
    #[error("limit of {JOBS_MAX} waiting changes is reached")]
    Busy,
    /// There is none, or its thread has ended.
    #[error("the store is not available")]
    Gone,
}

impl StoreThread {
    /// Starts the thread. It ends with the last handle.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(store: Store) -> io::Result<Self> {
        let (jobs, waiting) = sync_channel(JOBS_MAX);
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || work(store, &waiting))?;
        Ok(Self { jobs })
    }

    /// Has the thread do something, and waits for its result. It is done even when nobody waits
    /// any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreFailed> {
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            if done.send(job(store)).is_err() {
                tracing::debug!("nobody waits for the store any more");
            }
        });
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreFailed::Busy,
            TrySendError::Disconnected(_) => StoreFailed::Gone,
        })?;
        Ok(result.await.map_err(|_| StoreFailed::Gone)??)
    }
}

fn work(mut store: Store, jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        job(&mut store);
    }
}
