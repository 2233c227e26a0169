//! Kills the gateway at random moments while sessions flood and viewers watch, and checks that
//! nobody notices more than a pause.

mod flood;
mod report;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use self::flood::Flood;
pub use self::flood::seqgen;
pub use self::report::Report;
use crate::account::Account;
use crate::contention::Contention;
use crate::fault::{Fault, Kind};
use crate::gateway::{Gateway, Home};
use crate::pattern::{self, Discipline, Pattern};
use crate::random::Random;
use crate::seqsink::wait_until_ready;
use crate::typist::{Typed, Typist};
use crate::watch::{Progress, Watch};

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
    /// When the time to come back counts in full.
    pub strict: Strict,
    /// Words before the program of all gateways but the first, such as those of a tracer that slows
    /// system calls down, so that more kills hit them.
    pub through: Vec<String>,
}

/// When the time within which viewers have to be back counts in full. Otherwise as many times as long
/// is allowed as everything takes longer meanwhile, because others use the processors too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strict {
    /// Never.
    Never,
    /// On a machine that has nothing else to do when the run begins.
    WhenIdle,
    /// Always, as for gateways that must be found to be late.
    Always,
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
            Ok(typed) => report.add_input(&typed, TYPIST, &log?),
            Err(_) => report.violations.push("the typist panicked".to_owned()),
        }
        drop(gateway);
        report.violations.extend(home.panics());
        report.contention = contention.finish();
        report.check_back(match self.strict {
            Strict::Never => false,
            Strict::WhenIdle => idle,
            Strict::Always => true,
        });
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
