//! Kills the gateway at random moments while sessions flood and viewers watch, and checks that
//! nobody notices more than a pause.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::contention::Contention;
use crate::fault::{Fault, Kind};
use crate::gateway::{Gateway, Home};
use crate::pattern::{self, Discipline, Pattern};
use crate::random::Random;
use crate::seqsink::wait_until_ready;
use crate::typist::{Typed, Typist};
use crate::watch::{Progress, Watch, Watched};

/// What a run of chaos does.
#[derive(Clone, Debug)]
pub struct Chaos {
    /// Brings a run's choices back; the kernel's timing stays its own.
    pub seed: u64,
    /// How often something happens to the gateway.
    pub kills: u32,
    /// What may happen.
    pub faults: Vec<Kind>,
    /// How many sessions flood.
    pub sessions: u64,
    /// How many viewers each of them has.
    pub viewers: u64,
    /// Longest time between a viewer's first output and the kill.
    pub delay_max: Duration,
    /// How long anything may take before it counts as hung.
    pub patience: Duration,
    /// The program that runs in sessions.
    pub testkit: PathBuf,
    /// Whether the time to come back counts in full, on a machine that has nothing else to do. Otherwise
    /// as many times as long is allowed as everything takes longer meanwhile.
    pub strict: bool,
    /// Words before the program of all gateways but the first, such as those of a tracer that slows
    /// system calls down, so that more kills hit them.
    pub through: Vec<String>,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Kills and other faults that were done.
    pub kills: u32,
    /// Kills while the gateway was still starting, or its successor.
    pub early_kills: u32,
    /// Upgrades after which every viewer was shown output before anything else happened.
    pub upgrades: u32,
    /// Bytes that viewers were shown, all of them checked.
    pub bytes: u64,
    /// Bytes that the programs wrote.
    pub written: u64,
    /// Connections on which viewers were welcomed.
    pub connections: u64,
    /// Gaps that were announced to viewers for whom nobody waits.
    pub gaps: u64,
    /// From each kill or upgrade until the last viewer was shown new output, longest first.
    pub back: Vec<Duration>,
    /// How many times longer than on an idle machine everything took.
    pub contention: f64,
    /// Records of input that arrived.
    pub input: u64,
    /// Records of input that a gateway took with it unacknowledged.
    pub input_lost_in_doubt: u64,
    /// Everything that broke a promise.
    pub violations: Vec<String>,
}

/// One session that floods.
#[derive(Debug)]
struct Flood {
    account: Account,
    pattern: Pattern,
    viewers: Vec<JoinHandle<Watched>>,
}

impl Chaos {
    /// Runs in a fresh home whose gateways keep enough history for a viewer that is away shortly.
    ///
    /// # Errors
    /// When the gateway cannot be started or asked: that the test could not be done, not that it
    /// failed.
    pub fn run(&self, home: &Home) -> io::Result<Report> {
        let mut random = Random::new(self.seed);
        let mut report = Report::default();
        let idle = Contention::now() < IDLE;
        let contention = Contention::start();
        let progress = Arc::new(Progress::default());
        let gateway = home.start()?;
        let floods = (0..self.sessions)
            .map(|number| self.start_flood(home, &gateway, &progress, number))
            .collect::<io::Result<Vec<_>>>()?;
        let stop = Arc::new(AtomicBool::new(false));
        let typist = self.start_typist(home, &gateway, &stop)?;
        let gateway = self.kill_often(home, gateway, &progress, &mut random, &mut report)?;
        stop.store(true, Ordering::SeqCst);
        for (number, flood) in floods.into_iter().enumerate() {
            flood.finish(number, &mut report)?;
        }
        let log = std::fs::read(home.path().join("input.log"));
        match typist.join() {
            Ok(typed) => report.add_input(&typed, &log?),
            Err(_) => report.violations.push("the typist panicked".to_owned()),
        }
        drop(gateway);
        report.violations.extend(home.panics());
        report.contention = contention.finish();
        report.check_back(self.strict && idle);
        Ok(report)
    }

    fn start_flood(
        &self,
        home: &Home,
        gateway: &Gateway,
        progress: &Arc<Progress>,
        number: u64,
    ) -> io::Result<Flood> {
        let (kind, discipline) = match number % 4 {
            1 => (pattern::Kind::Records, Discipline::Cooked),
            2 => (pattern::Kind::Noise, Discipline::Raw),
            _ => (pattern::Kind::Records, Discipline::Raw),
        };
        let pattern = Pattern { seed: self.seed ^ number, kind, discipline };
        let path = home.path().join(format!("account-{number}"));
        let account = Account::create(&path, u64::MAX)?;
        let session = gateway.create(&seqgen(&self.testkit, pattern, &path))?;
        let viewers = (0..self.viewers).map(|viewer| {
            let watch = Watch {
                session: session.clone(),
                client: 1 + number * self.viewers + viewer,
                features: features(number, viewer),
                pattern,
                patience: self.patience,
            };
            let (place, progress) = (home.place().clone(), Arc::clone(progress));
            let entered = progress.enter();
            std::thread::spawn(move || watch.run(&place, &progress, entered))
        });
        Ok(Flood { account, pattern, viewers: viewers.collect() })
    }

    fn start_typist(
        &self,
        home: &Home,
        gateway: &Gateway,
        stop: &Arc<AtomicBool>,
    ) -> io::Result<JoinHandle<Typed>> {
        let log = home.path().join("input.log").display().to_string();
        let words = [&self.testkit.display().to_string(), "seqsink", "--log", &log];
        let session = gateway.create(&words.map(str::to_owned))?;
        let address = home.place().address().ok_or_else(|| io::Error::other("no gateway"))?;
        wait_until_ready(address, &session, self.patience).map_err(io::Error::other)?;
        let typist = Typist { session, client: TYPIST, least: 0, patience: self.patience };
        let (place, stop) = (home.place().clone(), Arc::clone(stop));
        let mut random = Random::new(self.seed ^ TYPIST);
        Ok(std::thread::spawn(move || typist.run(&place, &stop, &mut random)))
    }

    fn kill_often(
        &self,
        home: &Home,
        mut gateway: Gateway,
        progress: &Progress,
        random: &mut Random,
        report: &mut Report,
    ) -> io::Result<Gateway> {
        let mut version = 1;
        let mut killed = Instant::now();
        let (mut early, mut upgrading) = (false, false);
        for _ in 0..self.kills {
            if early {
                progress.pass(random.time_below(self.delay_max));
                report.early_kills += 1;
            } else {
                gateway.listening()?;
                let Some(back) = progress.all_at(version, self.patience) else {
                    let text = format!("no output within {:?} of a start", self.patience);
                    report.violations.push(text);
                    break;
                };
                if report.kills > 0 {
                    report.back.push(back.saturating_duration_since(killed));
                }
                report.upgrades += u32::from(upgrading);
                progress.pass(random.time_below(self.delay_max));
            }
            if progress.any_over() {
                break;
            }
            let mut fault = Fault::draw(random, &self.faults, PAUSE_MAX);
            if early && fault == Fault::Upgrade {
                // A gateway that starts does not know of the signal yet, and one that is being
                // replaced ignores it.
                fault = Fault::Kill;
            }
            upgrading = fault == Fault::Upgrade;
            if upgrading {
                // The address stays: whoever comes back from now on counts.
                home.place().set(Some(gateway.listening()?));
            }
            killed = Instant::now();
            fault.strike(gateway.pid(), |time| progress.pass(time))?;
            report.kills += 1;
            if upgrading {
                early = random.once_in(4);
                version = home.place().version();
            }
            if !fault.ends() {
                continue;
            }
            let status = gateway.wait()?;
            if fault == Fault::Terminate && !status.success() && !early {
                report.violations.push(format!("told to end, it ended with {status}"));
            }
            gateway = home.spawn_through(&self.through)?;
            early = random.once_in(4);
            version = home.place().version() + 1;
        }
        gateway.listening()?;
        Ok(gateway)
    }
}

/// Viewers are back within this time after 99 of 100 kills: the promise of docs/reliability.md.
const BACK_MAX: Duration = Duration::from_secs(2);
/// Contention below which a machine counts as idle.
const IDLE: f64 = 1.2;
/// Longest time for which a gateway is stopped or short of something.
const PAUSE_MAX: Duration = Duration::from_millis(200);
/// Client id of the typist.
const TYPIST: u64 = 0x7971_7374;

/// Every viewer but some is waited for; some want snapshots, as a page does.
fn features(session: u64, viewer: u64) -> Vec<&'static str> {
    match (session % 2, viewer) {
        (_, 0) => vec!["raw", "wait"],
        (0, _) => vec!["wait"],
        _ => vec!["raw"],
    }
}

/// The command of a session that writes this pattern and notes it at `account`.
#[must_use]
pub fn seqgen(
    testkit: &std::path::Path,
    pattern: Pattern,
    account: &std::path::Path,
) -> Vec<String> {
    let mut words = vec![testkit.display().to_string(), "seqgen".to_owned()];
    words.extend(["--seed".to_owned(), pattern.seed.to_string(), "--account".to_owned()]);
    words.push(account.display().to_string());
    if pattern.kind == pattern::Kind::Noise {
        words.push("--noise".to_owned());
    }
    if pattern.discipline == Discipline::Cooked {
        words.push("--cooked".to_owned());
    }
    words
}

impl Flood {
    /// Lets the program end and compares its account with what each viewer was shown.
    fn finish(self, number: usize, report: &mut Report) -> io::Result<()> {
        self.account.limit(0)?;
        let watched: Vec<_> = self.viewers.into_iter().map(JoinHandle::join).collect();
        let written = self.account.written()?;
        report.written += written.bytes;
        for watched in watched {
            let Ok(watched) = watched else {
                report.violations.push(format!("a viewer of session {number} panicked"));
                continue;
            };
            report.bytes += watched.ledger.bytes();
            report.connections += watched.connections;
            report.gaps += watched.ledger.gaps().len() as u64;
            if let Some(violation) = watched.violation {
                report.violations.push(violation);
                continue;
            }
            let output = self.pattern.output_bytes(written.bytes);
            if let Err(violation) = watched.ledger.check_end(output) {
                report.violations.push(format!("session {number}: {violation}"));
            }
        }
        Ok(())
    }
}

impl Report {
    /// Holds the gateways to the time within which viewers have to be back.
    fn check_back(&mut self, strict: bool) {
        self.back.sort_by(|a, b| b.cmp(a));
        let allowed = if strict { BACK_MAX } else { BACK_MAX.mul_f64(self.contention) };
        let back = self.back_within(1);
        if back > allowed {
            let text = format!("99 of 100 were back after {back:?}, {allowed:?} is allowed");
            self.violations.push(text);
        }
    }

    /// The time within which viewers were back after all but so many of 100 kills.
    fn back_within(&self, but: usize) -> Duration {
        self.back.get(self.back.len() * but / 100).copied().unwrap_or_default()
    }

    fn add_input(&mut self, typed: &Typed, log: &[u8]) {
        if let Some(violation) = &typed.violation {
            self.violations.push(format!("typist: {violation}"));
            return;
        }
        match typed.check(TYPIST, log) {
            Ok(sunk) if sunk.lost_in_doubt > self.kills.into() => {
                let text = format!("{} records in doubt are lost", sunk.lost_in_doubt);
                self.violations.push(text);
            }
            Ok(sunk) => (self.input, self.input_lost_in_doubt) = (sunk.arrived, sunk.lost_in_doubt),
            Err(text) => self.violations.push(format!("input: {text}")),
        }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} faults ({} while starting), {} upgrades, {} connections, {} bytes written, {} bytes \
             checked, {} gaps announced",
            self.kills,
            self.early_kills,
            self.upgrades,
            self.connections,
            self.written,
            self.bytes,
            self.gaps
        )?;
        writeln!(
            f,
            "back after a fault: longest {:?}, 99 of 100 within {:?}, 9 of 10 within {:?}, half within \
             {:?}; contention {:.1}",
            self.back_within(0),
            self.back_within(1),
            self.back_within(10),
            self.back_within(50),
            self.contention
        )?;
        writeln!(
            f,
            "input: {} records arrived once and in order, {} in doubt when a gateway died did not",
            self.input, self.input_lost_in_doubt
        )?;
        for violation in &self.violations {
            writeln!(f, "VIOLATION: {violation}")?;
        }
        write!(f, "{} violations", self.violations.len())
    }
}
