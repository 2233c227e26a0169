//! How the floor starts its program: the same for each of its modes.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStringExt;

use hither_pty::{Command, Master, Size, Spawner};
use rustix::fd::AsFd as _;

use super::relay::Terminal;

/// Starts the program in a terminal of its own.
#[derive(Debug)]
pub(super) struct Starter {
    spawner: Spawner,
    argv: Vec<CString>,
    env: Vec<CString>,
}

impl Starter {
    /// For one program, in the floor's own environment.
    pub(super) fn new(argv: Vec<CString>) -> io::Result<Self> {
        let env = std::env::vars_os()
            .map(|(name, value)| CString::new([name.into_vec(), value.into_vec()].join(&b'=')));
        let env = env.collect::<Result<_, _>>()?;
        Ok(Self { spawner: Spawner::new()?, argv, env })
    }

    pub(super) fn start(&mut self) -> io::Result<Terminal> {
        let (master, slave) = Master::open(Size { cols: 80, rows: 24 })?;
        let command = Command {
            program: &self.argv[0],
            argv: &self.argv,
            env: &self.env,
            cwd: c"/",
            umask: 0o022,
            open_files: None,
            cgroup: None,
        };
        let child = self.spawner.spawn(&command, slave.as_fd()).map_err(io::Error::other)?;
        Ok(Terminal { master, child: child.pidfd })
    }
}
