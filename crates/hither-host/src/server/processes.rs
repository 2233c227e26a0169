//! The processes that sessions have started, as /proc shows them.
//!
//! The host is the parent of every process of a session that has lost its own, so all of them are
//! its descendants. Whose they are is told by the leader that they descend from; if that has ended,
//! by the session's name in their environment, or by the leader's number, which stays that of its
//! process group and session (credentials(7)) for as long as they have a member.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use hither_core::SessionId;
use hither_pty::{Pid, PidFd, Signal};
use rustix::process::getpid;

use super::session::pid_number;
use crate::message::SESSION_VARIABLE;

/// Most bytes of an environment that are searched.
const ENVIRONMENT_BYTES_MAX: u64 = 256 << 10;
/// Most ancestors that are looked at; a longer line ends nowhere.
const ANCESTORS_MAX: usize = 1 << 15;

/// A process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    parent: u32,
    /// Number of its session, that of the kernel.
    pub(super) session: u32,
    /// When it started, in clock ticks since boot: with its number, its name for all time.
    started: u64,
}

/// A session whose processes are looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) id: SessionId,
    /// Number of its leader.
    pub(super) leader: u32,
}

/// Whether this process may have children that are none of `leaders`: so it has when the kernel
/// does not tell.
pub(super) fn has_orphans(is_leader: impl Fn(u32) -> bool) -> bool {
    let own = pid_number(getpid());
    match fs::read_to_string(format!("/proc/self/task/{own}/children")) {
        Ok(children) => children
            .split_ascii_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .any(|pid| !is_leader(pid)),
        Err(_) => true,
    }
}

/// Whether a process may have children: so it has when the kernel does not tell.
pub(super) fn has_children(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    threads.into_iter().any(|thread| {
        let children = thread.and_then(|thread| fs::read(thread.path().join("children")));
        children.map_or(true, |children| !children.is_empty())
    })
}

/// The processes of a session, its leader apart, that have not ended. `leaders` are the sessions
/// whose leaders live.
pub(super) fn of_session(wanted: Wanted, leaders: &BTreeMap<u32, SessionId>) -> Vec<Process> {
    let all = all();
    let own = pid_number(getpid());
    let belongs = |process: &&Process| {
        process.pid != wanted.leader
            && eldest(process, &all, own).is_some_and(|eldest| match leaders.get(&eldest.pid) {
                Some(id) => *id == wanted.id,
                None => is_orphan_of(process, eldest, wanted),
            })
    };
    all.values().filter(belongs).copied().collect()
}

/// Whether a process whose leader has ended, or that has left it, belongs to a session.
fn is_orphan_of(process: &Process, eldest: &Process, wanted: Wanted) -> bool {
    let named = named_session(process.pid).or_else(|| named_session(eldest.pid));
    match named {
        Some(name) => name == wanted.id.as_bytes(),
        None => process.session == wanted.leader || eldest.session == wanted.leader,
    }
}

/// The ancestor, or the process itself, whose parent is the host.
fn eldest<'a>(
    process: &'a Process,
    all: &'a BTreeMap<u32, Process>,
    host: u32,
) -> Option<&'a Process> {
    let mut eldest = process;
    for _ in 0..ANCESTORS_MAX {
        if eldest.parent == host {
            return Some(eldest);
        }
        eldest = all.get(&eldest.parent)?;
    }
    None
}

/// All processes that have not ended.
fn all() -> BTreeMap<u32, Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, read(pid)?)))
        .collect()
}

fn read(pid: u32) -> Option<Process> {
    parse(pid, &fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// A line of proc_pid_stat(5); `None` for a process that has ended.
fn parse(pid: u32, stat: &[u8]) -> Option<Process> {
    // The name, in parentheses, may hold anything, even parentheses.
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let text = std::str::from_utf8(&stat[end + 1..]).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    let started = fields.nth(15)?.parse().ok()?;
    let ended = matches!(state, "Z" | "X");
    (!ended).then_some(Process { pid, parent, session, started })
}

/// The name that [`SESSION_VARIABLE`] had when the process was executed.
fn named_session(pid: u32) -> Option<Vec<u8>> {
    let file = fs::File::open(format!("/proc/{pid}/environ")).ok()?;
    let mut environment = Vec::new();
    file.take(ENVIRONMENT_BYTES_MAX).read_to_end(&mut environment).ok()?;
    let mut entries = environment.split(|&byte| byte == 0);
    let prefix = format!("{SESSION_VARIABLE}=");
    entries.find_map(|entry| entry.strip_prefix(prefix.as_bytes()).map(<[u8]>::to_vec))
}

impl Process {
    /// Sends a signal to this very process, not to another one that has its number now.
    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let Some(Ok(pidfd)) = pid.map(PidFd::open) else { return };
        // It cannot have been replaced between the two if it is the same now.
        if read(self.pid).is_some_and(|now| now.started == self.started) {
            // It may have ended meanwhile, or run as somebody else.
            pidfd.send_signal(signal).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let rest = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20";
        for name in ["sh", "a b", ") S 7 (", "\u{e9}"] {
            let line = format!("42 ({name}) S {rest}");
            let expect = Process { pid: 42, parent: 1, session: 3, started: 19 };
            assert_eq!(parse(42, line.as_bytes()), Some(expect), "{name}");
        }
        for line in ["", "42 (sh", "42 (sh) S 1 2", &format!("42 (sh) Z {rest}")] {
            assert_eq!(parse(42, line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_process_is_itself_and_not_its_number() {
        let own = pid_number(getpid());
        let process = read(own).unwrap();
        assert_eq!(process.pid, own);
        // Were the check missing, this would end the test.
        Process { started: process.started + 1, ..process }.signal(Signal::KILL);
        process.signal(Signal::CONT);
    }
}
