//! Gateways killed at every system call of the way of a byte.

use std::time::Duration;

use hither_testkit::program;
use hither_testkit::sweep::{Moment, Sweep, Swept};

/// Bytes and input records of a run: a few chunks, or as much as the environment says.
fn sweep() -> Sweep {
    let long = std::env::var("HITHER_SWEEP").is_ok_and(|length| length == "long");
    Sweep {
        program: env!("CARGO_BIN_EXE_hither").into(),
        testkit: program::testkit(),
        variables: Vec::new(),
        output: if long { 200_000 } else { 12_000 },
        input: if long { 100 } else { 6 },
        patience: Duration::from_secs(30),
    }
}

fn survives(syscall: &str) {
    for moment in [Moment::Starting, Moment::Serving] {
        let swept = sweep().kill(syscall, moment, 2000).unwrap();
        println!("{syscall}, {moment:?}: died at each of {} calls", swept.deaths);
        assert_eq!(swept.violations, Vec::<String>::new());
        assert!(moment == Moment::Starting || swept.deaths > 0, "{syscall} is on the way");
    }
}

#[test]
fn k04_killed_at_every_splice() {
    survives("splice");
}

#[test]
fn k04_killed_at_every_read() {
    survives("read");
}

#[test]
fn k04_killed_at_every_write() {
    survives("write");
}

#[test]
fn k04_killed_at_every_send() {
    survives("sendmsg,writev,sendto");
}

#[test]
fn k04_killed_at_every_receive() {
    survives("recvmsg,recvfrom");
}

#[test]
fn k04_killed_at_every_wait() {
    survives("epoll_wait,epoll_pwait,epoll_pwait2");
}

/// An error of the kernel at any call costs nobody a byte.
fn bears(syscall: &str, error: &str) {
    let most = if std::env::var_os("HITHER_SWEEP").is_some() { 100 } else { 6 };
    let swept = sweep().fail(syscall, error, most).unwrap();
    assert_eq!(swept.violations, Vec::<String>::new());
}

#[test]
fn k05_interrupted_calls_are_made_again() {
    // Not write(2): a tracer cannot leave out tokio's to its own eventfd, which no kernel interrupts
    // (eventfd(2)) and tokio relies on.
    for syscall in ["splice", "read", "writev", "recvfrom", "epoll_wait"] {
        bears(syscall, "EINTR");
    }
}

#[test]
fn k05_a_kernel_without_memory_or_descriptors_costs_nobody_a_byte() {
    for (syscall, error) in [
        ("splice", "ENOMEM"),
        ("writev", "ENOMEM"),
        ("writev", "EPIPE"),
        ("accept4", "EMFILE"),
        ("madvise", "ENOMEM"),
    ] {
        bears(syscall, error);
    }
}

#[test]
fn k05_a_broken_disk_or_socket_costs_nobody_a_byte() {
    for (syscall, error) in
        [("read", "EIO"), ("read", "EFAULT"), ("writev", "EIO"), ("writev", "ENOSPC")]
    {
        bears(syscall, error);
    }
}

/// Row K05 for input: what the PTY does not take for a moment is typed later, in order and once.
#[test]
fn k05_input_waits_while_the_kernel_has_no_memory_for_it() {
    for error in ["ENOMEM", "EINTR"] {
        let most = if std::env::var_os("HITHER_SWEEP").is_some() { 100 } else { 6 };
        let swept = sweep().fail_typing(error, most).unwrap();
        assert_eq!(swept, Swept { deaths: 0, violations: Vec::new() });
    }
}

#[test]
fn control_a_head_published_too_early_is_found_by_the_sweep() {
    let variables = vec![("HITHER_MUTANT".to_owned(), "publishes-first".to_owned())];
    let sweep = Sweep { variables, ..sweep() };
    let swept = sweep.kill("read", Moment::Serving, 2000).unwrap();
    assert!(!swept.violations.is_empty(), "the mutant survived {} deaths", swept.deaths);
}
