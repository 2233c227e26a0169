//! CPU time of both sides.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::report::{Metric, Unit};
use crate::stats::float;
use crate::target::{OwnProcesses, Running, ServerProcess, Usage};

/// CPU time since the start of a measurement.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    server: Option<(OwnProcesses, Usage)>,
    client: Duration,
}

/// What was spent on a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    server: Option<Duration>,
    client: Duration,
}

impl Meter {
    /// Starts to count.
    pub(crate) fn start(running: &Running) -> Self {
        let own = running.process.as_ref().map(ServerProcess::own);
        let server = own.map(|own| (own.clone(), own.usage()));
        Self { server, client: thread_cpu() }
    }

    /// What was spent since.
    pub(crate) fn stop(&self) -> Spent {
        let server = self.server.as_ref();
        let server = server.map(|(own, then)| own.usage().cpu.saturating_sub(then.cpu));
        Spent { server, client: thread_cpu().saturating_sub(self.client) }
    }
}

impl Spent {
    /// CPU time of the server and of the client for each of `things`.
    pub(crate) fn each(&self, things: u64, names: [&'static str; 2]) -> Vec<Metric> {
        let share = |spent: Duration| spent.as_secs_f64() / float(things.max(1));
        let server = self.server.map(|spent| Metric::lower(names[0], share(spent), Unit::Seconds));
        let client = Metric::plain(names[1], share(self.client), Unit::Seconds);
        server.into_iter().chain([client]).collect()
    }

    /// CPU time of the server and of the client for each gigabyte of `bytes`.
    pub(crate) fn each_gigabyte(&self, bytes: u64) -> Vec<Metric> {
        let share = |spent: Duration| spent.as_secs_f64() / (float(bytes.max(1)) / 1e9);
        let unit = Unit::SecondsPerGigabyte;
        let server = self.server.map(|spent| Metric::lower("server CPU", share(spent), unit));
        let client = Metric::plain("client CPU", share(self.client), unit);
        server.into_iter().chain([client]).collect()
    }
}

impl Running {
    /// What the server has used, when the bench has started it.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.process.as_ref().map(|process| process.own().usage())
    }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
