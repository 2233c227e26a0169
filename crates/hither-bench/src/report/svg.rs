//! Plots as inline SVG, coloured by the page's style sheet.

use std::fmt::Write as _;

use super::Unit;
use super::format::show;
use super::html::escape;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;
/// Width of the longest label of a tick.
const LABEL_MAX: f64 = 40.0;

/// How numbers become places on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Evenly, from zero.
    Linear,
    /// By powers of ten.
    Log,
    /// Percentiles by their number of nines: 90, 99, 99.9 …
    Nines,
}

/// An axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) scale: Scale,
    pub(super) unit: Option<Unit>,
    pub(super) label: &'static str,
}

/// A line of a plot. `colour` is the index of the target.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) colour: usize,
    pub(super) points: Vec<(f64, f64)>,
}

/// The part of an axis that is shown, and where.
#[derive(Clone, Copy, Debug)]
struct Span {
    axis: Axis,
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

/// A plot of some lines; nothing when there are no points.
pub(super) fn plot(x: Axis, y: Axis, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let Some(x) = Span::of(x, points().map(|point| point.0), LEFT, WIDTH - RIGHT) else {
        return String::new();
    };
    let Some(y) = Span::of(y, points().map(|point| point.1), HEIGHT - BOTTOM, TOP) else {
        return String::new();
    };
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
    grid(&mut svg, &x, &y);
    for line in lines {
        let place = |point: &(f64, f64)| format!("{:.1},{:.1}", x.place(point.0), y.place(point.1));
        let places: Vec<String> = line.points.iter().map(place).collect();
        let _ = write!(
            svg,
            "<polyline class=\"line c{}\" points=\"{}\"><title>{}</title></polyline>",
            line.colour % 8,
            places.join(" "),
            escape(&line.name)
        );
    }
    svg + "</svg>"
}

fn grid(svg: &mut String, x: &Span, y: &Span) {
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    for (value, text) in x.ticks() {
        let at = x.place(value);
        let anchor = if at > right - LABEL_MAX / 2.0 { "end" } else { "middle" };
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>",
            bottom + 16.0
        );
    }
    for (value, text) in y.ticks() {
        let at = y.place(value);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    let middle = f64::midpoint(LEFT, right);
    let _ = write!(
        svg,
        "<text class=\"axis\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        HEIGHT - 6.0,
        x.axis.label
    );
}

impl Span {
    fn of(axis: Axis, values: impl Iterator<Item = f64>, start: f64, end: f64) -> Option<Self> {
        let usable = |value: &f64| value.is_finite() && (axis.scale != Scale::Log || *value > 0.0);
        let values: Vec<f64> = values.filter(usable).map(|value| axis.scale.apply(value)).collect();
        let low = values.iter().copied().reduce(f64::min)?;
        let high = values.iter().copied().reduce(f64::max)?;
        let low = if axis.scale == Scale::Linear { low.min(0.0) } else { low };
        let high = if high > low { high } else { low + 1.0 };
        let margin = if axis.scale == Scale::Log { 0.06 * (high - low) } else { 0.0 };
        Some(Self { axis, low: low - margin, high: high + margin, start, end })
    }

    fn place(&self, value: f64) -> f64 {
        let share = (self.axis.scale.apply(value) - self.low) / (self.high - self.low);
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        match self.axis.scale {
            Scale::Linear => self.linear_ticks(),
            Scale::Log => self.log_ticks(),
            Scale::Nines => [0.0, 50.0, 90.0, 99.0, 99.9, 99.99]
                .into_iter()
                .filter(|percent| self.axis.scale.apply(*percent) <= self.high)
                .map(|percent| (percent, format!("p{percent}")))
                .collect(),
        }
    }

    fn linear_ticks(&self) -> Vec<(f64, String)> {
        let rough = (self.high - self.low) / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let nice = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= rough);
        let step = nice.unwrap_or(10.0) * power;
        let values = (0..20_i32).map(|index| f64::from(index) * step);
        values
            .take_while(|value| *value <= self.high)
            .map(|value| (value, self.text(value)))
            .collect()
    }

    fn log_ticks(&self) -> Vec<(f64, String)> {
        let decades = self.high - self.low;
        let steps: &[f64] = if decades > 2.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let powers =
            (-9..12_i32).flat_map(|power| steps.iter().map(move |s| s * 10_f64.powi(power)));
        let visible = |value: &f64| (self.low..=self.high).contains(&value.log10());
        powers.filter(visible).map(|value| (value, self.text(value))).collect()
    }

    fn text(&self, value: f64) -> String {
        let text = self.axis.unit.map_or_else(|| format!("{value}"), |unit| show(value, unit));
        // Ticks are round numbers: 30 %, not 30.0 %.
        match text.split_once('.') {
            Some((whole, rest)) => {
                let (digits, unit) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
                let digits = digits.trim_end_matches('0');
                let point = if digits.is_empty() { "" } else { "." };
                format!("{whole}{point}{digits}{unit}")
            }
            None => text,
        }
    }
}

impl Scale {
    fn apply(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.max(1e-12).log10(),
            Self::Nines => -(1.0 - value / 100.0).max(1e-6).log10(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: Axis = Axis { scale: Scale::Log, unit: Some(Unit::Seconds), label: "time" };
    const SHARE: Axis = Axis { scale: Scale::Linear, unit: None, label: "share" };

    #[test]
    fn plots_stay_inside_their_frame() {
        let points = vec![(1e-6, 0.0), (1e-3, 5.0), (f64::NAN, 1.0), (1.0, 10.0)];
        let svg = plot(SECONDS, SHARE, &[Line { name: "<a>".into(), colour: 9, points }]);
        assert!(svg.contains("&lt;a&gt;") && svg.contains("line c1"));
        assert!(svg.contains(">1 ms<"), "{svg}");
        let numbers = svg.split(['"', ' ', ',']).filter_map(|text| text.parse::<f64>().ok());
        assert!(
            numbers.into_iter().all(|number| number.is_nan() || (0.0..=640.0).contains(&number))
        );
    }

    #[test]
    fn nothing_to_plot_is_no_plot() {
        assert_eq!(plot(SECONDS, SHARE, &[]), "");
        let line = Line { name: String::new(), colour: 0, points: vec![] };
        assert_eq!(plot(SECONDS, SHARE, &[line]), "");
    }
}
