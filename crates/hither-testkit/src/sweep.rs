//! The deterministic sweep: a gateway dies at its N-th call of a system call, for every N until it
//! has done everything.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use crate::account::Account;
use crate::chaos::seqgen;
use crate::gateway::{Gateway, Home};
use crate::pattern::{Discipline, Kind, Pattern};
use crate::random::Random;
use crate::seqsink::wait_until_ready;
use crate::tracer::Injection;
use crate::typist::{Typed, Typist};
use crate::watch::{Progress, Watch, Watched};

/// What is swept.
#[derive(Debug)]
pub struct Sweep {
    /// The program of the gateways, and the one that runs in sessions.
    pub program: PathBuf,
    /// The program that runs in sessions.
    pub testkit: PathBuf,
    /// Environment variables of the gateway.
    pub variables: Vec<(String, String)>,
    /// Bytes that the program in the session writes.
    pub output: u64,
    /// Numbers that the typist gives at least.
    pub input: u64,
    /// How long anything may take before it counts as hung.
    pub patience: Duration,
}

/// What became of one system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The gateway died at calls 1 to this one; at the next it had done everything.
    pub deaths: u64,
    /// Broken promises, with the number of the call.
    pub violations: Vec<String>,
}

/// When the tracer begins to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When the gateway starts, and takes over sessions.
    Starting,
    /// When it listens, and viewers are about to come.
    Serving,
}

/// What happens in a run.
enum Happened {
    Watched(Box<Watched>),
    Typed(Typed),
    Died,
}

/// Client id of the typist.
const TYPIST: u64 = 7;

impl Sweep {
    /// Kills at every call of `syscall` until a gateway lives, or `most` have died.
    ///
    /// # Errors
    /// When something could not be run.
    pub fn kill(&self, syscall: &str, moment: Moment, most: u64) -> io::Result<Swept> {
        let mut swept = Swept { deaths: 0, violations: Vec::new() };
        for number in 1..=most {
            let once = self.run_once(&Injection::kill_at(syscall, number), moment)?;
            let deaths = once.deaths;
            swept.add(once, &format!("killed at call {number} of {syscall}, {moment:?}"));
            if deaths == 0 || !swept.violations.is_empty() {
                break;
            }
        }
        Ok(swept)
    }

    /// Makes one call of `syscall` fail with `error`, the first, the second, and so on up to `most`.
    /// The gateway may live or die of it.
    ///
    /// # Errors
    /// When something could not be run.
    pub fn fail(&self, syscall: &str, error: &str, most: u64) -> io::Result<Swept> {
        self.fail_each(syscall, error, most, |injection| injection)
    }

    /// The same with calls that write to a PTY's master.
    ///
    /// # Errors
    /// When something could not be run.
    pub fn fail_typing(&self, error: &str, most: u64) -> io::Result<Swept> {
        self.fail_each("write", error, most, |injection| injection.on("/dev/ptmx"))
    }

    fn fail_each(
        &self,
        syscall: &str,
        error: &str,
        most: u64,
        narrow: impl Fn(Injection) -> Injection,
    ) -> io::Result<Swept> {
        let mut swept = Swept { deaths: 0, violations: Vec::new() };
        for number in 1..=most {
            let injection = narrow(Injection::fail_at(syscall, number, error));
            let once = self.run_once(&injection, Moment::Serving)?;
            swept.add(once, &format!("{error} at call {number} of {syscall}"));
            if !swept.violations.is_empty() {
                break;
            }
        }
        Ok(swept)
    }

    /// One gateway dies at that place; the next one goes on.
    fn run_once(&self, injection: &Injection, moment: Moment) -> io::Result<Swept> {
        let home =
            self.variables.iter().fold(
                Home::new(&self.program)?.options(&["--workers", "1"]),
                |home, (name, value)| home.variable(name, value),
            );
        let (tell, told) = sync_channel(4);
        let scene = Scene::prepare(self, &home)?;
        let (mut gateway, tracer) = match moment {
            Moment::Starting => (home.spawn_through(&injection.words())?, None),
            Moment::Serving => {
                let gateway = home.start()?;
                let tracer = injection.attach(gateway.pid())?;
                (gateway, Some(tracer))
            }
        };
        scene.begin(self, &home, &tell)?;
        let mut deaths = 0;
        let mut results = Results::default();
        while !results.complete() {
            match self.next_event(&told, &mut gateway)? {
                Some(Happened::Died) => {
                    deaths += 1;
                    gateway.wait()?;
                    gateway = home.start()?;
                }
                Some(Happened::Watched(watched)) => results.watched = Some(watched),
                Some(Happened::Typed(typed)) => results.typed = Some(typed),
                None => {
                    let hung = Some("nothing happens any more".to_owned());
                    let violations = hung.into_iter().chain(home.panics()).collect();
                    return Ok(Swept { deaths, violations });
                }
            }
        }
        let log = std::fs::read(home.path().join("input.log"))?;
        let written = scene.account.written()?.bytes;
        let mut violations = results.violations(written, &log);
        violations.extend(home.panics());
        // A tracer that ends within a call that it makes fail leaves ENOSYS behind, of which the
        // gateway may die; that is not counted.
        drop(tracer);
        Ok(Swept { deaths, violations })
    }

    /// What happens next; none: nothing for too long.
    fn next_event(
        &self,
        told: &Receiver<Happened>,
        gateway: &mut Gateway,
    ) -> io::Result<Option<Happened>> {
        // A gateway that dies tells nobody, so it is asked in between.
        const BETWEEN: Duration = Duration::from_millis(2);
        let rounds = self.patience.as_millis() / BETWEEN.as_millis();
        for _ in 0..rounds {
            if let Ok(event) = told.recv_timeout(BETWEEN) {
                return Ok(Some(event));
            }
            if !gateway.is_running()? {
                return Ok(Some(Happened::Died));
            }
        }
        Ok(None)
    }
}

impl Swept {
    fn add(&mut self, once: Self, place: &str) {
        self.deaths += once.deaths;
        self.violations.extend(once.violations.iter().map(|text| format!("{place}: {text}")));
    }
}

/// Two sessions that wait for their viewers.
#[derive(Debug)]
struct Scene {
    account: Account,
    pattern: Pattern,
    start: PathBuf,
    flood: String,
    sink: String,
}

impl Scene {
    /// Starts the sessions with a gateway that is gone afterwards.
    fn prepare(sweep: &Sweep, home: &Home) -> io::Result<Self> {
        let pattern = Pattern { seed: 1, kind: Kind::Records, discipline: Discipline::Raw };
        let (path, start) = (home.path().join("account"), home.path().join("start"));
        make_fifo(&start)?;
        let account = Account::create(&path, sweep.output)?;
        let gateway = home.start()?;
        let mut words = seqgen(&sweep.testkit, pattern, &path);
        words.extend(["--exit".to_owned(), "3".to_owned(), "--start".to_owned()]);
        words.push(start.display().to_string());
        let flood = gateway.create(&words)?;
        let log = home.path().join("input.log").display().to_string();
        let words = [&sweep.testkit.display().to_string(), "seqsink", "--log", &log];
        let sink = gateway.create(&words.map(str::to_owned))?;
        let address = home.place().address().ok_or_else(|| io::Error::other("no gateway"))?;
        wait_until_ready(address, &sink, sweep.patience).map_err(io::Error::other)?;
        gateway.kill()?;
        Ok(Self { account, pattern, start, flood, sink })
    }

    /// Lets viewer, typist and program begin.
    fn begin(&self, sweep: &Sweep, home: &Home, tell: &SyncSender<Happened>) -> io::Result<()> {
        let watch = Watch {
            session: self.flood.clone(),
            client: 1,
            features: vec!["wait"],
            pattern: self.pattern,
            patience: sweep.patience,
        };
        let (place, telling) = (home.place().clone(), tell.clone());
        std::thread::spawn(move || {
            let progress = Arc::new(Progress::default());
            let number = progress.enter();
            let watched = Box::new(watch.run(&place, &progress, number));
            drop(telling.send(Happened::Watched(watched)));
        });
        let (session, patience) = (self.sink.clone(), sweep.patience);
        let typist = Typist { session, client: TYPIST, least: sweep.input, patience };
        let (place, telling) = (home.place().clone(), tell.clone());
        std::thread::spawn(move || {
            let typed = typist.run(&place, &AtomicBool::new(true), &mut Random::new(1));
            drop(telling.send(Happened::Typed(typed)));
        });
        drop(std::fs::OpenOptions::new().write(true).open(&self.start)?);
        Ok(())
    }
}

fn make_fifo(path: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    Ok(mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?)
}

/// What viewer and typist came to.
#[derive(Debug, Default)]
struct Results {
    watched: Option<Box<Watched>>,
    typed: Option<Typed>,
}

impl Results {
    const fn complete(&self) -> bool {
        self.watched.is_some() && self.typed.is_some()
    }

    fn violations(self, written: u64, log: &[u8]) -> Vec<String> {
        let mut violations = Vec::new();
        if let Some(watched) = self.watched {
            violations.extend(watched.violation);
            let end = watched.ledger.check_end(written);
            violations.extend(end.err().map(|violation| violation.to_string()));
        }
        if let Some(typed) = self.typed {
            violations.extend(typed.violation.clone());
            violations.extend(typed.check(TYPIST, log).err());
        }
        violations
    }
}
