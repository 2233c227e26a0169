//! The thread that writes: the control plane goes on while the disk works.

use std::io;
use std::path::Path;
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
    lost: AtomicU64,
}

#[derive(Debug)]
struct Job {
    members: String,
    /// Told whether it is on the disk, if somebody waits for that.
    done: Option<oneshot::Sender<bool>>,
}

impl Keeper {
    /// Opens the log of a directory, and writes down that the gateway has started.
    ///
    /// # Errors
    /// When the log cannot be written; the text names the file and the cure.
    pub fn start(dir: &Path) -> io::Result<Self> {
        let mut log = Log::open(dir, FILE_BYTES_MAX)?;
        log.append(&[members(SystemTime::now(), &Actor::gateway(), &Event::Started)])?;
        let (queue, jobs) = sync_channel(QUEUE_MAX);
        thread::Builder::new().name("audit".to_owned()).spawn(move || write(&mut log, &jobs))?;
        Ok(Self { queue, lost: AtomicU64::new(0) })
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
            if self.queue.try_send(Job { members, done: None }).is_err() {
                self.lost.fetch_add(lost, Ordering::Relaxed);
            }
        }
        let members = members(SystemTime::now(), actor, event);
        self.queue.try_send(Job { members, done }).map_err(|error| {
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
fn write(log: &mut Log, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let batch: Vec<Job> =
            std::iter::once(first).chain(jobs.try_iter().take(QUEUE_MAX)).collect();
        let (records, waiting): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|job| (job.members, job.done)).unzip();
        let written = log.append(&records);
        if let Err(error) = &written {
            tracing::error!(%error, records = records.len(), "writing the audit log");
        }
        for done in waiting.into_iter().flatten() {
            // Whoever asked may have gone.
            done.send(written.is_ok()).ok();
        }
    }
}
