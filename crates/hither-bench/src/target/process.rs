//! A server that the bench has started.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt as _};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hither_pty::{Pid, PidFd, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::proc_fs::{self, ProcessId};

/// Every process of a server has this in its environment, with a value of its own.
const TAG: &str = "HITHER_BENCH_RUN";
/// The file of its messages.
const LOG: &str = "log";
/// The folder of a gateway's sockets and token.
const RUNTIME_DIR: &str = "run";
/// How long a server may take to listen.
const START_MAX: Duration = Duration::from_secs(10);
/// How long it may take to end before it is killed.
const END_MAX: Duration = Duration::from_secs(5);

/// A server and everything it has started. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    tag: String,
    /// A directory of its own, for its messages and what it keeps while it runs.
    dir: PathBuf,
    executable: Option<PathBuf>,
}

/// The processes of a server, without those of its sessions, as they were at one time.
#[derive(Clone, Debug)]
pub(crate) struct OwnProcesses(Vec<ProcessId>);

/// What a server has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// CPU time of its own processes, those of its sessions excluded.
    pub(crate) cpu: Duration,
    /// Memory, shared pages counted by the share, in bytes.
    pub(crate) pss: u64,
    /// Sum of the largest resident sets, in bytes.
    pub(crate) peak_rss: u64,
}

impl ServerProcess {
    /// Starts `command`, in a process group of its own and with its messages in a file.
    ///
    /// # Errors
    /// When it cannot be executed.
    pub(crate) fn start(command: Command) -> io::Result<Self> {
        Self::start_with(command, &[])
    }

    /// The same with files, name and text, which the server finds where it starts.
    ///
    /// # Errors
    /// When they cannot be written, or the command cannot be executed.
    pub(crate) fn start_with(mut command: Command, files: &[(&str, &str)]) -> io::Result<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let run = format!("{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(format!("hither-bench-{run}"));
        DirBuilder::new().mode(0o700).create(&dir)?;
        for (name, text) in files {
            let file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(dir.join(name));
            file?.write_all(text.as_bytes())?;
        }
        if !files.is_empty() {
            command.current_dir(&dir);
        }
        let child = command
            .env(TAG, &run)
            .env("XDG_RUNTIME_DIR", &dir)
            .env("XDG_STATE_HOME", &dir)
            // Those of whoever runs the bench are not to be touched.
            .env("HITHER_RUNTIME_DIR", dir.join(RUNTIME_DIR))
            .env_remove("HITHER_STATE_DIR")
            .stdin(Stdio::null())
            .stderr(File::create(dir.join(LOG))?)
            .process_group(0)
            .spawn();
        let child = child.inspect_err(|_| drop(fs::remove_dir_all(&dir)))?;
        let tag = format!("{TAG}={run}");
        Ok(Self { child, tag, dir, executable: None })
    }

    /// The server's standard output, if it was piped.
    pub(crate) const fn stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits until the server accepts connections at `address`.
    ///
    /// # Errors
    /// When it ends or does not listen in time; with what it has said.
    pub(crate) fn wait_until_it_listens(&mut self, address: SocketAddr) -> io::Result<()> {
        let tries = START_MAX.as_millis() / 5;
        for _ in 0..tries {
            if std::net::TcpStream::connect(address).is_ok() {
                self.note_executable();
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(self.complaint(&format!("the server ended at once ({status})")));
            }
            pause(Duration::from_millis(5))?;
        }
        Err(self.complaint("the server does not listen"))
    }

    /// The token of a gateway, as soon as it has written it.
    ///
    /// # Errors
    /// When it does not in time, or the file cannot be read.
    pub(super) fn wait_for_token(&self) -> io::Result<String> {
        let path = self.dir.join(RUNTIME_DIR).join("token");
        for _ in 0..START_MAX.as_millis() / 5 {
            match fs::read_to_string(&path) {
                Ok(text) if !text.is_empty() => return Ok(text.trim().to_owned()),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => pause(Duration::from_millis(5))?,
            }
        }
        Err(self.complaint("the server has written no token"))
    }

    /// Takes note of what the server executes, now that it does.
    pub(super) fn note_executable(&mut self) {
        let main = ProcessId::try_from(self.child.id()).unwrap_or(0);
        self.executable = proc_fs::executable(main);
    }

    /// The server's own processes: all that it has started so far, except its sessions' programs.
    /// Looks at every process of the machine, so not while something is measured.
    pub(crate) fn own(&self) -> OwnProcesses {
        let all = proc_fs::processes_of(&self.tag, &self.dir);
        OwnProcesses(all.into_iter().filter(|id| self.is_own(*id)).collect())
    }

    fn is_own(&self, id: ProcessId) -> bool {
        // A server has the words of its session program among its arguments, too, but not first.
        let arguments = proc_fs::arguments(id);
        let words: Vec<&str> = arguments.iter().skip(1).take(2).map(String::as_str).collect();
        let is_program = words == ["bench", "child"] || words.first() == Some(&"child");
        !is_program && proc_fs::executable(id) == self.executable
    }

    fn complaint(&self, what: &str) -> io::Error {
        let said = fs::read_to_string(self.dir.join(LOG)).unwrap_or_default();
        let last: Vec<&str> = said.lines().rev().take(5).collect();
        let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
        io::Error::other(format!("{what}\n{last}"))
    }

    /// Asks all processes to end, and kills those that do not.
    fn end(&mut self) -> io::Result<()> {
        let handles: Vec<PidFd> = proc_fs::processes_of(&self.tag, &self.dir)
            .into_iter()
            .filter_map(|id| PidFd::open(Pid::from_raw(id)?).ok())
            .collect();
        for signal in [Signal::TERM, Signal::KILL] {
            for handle in &handles {
                // One that has ended meanwhile needs no signal.
                handle.send_signal(signal).ok();
            }
            let waited = self.wait_for(&handles);
            if waited? {
                break;
            }
        }
        self.child.wait().map(drop)
    }

    fn wait_for(&mut self, handles: &[PidFd]) -> io::Result<bool> {
        let mut passed = Duration::ZERO;
        while passed < END_MAX {
            // The server itself has to be reaped before its handle says that it has ended.
            self.child.try_wait()?;
            let living = handles.iter().find(|handle| !handle.has_ended().unwrap_or(true));
            let Some(living) = living else { return Ok(true) };
            let timeout = Timespec::try_from(Duration::from_millis(100)).ok();
            let mut fds = [PollFd::new(living, PollFlags::IN)];
            rustix::io::retry_on_intr(|| poll(&mut fds, timeout.as_ref()))?;
            passed += Duration::from_millis(if fds[0].revents().is_empty() { 100 } else { 1 });
        }
        Ok(false)
    }
}

impl OwnProcesses {
    /// What they have used so far.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            cpu: self.0.iter().map(|id| proc_fs::cpu_time(*id)).sum(),
            pss: self.0.iter().map(|id| proc_fs::pss(*id)).sum(),
            peak_rss: self.0.iter().map(|id| proc_fs::peak_rss(*id)).sum(),
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Nothing can be done for a server that survives SIGKILL, and a directory that cannot be
        // removed harms nobody.
        self.end().ok();
        fs::remove_dir_all(&self.dir).ok();
    }
}

/// Waits for nothing but time: a foreign server does not say when it listens.
pub(super) fn pause(time: Duration) -> io::Result<()> {
    let timeout = Timespec::try_from(time).ok();
    rustix::io::retry_on_intr(|| poll(&mut [], timeout.as_ref()))?;
    Ok(())
}
