//! From counters to the page.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::counts::{HttpMetrics, LifeMetrics};
use super::histogram::Histogram;
use super::process::Process;
use super::text::Page;
use super::worker::WorkerMetrics;
use crate::sessions::ServerStatus;

/// Everything that a page is made of.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) http: &'a HttpMetrics,
    pub(crate) http_connections: usize,
    /// Which program in this process it is, from 1.
    pub(crate) generation: u64,
    pub(crate) life: &'a LifeMetrics,
    pub(crate) status: ServerStatus,
    /// One of each worker that answered, with its sessions.
    pub(crate) workers: Vec<(usize, WorkerMetrics)>,
    pub(crate) process: Process,
    pub(crate) scrapes: u64,
}

/// Limits that workers guard, which are shown before they are hit.
const WORKER_LIMITS: [&str; 6] = [
    "viewers_per_session",
    "hello_time",
    "unanswered_pings",
    "input_queue",
    "viewer_bytes",
    "viewer_replies",
];

impl Sources<'_> {
    /// The text of the page. It holds numbers and words of ours, nothing that a user or a program
    /// has said.
    pub(crate) fn page(&self) -> String {
        let mut page = Page::default();
        self.write_process(&mut page);
        self.write_sessions(&mut page);
        self.write_viewers(&mut page);
        self.write_echo(&mut page);
        self.write_refusals(&mut page);
        self.write_http(&mut page);
        self.write_workers(&mut page);
        page.value("hither_scrapes_total", self.scrapes);
        page.finish()
    }

    fn write_process(&self, page: &mut Page) {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        page.family("hither_build_info").sample(&version, 1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = now.saturating_sub(self.status.uptime);
        page.value("hither_start_time_seconds", start.as_secs_f64());
        page.value("hither_process_cpu_seconds_total", self.process.cpu.as_secs_f64());
        page.value("hither_process_resident_bytes", self.process.resident_bytes);
        page.value("hither_process_open_files", self.process.open_files);
    }

    fn write_sessions(&self, page: &mut Page) {
        let Self { life, status, .. } = self;
        let mut sessions = page.family("hither_sessions");
        sessions.sample(&[("state", "running")], status.sessions_running);
        sessions.sample(&[("state", "exited")], status.sessions_exited);
        page.value("hither_sessions_started_total", life.started.value());
        page.value("hither_sessions_adopted_total", life.adopted.value());
        write_counts(page, "hither_sessions_ended_total", "how", life.ended.values());
        page.value("hither_sessions_closed_total", life.closed.value());
        let failures = life.start_failures.values();
        write_counts(page, "hither_session_start_failures_total", "code", failures);
        page.value("hither_host_losses_total", life.host_losses.value());
    }

    fn write_viewers(&self, page: &mut Page) {
        let viewers = self.merged(|worker| &worker.viewers);
        let mut family = page.family("hither_viewers");
        for ((protocol, state), count) in viewers {
            family.sample(&[("protocol", protocol), ("state", state)], count);
        }
        for (name, value) in [
            ("hither_viewer_held_bytes", self.sum(|worker| worker.held_bytes)),
            ("hither_viewers_attached_total", self.sum(|worker| worker.attached)),
            ("hither_viewers_resumed_total", self.sum(|worker| worker.resumed)),
            ("hither_viewer_skips_total", self.sum(|worker| worker.skips)),
            ("hither_viewer_gaps_total", self.sum(|worker| worker.gaps)),
            ("hither_viewer_gap_bytes_total", self.sum(|worker| worker.gap_bytes)),
            ("hither_viewer_snapshots_total", self.sum(|worker| worker.snapshots)),
            ("hither_viewer_received_bytes_total", self.sum(|worker| worker.received_bytes)),
            ("hither_viewer_sent_bytes_total", self.sum(|worker| worker.sent_bytes)),
            ("hither_viewer_unknown_frames_total", self.sum(|worker| worker.unknown_frames)),
            ("hither_inputs_total", self.sum(|worker| worker.inputs)),
            ("hither_input_bytes_total", self.sum(|worker| worker.input_bytes)),
            ("hither_output_bytes_total", self.sum(|worker| worker.output_bytes)),
        ] {
            page.value(name, value);
        }
    }

    fn write_echo(&self, page: &mut Page) {
        let total = |part: fn(&WorkerMetrics) -> &Histogram| {
            let mut total = Histogram::default();
            self.workers.iter().for_each(|(_, worker)| total.add(part(worker)));
            total
        };
        let mut echo = page.family("hither_echo_seconds");
        echo.histogram(&[("part", "network")], &total(|worker| &worker.echo_network));
        echo.histogram(&[("part", "server")], &total(|worker| &worker.echo_server));
        echo.histogram(&[("part", "pty")], &total(|worker| &worker.echo_pty));
        page.value("hither_echo_missing_total", self.sum(|worker| worker.unechoed));
    }

    fn write_refusals(&self, page: &mut Page) {
        let mut limits = self.http.limits.values();
        limits.extend(self.life.overdue.values());
        limits.extend(WORKER_LIMITS.map(|name| (name, 0)));
        for (name, count) in self.merged(|worker| &worker.limits) {
            *limits.entry(name).or_default() += count;
        }
        write_counts(page, "hither_limit_hits_total", "limit", limits);
        let failures = self.http.auth_failures.values();
        write_counts(page, "hither_auth_failures_total", "reason", failures);
        let mut refused = page.family("hither_viewers_refused_total");
        for (code, count) in self.merged(|worker| &worker.refused) {
            refused.sample(&[("code", &code.to_string())], count);
        }
    }

    fn write_http(&self, page: &mut Page) {
        let mut requests = page.family("hither_http_requests_total");
        for ((method, route, status), count) in self.http.requests.values() {
            let status = status.to_string();
            let labels = [("method", method), ("route", route), ("status", &status)];
            requests.sample(&labels, count);
        }
        let mut times = page.family("hither_http_request_seconds");
        for (route, histogram) in self.http.times.values() {
            times.histogram(&[("route", route)], &histogram);
        }
        let connections = self.http.connections.values();
        write_counts(page, "hither_http_connections_total", "listener", connections);
        page.value("hither_http_connections", self.http_connections);
        page.value("hither_upgrades_total", self.generation.saturating_sub(1));
        page.value("hither_upgrade_failures_total", self.http.upgrade_failures.value());
    }

    fn write_workers(&self, page: &mut Page) {
        let mut family = |name, value: fn(&(usize, WorkerMetrics)) -> f64| {
            let mut family = page.family(name);
            for (index, worker) in self.workers.iter().enumerate() {
                family.sample(&[("worker", &index.to_string())], value(worker));
            }
        };
        #[expect(clippy::cast_precision_loss, reason = "no count comes near 2^52")]
        family("hither_worker_sessions", |(sessions, _)| *sessions as f64);
        family("hither_worker_cpu_seconds_total", |(_, worker)| worker.cpu.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "no count comes near 2^52")]
        family("hither_worker_turns_total", |(_, worker)| worker.turns as f64);
    }

    fn sum(&self, value: impl Fn(&WorkerMetrics) -> u64) -> u64 {
        self.workers.iter().map(|(_, worker)| value(worker)).sum()
    }

    fn merged<K: Ord + Copy>(
        &self,
        counts: impl Fn(&WorkerMetrics) -> &BTreeMap<K, u64>,
    ) -> BTreeMap<K, u64> {
        let mut total = BTreeMap::new();
        for (key, count) in self.workers.iter().flat_map(|(_, worker)| counts(worker)) {
            *total.entry(*key).or_default() += count;
        }
        total
    }
}

fn write_counts(
    page: &mut Page,
    name: &'static str,
    label: &str,
    counts: BTreeMap<&'static str, u64>,
) {
    let mut family = page.family(name);
    for (key, count) in counts {
        family.sample(&[(label, key)], count);
    }
}

/// Time that a worker gets to answer before the page is made without it.
pub(crate) const WORKER_PATIENCE: Duration = Duration::from_secs(2);
