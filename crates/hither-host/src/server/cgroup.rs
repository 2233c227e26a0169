//! A cgroup (v2) of each session's own, where the host may make one: no process leaves it by forking,
//! and `cgroup.kill` ends all of them at once (cgroups(7)).

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::{fs, io};

use hither_core::SessionId;
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, access, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use rustix::process::{Pid, getpid, test_kill_process};

use super::session::pid_number;

/// How the name of each cgroup of ours begins; the number of the host and the session follow.
const PREFIX: &str = "hither-";

/// The cgroup that the host is in, below which it makes others.
pub(super) struct Cgroups {
    parent: OwnedFd,
    path: PathBuf,
    /// Cgroups that are to be removed when they become empty: those of sessions that are forgotten,
    /// with processes that were to be left alone, and those of hosts that were killed.
    left: Vec<String>,
}

/// Whether the sessions of a host that is started here get a cgroup each: `Ok` if so, or else what
/// is in the way. Otherwise the processes of a session are looked for one by one when it ends.
///
/// # Errors
/// No cgroup v2 is mounted, none may be made below that of this process, or it cannot be killed.
pub fn probe_cgroups() -> io::Result<()> {
    Cgroups::open().map(drop)
}

impl Cgroups {
    /// Looks for the place, and tries it.
    pub(super) fn open() -> io::Result<Self> {
        let membership = fs::read_to_string("/proc/self/cgroup")?;
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        let path = place(&membership, &mounts)
            .ok_or_else(|| io::Error::other("no cgroup v2 hierarchy is mounted"))?;
        // Processes may be started below only by who may move them out of here.
        access(path.join("cgroup.procs"), Access::WRITE_OK)?;
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let parent = openat(CWD, &path, flags, Mode::empty())?;
        let mut cgroups = Self { parent, path, left: Vec::new() };
        cgroups.sweep();
        let probe = format!("{PREFIX}{}-probe", pid_number(getpid()));
        let tried = cgroups.make(&probe).and_then(|()| cgroups.kill_named(&probe));
        cgroups.unlink(&probe);
        Ok(tried.map(|()| cgroups)?)
    }

    /// Makes the cgroup of a session; `None` when that fails, which is no reason not to start it.
    pub(super) fn create(&self, id: SessionId) -> Option<OwnedFd> {
        let name = name(id);
        self.make(&name).ok()?;
        let flags = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
        openat(&self.parent, &name, flags, Mode::empty()).ok()
    }

    /// Kills all processes of a session.
    pub(super) fn kill(&self, id: SessionId) {
        // Without the cgroup, or a descriptor, the processes are still looked for one by one.
        self.kill_named(&name(id)).ok();
    }

    /// Whether a process of the session is left.
    pub(super) fn is_populated(&self, id: SessionId) -> bool {
        let events = self.read(&format!("{}/cgroup.events", name(id)));
        events.is_ok_and(|events| events.lines().any(|line| line == "populated 1"))
    }

    /// Removes the cgroup of a session, at once or when its last process has ended.
    pub(super) fn remove(&mut self, id: SessionId) {
        let name = name(id);
        if !self.unlink(&name) {
            self.left.push(name);
        }
    }

    /// Removes the cgroups that have become empty.
    pub(super) fn tidy(&mut self) {
        let left = std::mem::take(&mut self.left);
        self.left = left.into_iter().filter(|name| !self.unlink(name)).collect();
    }

    fn make(&self, name: &str) -> Result<(), Errno> {
        mkdirat(&self.parent, name, Mode::RWXU | Mode::RGRP | Mode::XGRP)
    }

    fn kill_named(&self, name: &str) -> Result<(), Errno> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let file = openat(&self.parent, format!("{name}/cgroup.kill"), flags, Mode::empty())?;
        rustix::io::write(&file, b"1").map(drop)
    }

    fn read(&self, path: &str) -> Result<String, Errno> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(&self.parent, path, flags, Mode::empty())?;
        let mut text = [0; 256];
        let len = rustix::io::read(&file, &mut text)?;
        Ok(String::from_utf8_lossy(&text[..len]).into_owned())
    }

    /// Whether the cgroup is gone now.
    fn unlink(&self, name: &str) -> bool {
        matches!(unlinkat(&self.parent, name, AtFlags::REMOVEDIR), Ok(()) | Err(Errno::NOENT))
    }

    /// Removes what this host has left, and those before it that were killed; the kernel keeps what
    /// has processes.
    pub(super) fn sweep(&mut self) {
        let entries = fs::read_dir(&self.path).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let orphaned = |name: &String| {
            maker(name).is_some_and(|host| test_kill_process(host) == Err(Errno::SRCH))
        };
        self.left.extend(names.filter(orphaned));
        self.tidy();
    }
}

/// Name of the cgroup of a session of this host.
fn name(id: SessionId) -> String {
    format!("{PREFIX}{}-{id}", pid_number(getpid()))
}

/// The host that has made the cgroup of this name, if one has.
fn maker(name: &str) -> Option<Pid> {
    let (host, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    Pid::from_raw(host.parse().ok().filter(|host| *host > 0)?)
}

/// Directory of the cgroup v2 that a process is in, by its /proc/PID/cgroup and mountinfo.
fn place(membership: &str, mounts: &str) -> Option<PathBuf> {
    let own = membership.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        if kind.split(' ').next()? != "cgroup2" {
            return None;
        }
        // The root of the mount within the hierarchy, and where it is (proc_pid_mountinfo(5)).
        let mut fields = mount.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let below = Path::new(own).strip_prefix(root).ok()?;
        Some(Path::new(point).join(below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_found_by_mount_and_membership() {
        let mount = |root: &str, point: &str| {
            format!(
                "20 1 0:5 / /proc rw - proc proc rw\n30 29 0:26 {root} {point} rw shared:9 - cgroup2 cgroup2 rw\n"
            )
        };
        let legacy = "8:pids:/\n0::/user/a.scope\n";
        for (membership, root, point, expect) in [
            ("0::/\n", "/", "/sys/fs/cgroup", Some("/sys/fs/cgroup/")),
            (legacy, "/", "/sys/fs/cgroup/unified", Some("/sys/fs/cgroup/unified/user/a.scope")),
            (legacy, "/user", "/cg", Some("/cg/a.scope")),
            (legacy, "/other", "/cg", None),
            ("8:pids:/\n", "/", "/sys/fs/cgroup", None),
        ] {
            let found = place(membership, &mount(root, point));
            assert_eq!(found.as_deref(), expect.map(Path::new), "{membership} {root}");
        }
        assert_eq!(place("0::/", "20 1 0:5 / /proc rw - proc proc rw"), None);
    }

    #[test]
    fn only_names_of_ours_are_swept() {
        assert_eq!(maker("hither-42-abc"), Pid::from_raw(42));
        for name in ["hither-0-a", "hither--1-a", "hither-42", "hither-x-y", "user.slice"] {
            assert_eq!(maker(name), None, "{name}");
        }
    }
}
