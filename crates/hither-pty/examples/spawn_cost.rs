//! What it costs to start a program on a PTY: this crate against fork and exec.
//!
//! `cargo run --release -p hither-pty --example spawn_cost [ROUNDS [HEAP_MIB [DESCRIPTORS]]]`
//!
//! Prints the median and the 99th percentile, in microseconds, of the time the caller is held up,
//! while it holds a heap and open descriptors of the given size, as a host or a gateway would.
#![allow(
    unsafe_code,
    clippy::print_stdout,
    reason = "pre_exec is the usual way that this is measured against; the output is the purpose"
)]

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command as StdCommand, Stdio};
use std::time::Instant;

use hither_pty::{Command, Master, Size, Spawner};

const SIZE: Size = Size { cols: 80, rows: 24 };

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<usize>());
    let mut next = |default| args.next().and_then(Result::ok).unwrap_or(default);
    let (rounds, heap_mib, descriptors) = (next(300), next(64), next(3000));
    let mut spawner = Spawner::new()?;
    let heap = vec![1_u8; heap_mib << 20];
    let null: OwnedFd = File::open("/dev/null")?.into();
    let held = (0..descriptors).map(|_| null.try_clone()).collect::<Result<Vec<_>, _>>()?;
    println!("{heap_mib} MiB of heap, {descriptors} descriptors, {rounds} rounds");
    for program in ["/bin/true", "/bin/bash"] {
        let mut ours = Vec::new();
        let mut forked = Vec::new();
        for _ in 0..rounds {
            ours.push(ours_us(&mut spawner, program)?);
            forked.push(forked_us(program)?);
        }
        report(program, "hither-pty", &mut ours);
        report(program, "fork+exec", &mut forked);
    }
    drop((heap, held));
    Ok(())
}

fn ours_us(spawner: &mut Spawner, program: &str) -> std::io::Result<u128> {
    let (master, slave) = Master::open(SIZE)?;
    let program = CString::new(program)?;
    let command = Command {
        program: &program,
        argv: std::slice::from_ref(&program),
        env: &[],
        cwd: c"/",
        umask: 0o022,
        open_files: None,
        cgroup: None,
    };
    let start = Instant::now();
    let child = spawner.spawn(&command, slave.as_fd()).map_err(std::io::Error::other)?;
    let took = start.elapsed().as_micros();
    drop((master, slave));
    child.pidfd.send_signal(hither_pty::Signal::KILL).ok();
    child.pidfd.wait()?;
    Ok(took)
}

fn forked_us(program: &str) -> std::io::Result<u128> {
    let (master, slave) = Master::open(SIZE)?;
    let mut command = StdCommand::new(program);
    command.env_clear().current_dir("/");
    command.stdin(Stdio::from(slave.try_clone()?));
    command.stdout(Stdio::from(slave.try_clone()?));
    command.stderr(Stdio::from(slave));
    // SAFETY: the closure makes three system calls.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
            libc::syscall(libc::SYS_close_range, 3, libc::c_int::MAX, libc::CLOSE_RANGE_CLOEXEC);
            Ok(())
        })
    };
    let start = Instant::now();
    let mut child = command.spawn()?;
    let took = start.elapsed().as_micros();
    drop(master);
    child.kill().ok();
    child.wait()?;
    Ok(took)
}

fn report(program: &str, way: &str, took: &mut [u128]) {
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    println!("{program:10} {way:10} p50 {:5} us  p99 {:5} us", at(50), at(99));
}
