//! The workers' journals, which a PTY host keeps.

use std::os::fd::{AsFd, OwnedFd};

use hither_host::message::JournalFds;
use hither_host::{ClientError, HostConnection, ToHost};
use hither_pty::Journal;

/// Gives the journals to a host to keep.
pub(super) fn put_journals(
    host: &HostConnection,
    journals: &[JournalFds<OwnedFd>],
) -> Result<(), ClientError> {
    for (index, journal) in (0..).zip(journals) {
        let fds = JournalFds {
            read_end: journal.read_end.as_fd(),
            write_end: journal.write_end.as_fd(),
            memory: journal.memory.as_fd(),
        };
        host.send(&ToHost::PutJournal { index, fds })?;
    }
    Ok(())
}

/// The descriptors of a journal once more.
pub(super) fn duplicate(journal: &Journal) -> std::io::Result<JournalFds<OwnedFd>> {
    let [read_end, write_end, memory] = journal.parts();
    Ok(JournalFds {
        read_end: read_end.try_clone_to_owned()?,
        write_end: write_end.try_clone_to_owned()?,
        memory: memory.try_clone_to_owned()?,
    })
}
