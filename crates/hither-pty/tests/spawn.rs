//! Real processes on real PTYs: what a child starts with, and how its end is told.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    reason = "helpers of tests; signals are ignored and blocked, which only libc can do"
)]

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use hither_pty::{
    Child, Command, ExitStatus, Master, Rlimit, Signal, Size, SpawnError, Spawner, Stage,
};
use rustix::event::{PollFd, PollFlags, poll};

const SIZE: Size = Size { cols: 80, rows: 24 };

/// A program with its arguments and an environment of two variables.
struct Program {
    argv: Vec<CString>,
    env: Vec<CString>,
}

impl Program {
    fn new(argv: &[&str]) -> Self {
        let strings =
            |texts: &[&str]| texts.iter().map(|text| CString::new(*text).unwrap()).collect();
        Self { argv: strings(argv), env: strings(&["PATH=/usr/bin:/bin", "ONLY=this one"]) }
    }

    fn command(&self) -> Command<'_> {
        Command {
            program: &self.argv[0],
            argv: &self.argv,
            env: &self.env,
            cwd: c"/usr",
            umask: 0o027,
            open_files: None,
            cgroup: None,
        }
    }

    fn run(&self) -> (String, ExitStatus) {
        run(&self.command())
    }
}

fn spawn(command: &Command<'_>, slave: BorrowedFd<'_>) -> Result<Child, SpawnError> {
    Spawner::new().unwrap().spawn(command, slave)
}

fn run(command: &Command<'_>) -> (String, ExitStatus) {
    let (master, slave) = Master::open(SIZE).unwrap();
    let child = spawn(command, slave.as_fd()).unwrap();
    drop(slave);
    (read_to_end(master), child.pidfd.wait().unwrap())
}

/// Reads until the kernel says that nobody has the slave open any more.
fn read_to_end(master: Master) -> String {
    let mut file = File::from(OwnedFd::from(master));
    let mut output = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let mut fds = [PollFd::new(&file, PollFlags::IN)];
        poll(&mut fds, None).unwrap();
        match file.read(&mut chunk) {
            Ok(len) => output.extend_from_slice(&chunk[..len]),
            Err(error) if error.raw_os_error() == Some(libc::EIO) => break,
            Err(error) => panic!("{error}"),
        }
    }
    String::from_utf8(output).unwrap().replace("\r\n", "\n")
}

fn sh(script: &str) -> (String, ExitStatus) {
    Program::new(&["/bin/sh", "-c", script]).run()
}

/// The value of a line `name: value` of /proc/PID/status.
fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find(|line| line.starts_with(name));
    line.unwrap_or_else(|| panic!("{name} in {status}"))[name.len() + 1..].trim()
}

fn refusal(command: &Command<'_>) -> SpawnError {
    let (_master, slave) = Master::open(SIZE).unwrap();
    spawn(command, slave.as_fd()).unwrap_err()
}

#[test]
fn child_has_the_terminal_as_0_1_2_and_nothing_else() {
    let inheritable = File::open("/dev/null").unwrap();
    rustix::io::fcntl_setfd(&inheritable, rustix::io::FdFlags::empty()).unwrap();
    let (output, _) = sh("cd /proc/$$/fd; ls -1; readlink 0 1 2; tty");
    drop(inheritable);
    let tty = output.lines().last().unwrap();
    assert!(tty.starts_with("/dev/pts/"), "{output}");
    assert_eq!(output, format!("0\n1\n2\n{tty}\n{tty}\n{tty}\n{tty}\n"));
}

#[test]
fn child_starts_with_default_signals_and_an_empty_mask() {
    let ignored = [libc::SIGINT, libc::SIGHUP, libc::SIGUSR2, 40];
    for signal in ignored {
        // SAFETY: ignoring a signal runs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    // SAFETY: both pointers are valid or null.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
    }
    let own = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    assert_ne!(field(&own, "SigIgn"), "0000000000000000");
    assert_ne!(field(&own, "SigBlk"), "0000000000000000");
    let (status, _) = Program::new(&["/bin/cat", "/proc/self/status"]).run();
    for name in ["SigIgn", "SigBlk", "SigCgt", "SigPnd", "ShdPnd"] {
        assert_eq!(field(&status, name), "0000000000000000", "{name}");
    }
    let after = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    assert_eq!(field(&after, "SigBlk"), field(&own, "SigBlk"));
    assert_eq!(field(&after, "SigIgn"), field(&own, "SigIgn"));
}

#[test]
fn child_leads_its_own_session_and_holds_the_foreground() {
    let (stat, _) = Program::new(&["/bin/cat", "/proc/self/stat"]).run();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let pid = stat.split_once(' ').unwrap().0;
    // After the state: ppid, pgrp, session, tty_nr, tpgid (proc_pid_stat(5)).
    assert_eq!(fields[1], std::process::id().to_string());
    assert_eq!((fields[2], fields[3], fields[5]), (pid, pid, pid));
    let major = fields[4].parse::<u32>().unwrap() >> 8;
    assert!((136..=143).contains(&major), "a pts is the controlling terminal: {stat}");
}

#[test]
fn child_has_exactly_the_given_environment_directory_and_mask() {
    assert_eq!(
        sh("cat /proc/self/environ | tr '\\0' '\\n'; pwd; umask").0,
        "PATH=/usr/bin:/bin\nONLY=this one\nPWD=/usr\n/usr\n0027\n"
    );
    let (environ, _) = Program::new(&["/usr/bin/env"]).run();
    assert_eq!(environ, "PATH=/usr/bin:/bin\nONLY=this one\n");
}

#[test]
fn limit_of_open_files_is_set_for_the_child_only() {
    let before = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let program = Program::new(&["/bin/sh", "-c", "ulimit -Sn; ulimit -Hn"]);
    let limit = Rlimit { current: Some(77), maximum: Some(99) };
    let command = Command { open_files: Some(limit), ..program.command() };
    assert_eq!(run(&command).0, "77\n99\n");
    let after = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    assert_eq!(after, before);
}

#[test]
fn terminal_starts_cooked_echoing_and_with_utf8() {
    let (modes, _) = sh("stty -a; stty size");
    for mode in [" icanon", " echo ", " iutf8", " onlcr", " icrnl", "isig", " iexten", "erase = ^?"]
    {
        assert!(modes.contains(mode), "{mode} in {modes}");
    }
    assert!(modes.ends_with("24 80\n"), "{modes}");
}

#[test]
fn master_sees_the_modes_and_sets_the_size() {
    let (master, slave) = Master::open(SIZE).unwrap();
    let echo = |master: &Master| {
        let flags = master.echo_flags().unwrap();
        (flags.echo, flags.canonical)
    };
    assert_eq!(echo(&master), (true, true));
    let mut modes = rustix::termios::tcgetattr(&slave).unwrap();
    modes.make_raw();
    rustix::termios::tcsetattr(&slave, rustix::termios::OptionalActions::Now, &modes).unwrap();
    assert_eq!(echo(&master), (false, false));
    let size = Size { cols: 132, rows: 43 };
    master.set_size(size).unwrap();
    assert_eq!(master.size().unwrap(), size);
    let seen = rustix::termios::tcgetwinsize(&slave).unwrap();
    assert_eq!((seen.ws_col, seen.ws_row), (132, 43));
}

#[test]
fn master_never_blocks() {
    let (master, _slave) = Master::open(SIZE).unwrap();
    let mut taken = 0;
    let error = loop {
        match master.write(&[b'x'; 1024]) {
            Ok(len) => taken += len,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    assert!(taken >= 4095, "{taken}");
    let flags = rustix::fs::fcntl_getfl(&master).unwrap();
    assert!(flags.contains(rustix::fs::OFlags::NONBLOCK));
    let cloexec = rustix::io::fcntl_getfd(&master).unwrap();
    assert!(cloexec.contains(rustix::io::FdFlags::CLOEXEC));
}

#[test]
fn every_exit_code_is_exact() {
    for code in 0..=u8::MAX {
        assert_eq!(sh(&format!("exit {code}")).1, ExitStatus::Code(code));
    }
}

#[test]
fn every_deadly_signal_is_exact() {
    for signal in (1..=31).filter_map(Signal::from_named_raw) {
        // Ignored, continuing or stopping by default (signal(7)).
        let harmless = [
            Signal::CHILD,
            Signal::CONT,
            Signal::STOP,
            Signal::TSTP,
            Signal::TTIN,
            Signal::TTOU,
            Signal::URG,
            Signal::WINCH,
        ];
        if harmless.contains(&signal) {
            continue;
        }
        let number = signal.as_raw();
        let (_, status) = sh(&format!("ulimit -c 0; kill -{number} $$"));
        let expect = ExitStatus::Signal { signal: number.try_into().unwrap(), core_dumped: false };
        assert_eq!(status, expect);
    }
}

#[test]
fn pidfd_signals_and_tells_the_end() {
    let (_master, slave) = Master::open(SIZE).unwrap();
    let program = Program::new(&["/bin/sleep", "1000"]);
    let child = spawn(&program.command(), slave.as_fd()).unwrap();
    assert_eq!(child.pidfd.reap().unwrap(), None);
    assert!(!child.pidfd.has_ended().unwrap());
    child.pidfd.send_signal(Signal::KILL).unwrap();
    let mut fds = [PollFd::new(&child.pidfd, PollFlags::IN)];
    poll(&mut fds, None).unwrap();
    assert!(child.pidfd.has_ended().unwrap());
    let killed = ExitStatus::Signal { signal: 9, core_dumped: false };
    assert_eq!(child.pidfd.reap().unwrap(), Some(killed));
    let again = child.pidfd.reap().unwrap_err();
    assert_eq!(again.raw_os_error(), Some(libc::ECHILD));
}

#[test]
fn failures_name_the_stage_and_leave_nothing() {
    let program = Program::new(&["/no/such/program"]);
    let missing = program.command();
    let check = |command: &Command<'_>, stage, errno, text: &str| {
        let error = refusal(command);
        assert_eq!(error, SpawnError { stage, errno });
        let name = command.program.to_str().unwrap();
        assert_eq!(error.explain(name, command.cwd.to_str().unwrap()), text);
    };
    let with = |program: &'static CStr| Command { program, ..missing };
    check(
        &missing,
        Stage::Exec,
        libc::ENOENT,
        "cannot execute /no/such/program: No such file or directory (os error 2)",
    );
    check(
        &with(c"/etc/passwd"),
        Stage::Exec,
        libc::EACCES,
        "cannot execute /etc/passwd: Permission denied (os error 13)",
    );
    check(
        &Command { cwd: c"/no/such/place", ..with(c"/bin/true") },
        Stage::Directory,
        libc::ENOENT,
        "cannot enter directory /no/such/place: No such file or directory (os error 2)",
    );
    let too_low = Rlimit { current: Some(9), maximum: Some(8) };
    check(
        &Command { open_files: Some(too_low), ..with(c"/bin/true") },
        Stage::Limits,
        libc::EINVAL,
        "cannot start /bin/true: setting limits: Invalid argument (os error 22)",
    );
}

#[test]
fn a_terminal_that_belongs_to_another_session_is_refused() {
    let (_master, slave) = Master::open(SIZE).unwrap();
    let program = Program::new(&["/bin/sleep", "1000"]);
    let owner = spawn(&program.command(), slave.as_fd()).unwrap();
    let error = spawn(&program.command(), slave.as_fd()).unwrap_err();
    assert_eq!(error.stage, Stage::ControllingTerminal);
    owner.pidfd.send_signal(Signal::KILL).unwrap();
    owner.pidfd.wait().unwrap();
}

#[test]
fn arguments_too_long_for_the_kernel_are_an_error() {
    let huge = "x".repeat(200_000);
    let program = Program::new(&["/bin/true", &huge]);
    let error = refusal(&program.command());
    assert_eq!(error, SpawnError { stage: Stage::Exec, errno: libc::E2BIG });
}

#[test]
fn works_with_thousands_of_descriptors_open() {
    let null = File::open("/dev/null").unwrap();
    let many: Vec<OwnedFd> = (0..2000).map(|_| null.try_clone().unwrap().into()).collect();
    let (output, status) = sh("ls -1 /proc/$$/fd");
    assert_eq!((output.as_str(), status), ("0\n1\n2\n", ExitStatus::Code(0)));
    let last = many.last().unwrap();
    assert!(rustix::io::fcntl_getfd(last).is_ok(), "fd {}", last.as_raw_fd());
}

#[test]
fn a_spawner_leaves_no_descriptor_and_no_slave_behind() {
    let mut spawner = Spawner::new().unwrap();
    let program = Program::new(&["/bin/true"]);
    let missing = Program::new(&["/no/such/program"]);
    for _ in 0..50 {
        let (master, slave) = Master::open(SIZE).unwrap();
        let child = spawner.spawn(&program.command(), slave.as_fd()).unwrap();
        spawner.spawn(&missing.command(), slave.as_fd()).unwrap_err();
        drop(slave);
        // Ends only if nobody holds the slave, the spawner included.
        assert_eq!(read_to_end(master), "");
        assert_eq!(child.pidfd.wait().unwrap(), ExitStatus::Code(0));
    }
}
