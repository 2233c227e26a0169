//! The thread that writes: the control plane goes on while the disk works.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::SystemTime;

use tokio::sync::oneshot;

use super::log::{FILE_BYTES_MAX, Log};
use super::record::members;
use super::{Actor, Audit, AuditFailed, Event};
use crate::sessions::BoxFuture;

/// Records that may wait for the disk.
const QUEUE_MAX: usize = 1024;

/// Keeps events in the files of a directory.
#[derive(Debug)]
pub struct Keeper {
    queue: SyncSender<Job>,
    /// Records that are not in the log and that it does not say are missing yet.
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Job {
    members: String,
    /// Records that are missing if this one is: itself, or those whose loss it would tell of.
    counts: u64,
    /// Told whether it is on the disk, if somebody waits for that.
    done: Option<oneshot::Sender<bool>>,
}

impl Keeper {
    /// Opens the log of a directory, and writes down that the gateway has started. On a full disk the
    /// log says later that this is missing: people must get at their sessions all the same, not
    /// least to make room.
    ///
    /// # Errors
    /// When the log cannot be written for another reason; the text names the file and the cure.
    pub fn start(dir: &Path) -> io::Result<Self> {
        let mut log = Log::open(dir, FILE_BYTES_MAX)?;
        let started = [members(SystemTime::now(), &Actor::gateway(), &Event::Started)];
        let lost = match log.append(&started) {
            Ok(()) => 0,
            Err(error) if is_full(&error) => {
                tracing::error!(%error, "the start is not in the audit log");
                1
            }
            Err(error) => return Err(error),
        };
        let (queue, jobs) = sync_channel(QUEUE_MAX);
        let lost = Arc::new(AtomicU64::new(lost));
        let missing = Arc::clone(&lost);
        let work = move || write(&mut log, &jobs, &missing);
        thread::Builder::new().name("audit".to_owned()).spawn(work)?;
        Ok(Self { queue, lost })
    }

    fn enqueue(
        &self,
        actor: &Actor,
        event: &Event,
        done: Option<oneshot::Sender<bool>>,
    ) -> Result<(), AuditFailed> {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let members = members(SystemTime::now(), &Actor::gateway(), &Event::Lost(lost));
            if self.queue.try_send(Job { members, counts: lost, done: None }).is_err() {
                self.lost.fetch_add(lost, Ordering::Relaxed);
            }
        }
        let members = members(SystemTime::now(), actor, event);
        self.queue.try_send(Job { members, counts: 1, done }).map_err(|error| {
            if matches!(error, TrySendError::Full(_)) {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
            AuditFailed
        })
    }
}

impl Audit for Keeper {
    fn note(&self, actor: &Actor, event: &Event) -> Result<(), AuditFailed> {
        self.enqueue(actor, event, None)
    }

    fn record(&self, actor: &Actor, event: &Event) -> BoxFuture<'_, Result<(), AuditFailed>> {
        let (done, written) = oneshot::channel();
        let queued = self.enqueue(actor, event, Some(done));
        Box::pin(async move {
            queued?;
            if written.await == Ok(true) { Ok(()) } else { Err(AuditFailed) }
        })
    }
}

/// Writes what waits, all of it at once, until nobody can send any more.
fn write(log: &mut Log, jobs: &Receiver<Job>, lost: &AtomicU64) {
    while let Ok(first) = jobs.recv() {
        let batch: Vec<Job> =
            std::iter::once(first).chain(jobs.try_iter().take(QUEUE_MAX)).collect();
        let counts: u64 = batch.iter().map(|job| job.counts).sum();
        let (records, waiting): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|job| (job.members, job.done)).unzip();
        let written = log.append(&records);
        if let Err(error) = &written {
            lost.fetch_add(counts, Ordering::Relaxed);
            tracing::error!(%error, records = records.len(), "writing the audit log");
        }
        for done in waiting.into_iter().flatten() {
            // Whoever asked may have gone.
            done.send(written.is_ok()).ok();
        }
    }
}

/// Whether there is no room for what was to be written.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
