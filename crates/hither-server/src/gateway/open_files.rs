//! The limit of open files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process open as many files as the hard limit allows: each session takes one, each
/// viewer another. Returns the limit before, if it was another.
pub(super) fn raise_open_files() -> Option<Rlimit> {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => Some(before),
        Err(error) => {
            tracing::warn!(%error, "raising the limit of open files");
            None
        }
    }
}

/// Gives the limit back that was before, for a successor that raises it itself.
pub(super) fn restore_open_files(limit: Option<Rlimit>) {
    if let Some(limit) = limit
        && let Err(error) = setrlimit(Resource::Nofile, limit)
    {
        tracing::warn!(%error, "restoring the limit of open files");
    }
}
