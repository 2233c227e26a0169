//! Processes for the tests to start and to kill.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use hither_host::{FromHost, HostConnection, RuntimeDir, ToHost, Tracing, serve, serve_detached};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["host", dir] => exit(serve(Path::new(dir), Tracing::Allowed)),
        // So that the tests can count its descriptors.
        ["host", dir, "detached"] => exit(serve_detached(Path::new(dir), Tracing::Allowed)),
        ["host", dir, "guarded"] => exit(serve_detached(Path::new(dir), Tracing::Forbidden)),
        ["claim", dir] => claim(Path::new(dir)),
        _ => ExitCode::from(2),
    }
}

fn exit<E: std::fmt::Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout, reason = "the test reads it")]
fn say(line: &str) {
    println!("{line}");
}

/// Claims the host, says so, and stays until it is killed.
fn claim(dir: &Path) -> ExitCode {
    let dir = RuntimeDir::open(dir).expect("the test has made it");
    let mut host = HostConnection::connect(&dir).expect("a host runs");
    host.send::<std::os::fd::OwnedFd>(&ToHost::Claim).expect("it is listening");
    loop {
        match host.recv(Duration::from_secs(60)) {
            Ok(FromHost::AdoptEnd) => say("claimed"),
            Ok(FromHost::ClaimRefused { pid }) => say(&format!("refused {pid}")),
            Ok(_) => {}
            Err(_) => return ExitCode::FAILURE,
        }
    }
}
