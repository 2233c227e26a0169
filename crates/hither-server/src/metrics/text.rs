//! The text that Prometheus reads: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use super::catalogue::{Kind, METRICS, Metric};
use super::histogram::{BUCKETS, Histogram, bound};

/// Names and values of the labels of one sample.
pub(crate) type Labels<'a> = &'a [(&'a str, &'a str)];

/// A page of samples. Each metric is in the catalogue, and all its samples are written together.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
    written: BTreeSet<&'static str>,
}

/// The samples of one metric.
#[derive(Debug)]
pub(crate) struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Page {
    /// Starts a metric.
    pub(crate) fn family(&mut self, name: &'static str) -> Family<'_> {
        let metric = metric(name);
        debug_assert!(self.written.insert(name), "{name} is written once");
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let Metric { help, .. } = metric;
        append(&mut self.text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { text: &mut self.text, name }
    }

    /// A metric with one sample and no labels.
    pub(crate) fn value(&mut self, name: &'static str, value: impl fmt::Display) {
        self.family(name).sample(&[], value);
    }

    /// The whole text, once every metric of the catalogue is in it.
    pub(crate) fn finish(self) -> String {
        debug_assert_eq!(self.written.len(), METRICS.len(), "every metric is written");
        self.text
    }
}

impl Family<'_> {
    /// One sample.
    pub(crate) fn sample(&mut self, labels: Labels<'_>, value: impl fmt::Display) {
        self.line("", labels, value);
    }

    /// The samples of one histogram, in seconds.
    pub(crate) fn histogram(&mut self, labels: Labels<'_>, histogram: &Histogram) {
        let cumulative = histogram.cumulative();
        for (bucket, count) in cumulative.into_iter().enumerate() {
            let le = if bucket < BUCKETS {
                bound(bucket).as_secs_f64().to_string()
            } else {
                "+Inf".to_owned()
            };
            self.line("_bucket", &[labels, &[("le", &le)]].concat(), count);
        }
        self.line("_sum", labels, histogram.sum().as_secs_f64());
        self.line("_count", labels, cumulative[BUCKETS]);
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, value: impl fmt::Display) {
        append(self.text, format_args!("{}{suffix}", self.name));
        for (index, (name, value)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            append(self.text, format_args!("{open}{name}=\"{}\"", Escaped(value)));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        append(self.text, format_args!("{close} {value}\n"));
    }
}

/// A label's value as the format wants it.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

fn metric(name: &str) -> &'static Metric {
    METRICS.iter().find(|metric| metric.name == name).expect("every metric is in the catalogue")
}

fn append(text: &mut String, arguments: fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn samples_look_as_prometheus_wants_them() {
        let mut page = Page::default();
        page.value("hither_worker_turns_total", 7);
        let mut family = page.family("hither_auth_failures_total");
        family.sample(&[("reason", "a\"b\\c\nd"), ("x", "y")], 1);
        let text = page.text;
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("# HELP")).collect();
        assert_eq!(
            lines,
            [
                "# TYPE hither_worker_turns_total counter",
                "hither_worker_turns_total 7",
                "# TYPE hither_auth_failures_total counter",
                "hither_auth_failures_total{reason=\"a\\\"b\\\\c\\nd\",x=\"y\"} 1",
            ]
        );
        assert_eq!(text.matches("# HELP hither_worker_turns_total ").count(), 1);
    }

    #[test]
    fn a_histogram_has_buckets_sum_and_count() {
        let mut histogram = Histogram::default();
        histogram.observe(Duration::from_micros(12));
        histogram.observe(Duration::from_secs(9));
        let mut page = Page::default();
        page.family("hither_echo_seconds").histogram(&[("part", "pty")], &histogram);
        for line in [
            "hither_echo_seconds_bucket{part=\"pty\",le=\"0.000008\"} 0",
            "hither_echo_seconds_bucket{part=\"pty\",le=\"0.000016\"} 1",
            "hither_echo_seconds_bucket{part=\"pty\",le=\"4.194304\"} 1",
            "hither_echo_seconds_bucket{part=\"pty\",le=\"+Inf\"} 2",
            "hither_echo_seconds_sum{part=\"pty\"} 9.000012",
            "hither_echo_seconds_count{part=\"pty\"} 2",
        ] {
            assert!(page.text.contains(&format!("{line}\n")), "{line} is not in {}", page.text);
        }
    }
}
