//! Whether people should be sent here: `GET /api/ready`.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use crate::ends::wait_until;
use crate::place::{Gateway, HITHER, health};

/// Status and code, or `ready`.
fn ready(gateway: &Gateway) -> (u16, String) {
    let (status, answer) = gateway.get("/api/ready");
    let word = answer["code"].as_str().or_else(|| answer["status"].as_str());
    (status, word.unwrap_or_default().to_owned())
}

/// The PTY host of a gateway.
pub(crate) fn host(gateway: &Gateway) -> Pid {
    let wanted = format!("host\0--runtime-dir\0{}\0", gateway.run_dir().display());
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap());
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let host = pids.find(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.ends_with(wanted.as_bytes())
    });
    Pid::from_raw(host.expect("a PTY host runs")).unwrap()
}

#[test]
fn a_gateway_is_ready_while_it_has_a_pty_host_and_gets_itself_another() {
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("hither");
    fs::copy(HITHER, &program).unwrap();
    let gateway = Gateway::start_as(&program, &[]);
    let yes = (200, "ready".to_owned());
    wait_until(|| ready(&gateway) == yes);
    // No program, no new host.
    let aside = programs.path().join("aside");
    fs::rename(&program, &aside).unwrap();
    kill_process(host(&gateway), Signal::KILL).unwrap();
    wait_until(|| ready(&gateway) == (503, "host_unavailable".to_owned()));
    assert_eq!(health(gateway.address).unwrap(), "HTTP/1.1 200 OK");
    fs::rename(&aside, &program).unwrap();
    wait_until(|| ready(&gateway) == yes);
    gateway.session("exec cat");
}
