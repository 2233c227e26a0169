//! What the kernel can do.

use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::{Result, write};
use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice, tee};
use rustix::process::{PidfdFlags, getpid, pidfd_open};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::system::uname;

use super::Finding;

/// Oldest kernel that is supported.
const KERNEL_MIN: (u32, u32) = (6, 1);
/// First kernel that tells the exit status of somebody else's child by its pidfd.
const KERNEL_EXIT_INFO: (u32, u32) = (6, 15);
/// Longest wait for one byte to cross a PTY.
const PTY_WAIT: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The kernel's version.
pub(super) fn version() -> Finding {
    judge_version(&uname().release().to_string_lossy())
}

fn judge_version(release: &str) -> Finding {
    let what = format!("Linux {release}");
    match parse_version(release) {
        None => Finding::fair(
            format!("{what}: the version could not be read"),
            "make sure that it is 6.1 or later",
        ),
        Some(version) if version < KERNEL_MIN => {
            Finding::bad(format!("{what} is older than 6.1"), "install a later kernel")
        }
        Some(version) if version < KERNEL_EXIT_INFO => Finding::fair(
            format!("{what} (before 6.15)"),
            "works; the exit status of a program may be unknown if its PTY host was killed",
        ),
        Some(_) => Finding::good(what),
    }
}

/// The first two numbers of a release such as `6.18.44-cloud-amd64`.
fn parse_version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(['.', '-', '+']);
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.parse().ok()?;
    Some((major, minor))
}

/// PTYs, and whether their output can be moved without being copied, which a gateway needs to
/// survive its own death between two steps.
pub(super) fn pty_splice() -> Finding {
    match splice_one_byte() {
        Ok(true) => Finding::good("PTYs can be opened, and their output spliced"),
        Ok(false) => Finding::bad(
            "a byte written to a PTY did not arrive within 1 s",
            "see whether the machine is overloaded, then try again",
        ),
        Err(err) => Finding::bad(
            format!("PTYs cannot be opened or spliced: {err}"),
            "mount devpts on /dev/pts, allow /dev/ptmx, and allow splice and tee in the sandbox",
        ),
    }
}

/// Sends a byte through a new PTY into a pipe, and a copy of it into another.
fn splice_one_byte() -> Result<bool> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let slave = ioctl_tiocgptpeer(&master, flags)?;
    write(&slave, b"x")?;
    let mut ready = [PollFd::new(&master, PollFlags::IN)];
    if poll(&mut ready, Some(&PTY_WAIT))? == 0 {
        return Ok(false);
    }
    let (first, second) = (new_pipe()?, new_pipe()?);
    splice(&master, None, &first.1, None, 1, SpliceFlags::NONBLOCK)?;
    Ok(tee(&first.0, &second.1, 1, SpliceFlags::NONBLOCK)? == 1)
}

fn new_pipe() -> Result<(OwnedFd, OwnedFd)> {
    pipe_with(PipeFlags::CLOEXEC)
}

/// Shared memory without a name, for the history.
pub(super) fn memfd() -> Finding {
    match memfd_create("hither-doctor", MemfdFlags::CLOEXEC) {
        Ok(_) => Finding::good("memory can be shared without a name (memfd)"),
        Err(err) => Finding::bad(
            format!("memory cannot be shared without a name (memfd): {err}"),
            "allow memfd_create in the sandbox",
        ),
    }
}

/// Handles of processes, to learn of their end.
pub(super) fn pidfd() -> Finding {
    match pidfd_open(getpid(), PidfdFlags::empty()) {
        Ok(_) => Finding::good("processes can be watched (pidfd)"),
        Err(err) => Finding::bad(
            format!("processes cannot be watched (pidfd): {err}"),
            "allow pidfd_open in the sandbox",
        ),
    }
}

/// How the processes of a session that is closed are found.
pub(super) fn cgroups() -> Finding {
    judge_cgroups(hither_host::probe_cgroups())
}

fn judge_cgroups(probed: std::io::Result<()>) -> Finding {
    match probed {
        Ok(()) => Finding::good("each session gets a cgroup, which ends with all its processes"),
        Err(err) => Finding::fair(
            format!("processes of a session are looked for one by one when it ends: {err}"),
            "works; to end also those that hide, start Hither in a cgroup (v2) of the user's own, \
             as a systemd user service or with Delegate=yes",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn versions_are_judged() {
        for (release, expect) in [
            ("6.18.44-cloud-amd64", Verdict::Good),
            ("6.15", Verdict::Good),
            ("7.0-rc1", Verdict::Good),
            ("6.1.0-9-amd64", Verdict::Fair),
            ("6.14.11+", Verdict::Fair),
            ("6.0.19", Verdict::Bad),
            ("5.15.0", Verdict::Bad),
            ("unheard-of", Verdict::Fair),
            ("", Verdict::Fair),
        ] {
            assert_eq!(judge_version(release).verdict, expect, "{release}");
        }
    }

    #[test]
    fn a_missing_cgroup_is_told_with_its_cause() {
        assert_eq!(judge_cgroups(Ok(())).verdict, Verdict::Good);
        let finding = judge_cgroups(Err(std::io::Error::other("not mounted")));
        assert_eq!(finding.verdict, Verdict::Fair);
        assert!(finding.what.contains("one by one") && finding.what.ends_with("not mounted"));
    }
}
