//! What others find out about the gateway and the PTY host: rows P08, P11, P13 and P15.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal};

use crate::gateway::Gateway;

/// Somebody without rights; tests that run as root have to become one.
const NOBODY: u32 = 65_534;

/// Runs as the user of the tests, or as nobody when that is root.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// A gateway of an unprivileged user, in a folder of its own.
struct Unprivileged {
    gateway: Child,
    folder: tempfile::TempDir,
    hither: PathBuf,
}

impl Unprivileged {
    fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Where the program was built may be closed to others.
        let hither = folder.path().join("hither");
        fs::copy(env!("CARGO_BIN_EXE_hither"), &hither).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&home, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut gateway = unprivileged(&hither)
            .args(["serve", "--no-auth", "--port", "0", "--runtime-dir"])
            .arg(home.join("run"))
            .args(options)
            .current_dir(&home)
            .env("CANARY", "in-the-environment")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = std::io::BufReader::new(gateway.stdout.take().unwrap());
        let mut greeting = String::new();
        std::io::BufRead::read_line(&mut out, &mut greeting).unwrap();
        assert!(greeting.contains("http://"), "{greeting}");
        Self { gateway, folder, hither }
    }

    /// Whether another process of the same user can read a file of proc(5) of the gateway.
    fn can_read(&self, name: &str) -> bool {
        let path = format!("/proc/{}/{name}", self.gateway.id());
        let read = unprivileged(Path::new("/bin/sh"))
            .args(["-c", r#"cat "$0" >/dev/null || ls "$0"/. >/dev/null"#, &path])
            .stderr(Stdio::null())
            .status();
        read.unwrap().success()
    }
}

impl Drop for Unprivileged {
    fn drop(&mut self) {
        self.gateway.kill().ok();
        self.gateway.wait().ok();
        let run = self.folder.path().join("home/run");
        unprivileged(&self.hither).args(["kill", "--all", "--runtime-dir"]).arg(run).output().ok();
    }
}

#[test]
fn p08_programs_of_the_same_user_cannot_look_into_the_gateway() {
    let hardened = Unprivileged::start(&[]);
    for name in ["environ", "maps", "auxv", "fd", "map_files", "io"] {
        assert!(!hardened.can_read(name), "{name}");
    }
    // The check sees something where nothing is forbidden.
    let open = Unprivileged::start(&["--hardening", "off"]);
    for name in ["environ", "maps", "fd"] {
        assert!(open.can_read(name), "{name}");
    }
}

/// How a process ends that gets SIGABRT, in a shell that allows cores of any size: whether it left
/// one.
fn leaves_core(command: &mut Command, pid: impl Fn(&mut Child) -> Pid) -> bool {
    let mut child = command.spawn().unwrap();
    let pid = pid(&mut child);
    rustix::process::kill_process(pid, Signal::ABORT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()), "{status:?}");
    status.core_dumped()
}

#[test]
fn p08_a_gateway_that_crashes_leaves_no_core() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = |hardening: &str| {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", r#"ulimit -c unlimited 2>/dev/null; exec "$@""#, "sh"])
            .arg(env!("CARGO_BIN_EXE_hither"))
            .args(["serve", "--no-auth", "--port", "0", "--hardening", hardening, "--runtime-dir"])
            .arg(folder.path().join(hardening))
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        leaves_core(&mut command, |child| {
            let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
            std::io::BufRead::read_line(&mut out, &mut String::new()).unwrap();
            Pid::from_child(child)
        })
    };
    assert!(!gateway("on"));
    // Whether this machine writes cores at all, a program without secrets tells.
    let mut sleep = Command::new("/bin/sh");
    sleep.args(["-c", "ulimit -c unlimited 2>/dev/null; echo; exec sleep 1000"]);
    sleep.current_dir(folder.path()).stdout(Stdio::piped());
    let usual = leaves_core(&mut sleep, |child| {
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut String::new()).unwrap();
        Pid::from_child(child)
    });
    assert_eq!(gateway("off"), usual, "the check sees cores where there are any");
    for name in ["on", "off"] {
        let run = folder.path().join(name);
        let hither = env!("CARGO_BIN_EXE_hither");
        Command::new(hither).args(["kill", "--all", "--runtime-dir"]).arg(run).output().ok();
    }
}

#[test]
fn p11_a_runtime_directory_of_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |dir: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_hither"))
            .args(["serve", "--port", "0", "--runtime-dir"])
            .arg(dir)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), told)
    };
    let open = folder.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let (code, told) = serve(&open);
    assert!(code == Some(78) && told.contains("0755"), "{code:?} {told}");

    let real = folder.path().join("real");
    fs::create_dir(&real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o700)).unwrap();
    let link = folder.path().join("link");
    symlink(&real, &link).unwrap();
    let (code, told) = serve(&link);
    assert!(code == Some(78), "{code:?} {told}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(serve(&file).0, Some(78));
    assert_eq!(fs::read_dir(&real).unwrap().count(), 0, "nothing was started");
}

#[test]
fn p13_the_gateway_has_no_more_rights_than_it_was_started_with() {
    let gateway = Gateway::start();
    let line = |pid: &str, name: &str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.lines().find(|line| line.starts_with(name)).unwrap().to_owned()
    };
    for name in ["CapEff", "CapPrm", "CapInh", "Uid", "Gid"] {
        assert_eq!(line(&gateway.pid().to_string(), name), line("self", name));
    }
}

#[test]
fn p15_files_and_sockets_are_for_their_user_only() {
    let gateway = Gateway::with(&[], &[]);
    gateway.ask("POST", "/api/auth/login", r#"{"username":"x","password":"y"}"#);
    let mut seen = 0;
    let mut folders = vec![gateway.folder().join("run")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            assert_eq!(meta.mode() & 0o077, 0, "{} {:o}", path.display(), meta.mode());
            assert_eq!(meta.uid(), rustix::process::geteuid().as_raw(), "{}", path.display());
            assert!(!meta.is_symlink(), "{}", path.display());
            seen += 1;
            if meta.is_dir() {
                folders.push(path);
            }
        }
    }
    assert!(seen >= 2, "{seen}");
}
