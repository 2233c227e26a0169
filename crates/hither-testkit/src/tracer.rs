//! strace(1) as a tool that hits the gateway at exact places.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::Pid;

/// What is done to calls of a system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection(Vec<String>);

/// A tracer that follows a running program; ends with it, or when dropped.
#[derive(Debug)]
pub struct Tracer(Child);

impl Injection {
    /// Kills the program when one of its threads is about to make its `number`-th call.
    #[must_use]
    pub fn kill_at(syscall: &str, number: u64) -> Self {
        Self::new(syscall, &format!("signal=SIGKILL:when={number}"))
    }

    /// Makes the `number`-th call of each thread fail with `error`.
    #[must_use]
    pub fn fail_at(syscall: &str, number: u64, error: &str) -> Self {
        Self::new(syscall, &format!("error={error}:when={number}"))
    }

    /// Holds the program up for so many microseconds before and after every call.
    #[must_use]
    pub fn slow(syscall: &str, microseconds: u32) -> Self {
        Self::new(syscall, &format!("delay_enter={microseconds}:delay_exit={microseconds}"))
    }

    /// The same, for calls on files with this path alone.
    #[must_use]
    pub fn on(mut self, path: &str) -> Self {
        self.0.extend(["-P".to_owned(), path.to_owned()]);
        self
    }

    fn new(syscall: &str, what: &str) -> Self {
        let trace = format!("trace={syscall}");
        let inject = format!("inject={syscall}:{what}");
        Self(["-f", "-o", "/dev/null", "-e", &trace, "-e", &inject].map(str::to_owned).to_vec())
    }

    /// Words before those of a program, which keeps its process id. No other calls are held up.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let first = ["strace", "-D", "-qqq", "--seccomp-bpf"].map(str::to_owned);
        [&first[..], &self.0].concat()
    }

    /// Does it to a running program, all of its threads, from now on.
    ///
    /// # Errors
    /// When strace cannot be run or may not trace the program.
    pub fn attach(&self, pid: Pid) -> io::Result<Tracer> {
        let mut strace = Command::new("strace")
            .args(&self.0)
            .args(["-p", &pid.as_raw_nonzero().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        if let Some(err) = strace.stderr.take() {
            BufReader::new(err).read_line(&mut said)?;
        }
        let tracer = Tracer(strace);
        if said.contains("attached") { Ok(tracer) } else { Err(io::Error::other(said)) }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // The kernel lets go of what a dead tracer followed, and lets it run on (ptrace(2)).
        if self.0.kill().is_ok() {
            drop(self.0.wait());
        }
    }
}
