//! A gateway that was told nothing: row A03.

use std::collections::HashSet;
use std::fs;

use crate::gateway::Gateway;

/// The numbers of the sockets that a process has open (proc_pid_fd(5)).
fn sockets(pid: u32) -> HashSet<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = entries.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    let names = links.filter_map(|link| link.to_str().map(str::to_owned));
    names
        .filter_map(|name| Some(name.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect()
}

/// Local addresses of those of the sockets that listen (proc_net_tcp(5)).
fn listening(table: &str, own: &HashSet<String>) -> Vec<String> {
    let table = fs::read_to_string(table).unwrap_or_default();
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row[3] == "0A" && own.contains(row[9])).map(|row| row[1].to_owned()).collect()
}

#[test]
fn a03_without_settings_it_listens_on_loopback_and_one_secret_opens_it_once() {
    // Its descriptors are to be seen.
    let gateway = Gateway::with(&["--hardening", "off"], &[]);
    let own = sockets(gateway.pid());
    let found = [listening("/proc/net/tcp", &own), listening("/proc/net/tcp6", &own)].concat();
    // 127.0.0.1, as the kernel writes it on a machine that is little endian, and its port.
    let port = gateway.host().rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let loopback = u32::from_ne_bytes([127, 0, 0, 1]);
    assert_eq!(found, [format!("{loopback:08X}:{port:04X}")]);

    let secret = gateway.greeting.trim().rsplit("#t=").next().unwrap().to_owned();
    // 43 characters of base64url are 256 bits and two that are zero.
    assert_eq!(secret.len(), 43, "{secret}");
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    assert!(secret.chars().all(is_base64url), "{secret}");
    let other = Gateway::with(&[], &[]);
    assert!(!other.greeting.contains(&secret), "another gateway has another");
    let origin = format!("origin: http://{}\r\n", gateway.host());
    let body = format!(r#"{{"secret":"{secret}"}}"#);
    for expect in [204, 401, 401] {
        let (status, answer) = gateway.ask_with("POST", "/api/auth/launch", &origin, &body);
        assert_eq!(status, expect, "{answer}");
    }
    assert_eq!(gateway.ask("GET", "/api/sessions", "").0, 401, "nobody is in without it");
}
