//! Programs that write as fast as they can.

use std::time::Duration;

use super::meter::Meter;
use super::round::Round;
use crate::child::Program;
use crate::content::flood_lines;
use crate::loads::Flooding;
use crate::report::{Metric, Outcome, Series, Unit};
use crate::stats::float;
use crate::wire::Attach;

/// No server is slower than this, or it does not count.
const SLOWEST: f64 = 500_000.0;

pub(super) fn run(round: &Round<'_>, connections: usize, bytes: u64) -> Result<Outcome, String> {
    let mut bench = round.start(Program::Flood { bytes }, Attach::Whole)?;
    let ids = bench.open_all(connections)?;
    let all = float(bytes) * float(connections as u64);
    let limit = Duration::from_secs(10) + Duration::from_secs_f64(all / SLOWEST);
    let mut flooding = Flooding::new(&ids, flood_lines(bytes));
    let meter = Meter::start(&bench.running);
    bench.run(&mut flooding, limit)?;
    let spent = meter.stop();
    let speed = float(flooding.received()) / flooding.took().as_secs_f64().max(1e-9);
    let mut metrics = vec![Metric::higher("speed", speed, Unit::BytesPerSecond)];
    if connections > 1 {
        let fairness = flooding.fairness().unwrap_or(0.0);
        metrics.push(Metric::higher("fairness min/max", fairness, Unit::Share));
    }
    metrics.extend(spent.each_gigabyte(flooding.received()));
    if let Some(usage) = bench.running.usage() {
        metrics.push(Metric::lower("peak memory", float(usage.peak_rss), Unit::Bytes));
    }
    let window = flooding.timeline.window();
    let unit = Some(Unit::BytesPerSecond);
    let points = flooding.timeline.points(|cell| cell.sum / window);
    let mut damage = flooding.damage();
    damage.lost += flooding.skipped;
    Ok(Outcome {
        metrics,
        latencies: None,
        series: vec![Series { name: "Speed over time".to_owned(), unit, points }],
        damage,
        attempts: connections as u64,
        failures: flooding.failures,
    })
}
