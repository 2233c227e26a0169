//! The report as one HTML page that needs nothing else.

use std::fmt::Write as _;

use super::format::{show, show_ratio};
use super::svg::{Axis, Line, Scale, plot};
use super::{Better, Metric, Report, ScenarioReport, TargetReport, Unit};

const STYLE: &str = include_str!("style.css");

/// The whole report as a page: no script, no asset from elsewhere, light and dark.
#[must_use]
pub fn render(report: &Report) -> String {
    let host = &report.host;
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>hither bench</title><style>{STYLE}</style></head><body><header>\
         <h1>hither bench</h1><p class=\"command\"><code>{}</code></p>\
         <p>{} · {} CPUs · {} · load {:.2} · {}</p></header><main>",
        escape(&report.command),
        escape(&host.kernel),
        host.cpus,
        escape(&host.cpu),
        host.load,
        date(report.began)
    );
    if report.interrupted {
        page += "<p class=\"warning\">Interrupted: this is what was measured until then.</p>";
    }
    page += &verdicts(report);
    for scenario in &report.scenarios {
        page += &section(scenario);
    }
    for note in &report.notes {
        let _ = write!(page, "<p class=\"note\">{}</p>", escape(note));
    }
    page + "</main></body></html>\n"
}

/// `text` as text, never as markup; control characters become visible.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\n' => escaped.push('\n'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

fn verdicts(report: &Report) -> String {
    if report.verdicts.is_empty() {
        return String::new();
    }
    let mut html = "<section><h2>Limits</h2><table><tr><th></th><th>measured</th><th>wanted</th>\
                    <th></th></tr>"
        .to_owned();
    for verdict in &report.verdicts {
        let (class, word) = if verdict.holds { ("pass", "pass") } else { ("fail", "FAIL") };
        let _ = write!(
            html,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td class=\"{class}\">{word}</td></tr>",
            escape(&verdict.what),
            escape(&verdict.measured),
            escape(&verdict.wanted)
        );
    }
    html + "</table></section>"
}

fn section(scenario: &ScenarioReport) -> String {
    let mut html =
        format!("<section><h2>{}</h2><p>{}</p>", escape(&scenario.name), escape(&scenario.about));
    html += &legend(scenario);
    html += &bars(scenario);
    html += "<div class=\"plots\">";
    html += &figure("Response time by percentile", &percentiles(scenario));
    html += &figure("Distribution of response times", &distribution(scenario));
    for (name, svg) in series(scenario) {
        html += &figure(&name, &svg);
    }
    html + "</div>" + &table(scenario) + "</section>"
}

fn figure(title: &str, svg: &str) -> String {
    if svg.is_empty() {
        return String::new();
    }
    format!("<figure><figcaption>{}</figcaption>{svg}</figure>", escape(title))
}

fn legend(scenario: &ScenarioReport) -> String {
    let items = scenario.targets.iter().enumerate().map(|(index, target)| {
        format!("<li><i class=\"c{}\"></i>{}</li>", index % 8, escape(&target.target))
    });
    format!("<ul class=\"legend\">{}</ul>", items.collect::<String>())
}

/// For each judged figure a bar for each target; the longest fills the row.
fn bars(scenario: &ScenarioReport) -> String {
    let judged = scenario.metrics().into_iter().filter(|metric| metric.better != Better::Neither);
    let groups: String = judged.map(|metric| bar_group(scenario, &metric)).collect();
    format!("<div class=\"bars\">{groups}</div>")
}

fn bar_group(scenario: &ScenarioReport, metric: &Metric) -> String {
    let medians: Vec<Option<f64>> = scenario
        .targets
        .iter()
        .map(|target| target.spread(metric.name).map(|spread| spread.median))
        .collect();
    let longest = medians.iter().flatten().copied().fold(0.0, f64::max);
    let hint = if metric.better == Better::Lower { "less is better" } else { "more is better" };
    let mut html =
        format!("<div class=\"group\"><h3>{} <small>{hint}</small></h3>", escape(metric.name));
    for (index, (target, median)) in scenario.targets.iter().zip(&medians).enumerate() {
        let Some(median) = median else { continue };
        let width = if longest > 0.0 { median / longest * 100.0 } else { 0.0 };
        let ratio = scenario.ratio(target, metric.name);
        let ratio = ratio.map_or_else(String::new, |ratio| show_ratio(ratio.median));
        let _ = write!(
            html,
            "<div class=\"bar\"><span>{}</span><div><i class=\"c{}\" style=\"width:{width:.1}%\">\
             </i></div><b>{}</b><em>{ratio}</em></div>",
            escape(&target.target),
            index % 8,
            show(*median, metric.unit)
        );
    }
    html + "</div>"
}

fn percentiles(scenario: &ScenarioReport) -> String {
    let x = Axis { scale: Scale::Nines, unit: None, label: "percentile" };
    plot(x, RESPONSE, &lines(scenario, |target| Some(target.latencies()?.curve())))
}

fn distribution(scenario: &ScenarioReport) -> String {
    let share = Axis { scale: Scale::Linear, unit: Some(Unit::Share), label: "share" };
    let steps = |target: &TargetReport| {
        let latencies = target.latencies()?;
        let all = crate::stats::float(latencies.len());
        let bars = latencies.bars(20).into_iter();
        let steps = bars.flat_map(|bar| {
            let share = crate::stats::float(bar.count) / all;
            [(bar.low, share), (bar.high, share)]
        });
        Some(steps.collect())
    };
    let x = Axis { label: "response time", ..RESPONSE };
    plot(x, share, &lines(scenario, steps))
}

const RESPONSE: Axis = Axis { scale: Scale::Log, unit: Some(Unit::Seconds), label: "" };

/// A plot for each kind of series, with the first complete round of each target.
fn series(scenario: &ScenarioReport) -> Vec<(String, String)> {
    let outcomes = scenario.targets.iter().flat_map(TargetReport::outcomes);
    let mut kinds: Vec<(String, Option<Unit>)> = Vec::new();
    for series in outcomes.flat_map(|outcome| &outcome.series) {
        if !kinds.iter().any(|kind| kind.0 == series.name) {
            kinds.push((series.name.clone(), series.unit));
        }
    }
    let x = Axis { scale: Scale::Linear, unit: Some(Unit::Seconds), label: "time" };
    let draw = |(name, unit): (String, Option<Unit>)| {
        let points = |target: &TargetReport| {
            let mut series = target.outcomes().flat_map(|outcome| &outcome.series);
            series.find(|series| series.name == name).map(|series| series.points.clone())
        };
        let y = Axis { scale: Scale::Linear, unit, label: "" };
        let svg = plot(x, y, &lines(scenario, points));
        (name, svg)
    };
    kinds.into_iter().map(draw).collect()
}

fn lines(
    scenario: &ScenarioReport,
    points: impl Fn(&TargetReport) -> Option<Vec<(f64, f64)>>,
) -> Vec<Line> {
    let targets = scenario.targets.iter().enumerate();
    let line = |(colour, target): (usize, &TargetReport)| {
        Some(Line { name: target.target.clone(), colour, points: points(target)? })
    };
    targets.filter_map(line).collect()
}

fn table(scenario: &ScenarioReport) -> String {
    let mut html = "<details open><summary>Figures</summary><table>".to_owned();
    for (index, row) in super::table::rows(scenario).into_iter().enumerate() {
        html += "<tr>";
        for (column, cell) in row.into_iter().enumerate() {
            let tag = if index == 0 || column == 0 { "th" } else { "td" };
            let _ = write!(html, "<{tag}>{}</{tag}>", escape(&cell));
        }
        html += "</tr>";
    }
    html + "</table></details>"
}

/// Day and time in UTC of seconds since 1970 (the civil-from-days algorithm of the proleptic
/// Gregorian calendar).
fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", rest / 3600, rest / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::tests::example;

    #[test]
    fn is_one_page_that_needs_nothing_else() {
        let page = render(&example());
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        for foreign in ["<script", "http://", "https://", "@import", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(page.matches("<svg").count() >= 3, "curve, distribution and series");
        assert!(page.contains("prefers-color-scheme"));
        assert_eq!(page.matches("<section").count(), page.matches("</section>").count());
        assert_eq!(page.matches("<div").count(), page.matches("</div>").count());
    }

    #[test]
    fn what_a_target_is_called_is_text() {
        let page = render(&example());
        assert!(!page.contains("<b>ttyd"));
        assert!(page.contains("&lt;b&gt;ttyd"));
    }

    #[test]
    fn dates() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(1_709_164_800), "2024-02-29 00:00 UTC");
        assert_eq!(date(1_790_000_000), "2026-09-21 14:13 UTC");
    }
}
