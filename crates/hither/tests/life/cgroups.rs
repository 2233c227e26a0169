//! Processes that leave no trace of whose they are: ended by the cgroup of their session.

use std::path::PathBuf;

use crate::ends::{Family, STUBBORN, wait_until};
use crate::place::Gateway;
use crate::shortage::{can, start_by};

/// A process without ancestors, terminal, session or environment of its session.
const ESCAPED: &str = "setsid env -i /bin/sh -c \
    '(setsid env -i /bin/sh -c \"echo escaped \\$\\$ >&9; exec sleep 1000\" &)'; ";

/// What makes a shell forget all cgroups (v2).
const WITHOUT: &str = "umount -l -a -t cgroup2";

fn doctor(gateway: &Gateway) -> String {
    String::from_utf8(gateway.hither(&["doctor"]).stdout).unwrap()
}

/// Directory of the cgroup of a process.
fn cgroup_of(pid: &str) -> PathBuf {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let mount = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2")).unwrap();
    let cgroup = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let path = cgroup.lines().find_map(|line| line.strip_prefix("0::/")).unwrap();
    PathBuf::from(mount.split(' ').nth(1).unwrap()).join(path)
}

/// Row S05 with a cgroup: whatever a process does, it ends with its session, which leaves nothing.
#[test]
fn not_even_a_process_that_hides_outlives_its_session() {
    let gateway = Gateway::start(&[]);
    if doctor(&gateway).contains("one by one") {
        return eprintln!("not shown: no cgroup (v2) can be made here");
    }
    let ready = gateway.fifo();
    let script = format!("{STUBBORN} {ESCAPED} echo $$ >{}; sleep 1000", ready.display());
    let (id, family) = Family::start(&gateway, None, 8, &script);
    let leader = std::fs::read_to_string(ready).unwrap();
    let cgroup = cgroup_of(leader.trim());
    assert!(cgroup.to_str().unwrap().ends_with(&id), "{cgroup:?}");
    assert!(family.alive().contains(&"escaped"));
    assert_eq!(gateway.delete(&format!("/api/sessions/{id}")).0, 200);
    family.expect_end();
    wait_until(|| !cgroup.exists());
}

/// What is kept keeps its cgroup until it ends.
#[test]
fn what_is_kept_is_not_killed_by_the_cgroup() {
    let gateway = Gateway::start(&[]);
    if doctor(&gateway).contains("one by one") {
        return eprintln!("not shown: no cgroup (v2) can be made here");
    }
    // The host lives as long as there is a session.
    let _other = gateway.session("exec sleep 1000");
    let script = format!("{ESCAPED} echo leader $$ >&9; sleep 1000");
    let (id, family) = Family::start(&gateway, Some("keep"), 2, &script);
    let pid = gateway.leader(&id);
    let cgroup = cgroup_of(&pid.to_string());
    assert_eq!(gateway.delete(&format!("/api/sessions/{id}")).0, 200);
    wait_until(|| family.alive() == ["escaped"]);
    assert!(cgroup.exists());
    family.kill();
    wait_until(|| !cgroup.exists());
}

/// Row S05 without a cgroup: all that can be told apart end; the one that hides is why there are
/// cgroups, and that it lives shows that the tests above can fail.
#[test]
fn without_a_cgroup_processes_are_looked_for_one_by_one() {
    if !can(&format!("unshare -m sh -c '{WITHOUT}'")) {
        return eprintln!("not shown: this process may not unmount");
    }
    let script = format!("exec unshare -m sh -c '{WITHOUT}; exec \"$@\"' sh \"$@\"");
    let gateway = start_by(&script, &[]);
    let script = format!("{STUBBORN} echo leader $$ >&9; {ESCAPED} sleep 1000");
    let (id, family) = Family::start(&gateway, None, 9, &script);
    assert_eq!(gateway.delete(&format!("/api/sessions/{id}")).0, 200);
    wait_until(|| family.alive() == ["escaped"]);
    family.kill();
}
