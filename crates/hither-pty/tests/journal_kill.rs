//! Kills readers of a flooding PTY at random moments and checks every byte.
//!
//! The same program is parent, writer and reader: the parent starts itself with a role.
#![allow(unsafe_code, missing_docs)]
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::io::{Error, ErrorKind, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use hither_core::journal::{Intent, recover};
use hither_core::{History, Offset, SessionId};
use hither_pty::{Journal, Mapping, sealed_memory};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::FdFlags;
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

const RING_AT: usize = 4096;
const CAPACITY: u64 = 1 << 20;
const SESSION: [u8; 10] = [1; 10];

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("role-writer") => write_for_ever(),
        Some("role-journalled") => read_for_ever(&fds(&args[2..]), Reader::Journalled),
        Some("role-naive") => read_for_ever(&fds(&args[2..]), Reader::Naive),
        Some("--list") => print_list(args.iter().any(|arg| arg == "--ignored")),
        _ => run_parent(),
    }
}

/// Answers nextest, which asks every test program what is in it.
fn print_list(ignored: bool) {
    if !ignored {
        println!("journal_kill: test");
    }
}

fn run_parent() {
    let kills = std::env::var("HITHER_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let (bytes, bad) = kill_readers("role-journalled", kills);
    assert_eq!(bad, None, "first bad offset after {bytes} bytes");
    println!("journalled reader: {kills} kills, {bytes} bytes, each exactly once");
    let (_, bad) = kill_readers("role-naive", 60);
    let at = bad.expect("a reader without a journal must be found out");
    println!("naive reader: found out at offset {at}");
    println!("2 passed, 0 failed");
}

/// The byte at an offset: any eight in a row name their place.
fn byte_at(offset: u64) -> u8 {
    let mut z = (offset / 8).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z.to_le_bytes()[(offset % 8) as usize]
}

fn write_for_ever() {
    let mut out = std::io::stdout().lock();
    let mut offset = 0;
    loop {
        let chunk: Vec<u8> = (offset..offset + 16_384).map(byte_at).collect();
        out.write_all(&chunk).unwrap();
        offset += 16_384;
    }
}

#[derive(Clone, Copy)]
enum Reader {
    Journalled,
    Naive,
}

/// A ring in shared memory whose head is word 0.
struct Ring {
    memory: Mapping,
    history: History,
}

impl Ring {
    fn open(memory: &OwnedFd) -> Self {
        let memory = Mapping::new(memory).unwrap();
        let head = Offset(memory.word(0).load(SeqCst));
        Self { memory, history: History::new(CAPACITY, head).unwrap() }
    }

    fn run(&mut self, len: u64) -> &mut [u8] {
        let run = self.history.free_run(len);
        self.memory.bytes_mut(RING_AT + run.start..RING_AT + run.end)
    }

    fn take(&mut self, journal: &Journal, mut left: u64) {
        while left > 0 {
            let n = journal.read(self.run(left)).unwrap() as u64;
            self.history.advance(n);
            left -= n;
        }
    }

    fn publish(&self) {
        self.memory.word(0).store(self.history.head().0, SeqCst);
    }

    fn byte(&self, offset: u64) -> u8 {
        let at = RING_AT + (offset % CAPACITY) as usize;
        self.memory.bytes(at..at + 1)[0]
    }
}

fn read_for_ever(fds: &[RawFd], reader: Reader) {
    // SAFETY: the parent passed these descriptors to this process and nobody else owns them here.
    let mut fds = fds.iter().map(|&fd| unsafe { OwnedFd::from_raw_fd(fd) });
    let (master, memory) = (fds.next().unwrap(), fds.next().unwrap());
    let journal =
        Journal::from_parts(fds.next().unwrap(), fds.next().unwrap(), fds.next().unwrap()).unwrap();
    let mut ring = Ring::open(&memory);
    let name = *SessionId::from_random(SESSION).as_bytes();
    loop {
        let result = match reader {
            Reader::Journalled => {
                journal.name(&name, ring.history.head().0);
                journal.splice_from(&master, 16_384).map(|n| {
                    journal.pend(n as u64);
                    ring.take(&journal, n as u64);
                    ring.publish();
                    journal.pend(0);
                })
            }
            Reader::Naive => rustix::io::read(&master, ring.run(16_384)).map(|n| {
                ring.history.advance(n as u64);
                ring.publish();
            }),
        };
        match result {
            Ok(()) => {}
            Err(rustix::io::Errno::AGAIN) => {
                poll(&mut [PollFd::new(&master, PollFlags::IN)], None).unwrap();
            }
            Err(error) => panic!("reading: {error}"),
        }
    }
}

/// Starts and kills readers one after the other. Returns the bytes checked and the first bad
/// offset.
fn kill_readers(role: &str, kills: u32) -> (u64, Option<u64>) {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    rustix::io::ioctl_fionbio(&master, true).unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let slave =
        rustix::pty::ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    let mut termios = rustix::termios::tcgetattr(&slave).unwrap();
    termios.make_raw();
    rustix::termios::tcsetattr(&slave, OptionalActions::Now, &termios).unwrap();
    let mut writer = start("role-writer", &[], Stdio::from(slave));

    let memory = sealed_memory("ring", RING_AT as u64 + CAPACITY).unwrap();
    let journal = Journal::create().unwrap();
    let mut inherited = vec![master.as_raw_fd(), memory.as_raw_fd()];
    for fd in journal.parts() {
        inherited.push(fd.as_raw_fd());
        rustix::io::fcntl_setfd(fd, FdFlags::empty()).unwrap();
    }
    rustix::io::fcntl_setfd(&master, FdFlags::empty()).unwrap();
    rustix::io::fcntl_setfd(&memory, FdFlags::empty()).unwrap();

    let (mut checked, mut bad) = (0, None);
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut reader = start(role, &inherited, Stdio::null());
        wait_for_progress(&memory, checked);
        pause(Duration::from_micros(random % 3000));
        reader.kill().unwrap();
        reader.wait().unwrap();
        let ring = survive(&journal, &memory);
        let head = ring.history.head().0;
        let from = checked.max(head.saturating_sub(CAPACITY));
        bad = (from..head).find(|&offset| ring.byte(offset) != byte_at(offset));
        checked = head;
        if bad.is_some() {
            break;
        }
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    (checked, bad)
}

/// Brings the ring to where the killed reader left the stream.
fn survive(journal: &Journal, memory: &OwnedFd) -> Ring {
    let mut ring = Ring::open(memory);
    let raw = journal.intent();
    let session = SessionId::from_random(SESSION);
    let intent = Intent { session, head: Offset(raw.head), pending: raw.pending };
    let recovery = recover(intent, ring.history.head(), journal.unread().unwrap()).unwrap();
    if let Some(intent) = recovery.intent {
        journal.name(&raw.session, intent.head.0);
        journal.pend(intent.pending);
    }
    ring.history = History::new(CAPACITY, recovery.head).unwrap();
    ring.take(journal, recovery.unread);
    ring.publish();
    journal.pend(0);
    ring
}

/// Returns when a reader has published something, so that each kill meets one at work.
fn wait_for_progress(memory: &OwnedFd, checked: u64) {
    let words = Mapping::new(memory).unwrap();
    while words.word(0).load(SeqCst) == checked {
        pause(Duration::from_micros(50));
    }
}

/// Lets time pass: the moment of the kill is the random input of this test.
fn pause(time: Duration) {
    let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(time.subsec_nanos()) };
    poll(&mut [], Some(&timeout)).unwrap();
}

fn start(role: &str, fds: &[RawFd], stdout: Stdio) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .arg(role)
        .args(fds.iter().map(ToString::to_string))
        .stdin(Stdio::null())
        .stdout(stdout)
        .spawn()
        .unwrap()
}

fn fds(args: &[String]) -> Vec<RawFd> {
    args.iter()
        .map(|arg| arg.parse().map_err(|_| Error::from(ErrorKind::InvalidInput)))
        .collect::<Result<_, _>>()
        .unwrap()
}
