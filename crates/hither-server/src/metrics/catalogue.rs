//! Every metric there is. docs/operations.md and the dashboard are checked against this table.

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, `hither_NOUN_UNIT_total` for counters.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// When it moves, in one line.
    pub help: &'static str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows while the gateway runs.
    Counter,
    /// It is as it is at this moment.
    Gauge,
    /// Counts of durations, in seconds.
    Histogram,
}

macro_rules! metrics {
    ($($kind:ident $name:literal $help:literal;)*) => {
        /// Every metric, in the order of the page.
        pub const METRICS: &[Metric] =
            &[$(Metric { name: $name, kind: Kind::$kind, help: $help }),*];
    };
}

metrics! {
    Gauge "hither_build_info" "Always 1; the label has the version.";
    Gauge "hither_start_time_seconds" "When the gateway started, in seconds since 1970.";
    Counter "hither_process_cpu_seconds_total" "CPU time of the gateway's process.";
    Gauge "hither_process_resident_bytes" "Memory of the gateway's process that is in RAM.";
    Gauge "hither_process_open_files" "File descriptors that the gateway has open.";
    Gauge "hither_sessions" "Sessions that are listed, by state.";
    Counter "hither_sessions_started_total" "Sessions that this gateway has started.";
    Counter "hither_sessions_adopted_total" "Sessions that this gateway took over from the last one.";
    Counter "hither_sessions_ended_total" "Sessions whose program ended, by how.";
    Counter "hither_sessions_closed_total" "Sessions taken out of the list, by hand or by themselves.";
    Counter "hither_session_start_failures_total" "Sessions that could not be started, by error code.";
    Counter "hither_host_losses_total" "Times that the PTY host went away while it was needed.";
    Gauge "hither_viewers" "Attached viewers, by protocol and state.";
    Gauge "hither_viewer_held_bytes" "Bytes held for viewers: what they have not taken, and messages whose rest has not come.";
    Counter "hither_viewers_attached_total" "Viewers that came.";
    Counter "hither_viewers_resumed_total" "Viewers that went on exactly where their last connection ended.";
    Counter "hither_viewers_refused_total" "Viewers sent away for what they did, by WebSocket close code.";
    Counter "hither_viewer_skips_total" "Times that a viewer was too slow and was skipped to the present.";
    Counter "hither_viewer_gaps_total" "Gaps in the output that were announced to a viewer.";
    Counter "hither_viewer_gap_bytes_total" "Bytes of output in those gaps.";
    Counter "hither_viewer_snapshots_total" "Snapshots of a screen sent to viewers.";
    Counter "hither_viewer_received_bytes_total" "Bytes read from viewers' sockets.";
    Counter "hither_viewer_sent_bytes_total" "Bytes that viewers' sockets took.";
    Counter "hither_viewer_unknown_frames_total" "Frames of a type that is not known, and ignored.";
    Counter "hither_inputs_total" "Input messages of viewers: keystrokes and pastes.";
    Counter "hither_input_bytes_total" "Bytes written to PTYs, whoever typed them.";
    Counter "hither_output_bytes_total" "Bytes read from PTYs.";
    Histogram "hither_echo_seconds" "Time from a keystroke to its echo, by the part that took it.";
    Counter "hither_echo_missing_total" "Timed keystrokes without output within 2 seconds.";
    Counter "hither_limit_hits_total" "Limits that were hit, by name.";
    Counter "hither_auth_failures_total" "Requests refused for what they showed or where they came from, by error code.";
    Counter "hither_http_requests_total" "HTTP requests answered, by method, route and status.";
    Histogram "hither_http_request_seconds" "Time from a request's head to that of its answer, by route.";
    Counter "hither_http_connections_total" "Connections accepted, by kind of listener.";
    Gauge "hither_http_connections" "Connections that speak HTTP now.";
    Counter "hither_upgrades_total" "Programs that have taken the place of another in this process.";
    Counter "hither_upgrade_failures_total" "Upgrades that were asked for and did not happen.";
    Gauge "hither_worker_sessions" "Sessions of each worker.";
    Counter "hither_worker_cpu_seconds_total" "CPU time of each worker's thread.";
    Counter "hither_worker_turns_total" "Turns of each worker's event loop.";
    Counter "hither_scrapes_total" "Times that this page was asked for.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

    fn read(path: &str) -> String {
        std::fs::read_to_string(format!("{ROOT}/{path}")).unwrap()
    }

    #[test]
    fn the_document_lists_them_all_and_no_others() {
        let document = read("docs/operations.md");
        let rows: Vec<_> = document.lines().filter(|row| row.starts_with("| `hither_")).collect();
        assert_eq!(rows.len(), METRICS.len());
        for (row, metric) in rows.iter().zip(METRICS) {
            let kind = format!("{:?}", metric.kind).to_lowercase();
            let start = format!("| `{}` | {kind} | ", metric.name);
            assert!(row.starts_with(&start), "{row} does not start with {start}");
            assert!(row.ends_with(&format!(" | {} |", metric.help)), "{row}");
        }
    }

    #[test]
    fn the_dashboard_asks_for_what_there_is() {
        let text = read("dist/grafana/hither.json");
        let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
        let asked = targets.map(|target| target["expr"].as_str().unwrap()).collect::<String>();
        let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let mut shown = BTreeSet::new();
        for name in text.split(word).filter(|name| name.starts_with("hither_")) {
            let bare = name.strip_suffix("_bucket").unwrap_or(name);
            let metric = METRICS.iter().find(|metric| metric.name == bare);
            let metric = metric.unwrap_or_else(|| panic!("there is no metric {name}"));
            assert_eq!(name != bare, metric.kind == Kind::Histogram, "{name}");
            shown.insert(bare);
        }
        assert!(panels.len() > 12 && asked.matches("hither_").count() > 25);
        // What is left out says little over time.
        let left_out = ["hither_sessions_closed_total", "hither_host_losses_total"];
        let more = ["hither_viewers_attached_total", "hither_viewers_resumed_total"];
        let rest = [
            "hither_viewer_unknown_frames_total",
            "hither_viewer_held_bytes",
            "hither_scrapes_total",
        ];
        let names = METRICS.iter().map(|metric| metric.name).filter(|name| !shown.contains(name));
        assert_eq!(
            names.collect::<BTreeSet<_>>(),
            left_out.into_iter().chain(more).chain(rest).collect()
        );
    }

    #[test]
    fn names_follow_the_rule() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len(), "no name is there twice");
        for metric in METRICS {
            let Metric { name, kind, help } = metric;
            assert!(name.starts_with("hither_"), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert!(help.ends_with('.') && !help.contains(['\\', '\n']), "{name}: {help}");
        }
    }
}
