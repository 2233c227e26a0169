//! What happened when: sums over equal windows of time.

use std::time::Duration;

use crate::stats::{Moment, float};

/// Values over time, in windows of equal length.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    start: Moment,
    window: Duration,
    cells: Vec<Cell>,
}

/// What fell into one window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) max: f64,
}

/// More windows than a plot can show.
const CELLS_MAX: usize = 4096;

impl Timeline {
    pub(crate) const fn new(start: Moment, window: Duration) -> Self {
        Self { start, window, cells: Vec::new() }
    }

    /// Adds `value` to the window of `at`; what lies behind the last possible one goes into that.
    pub(crate) fn add(&mut self, at: Moment, value: f64) {
        let since = at.saturating_sub(self.start).as_nanos();
        let index = since.checked_div(self.window.as_nanos()).unwrap_or(0);
        let index = usize::try_from(index).unwrap_or(CELLS_MAX).min(CELLS_MAX);
        if self.cells.len() <= index {
            self.cells.resize(index + 1, Cell::default());
        }
        let cell = &mut self.cells[index];
        cell.count += 1;
        cell.sum += value;
        cell.max = cell.max.max(value);
    }

    /// Points of time (the middle of each window, in seconds from the start) and `value` of it.
    pub(crate) fn points(&self, value: impl Fn(&Cell) -> f64) -> Vec<(f64, f64)> {
        let window = self.window.as_secs_f64();
        let middle = |index: usize| (float(index as u64) + 0.5) * window;
        self.cells.iter().enumerate().map(|(index, cell)| (middle(index), value(cell))).collect()
    }

    /// Length of a window in seconds.
    pub(crate) const fn window(&self) -> f64 {
        self.window.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_values_into_their_window() {
        let mut timeline = Timeline::new(Duration::from_secs(10), Duration::from_secs(1));
        timeline.add(Duration::from_millis(10_100), 1.0);
        timeline.add(Duration::from_millis(10_900), 3.0);
        timeline.add(Duration::from_millis(12_000), 5.0);
        assert_eq!(timeline.points(|cell| cell.sum), [(0.5, 4.0), (1.5, 0.0), (2.5, 5.0)]);
        assert_eq!(timeline.points(|cell| cell.max)[0], (0.5, 3.0));
        timeline.add(Duration::MAX, 1.0);
        assert_eq!(timeline.cells.len(), CELLS_MAX + 1);
    }
}
