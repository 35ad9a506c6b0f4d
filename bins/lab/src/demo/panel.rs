//! The panel: the state of the rollout at a glance. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use vexil_testbed_cluster::Tally;

use super::checks::Checks;
use super::paint::{Line, Tone, bar, gauge};
use super::scene::{Pods, Scene};

/// What a panel shows.
#[derive(Debug)]
pub struct View<'a> {
    pub title: &'a str,
    pub elapsed: Duration,
    pub scene: &'a Scene,
    pub checks: &'a Checks,
    /// Since the act began.
    pub tally: &'a Tally,
    pub per_second: BTreeMap<String, u64>,
}

/// The panel's lines.
pub fn panel(view: &View<'_>, width: usize) -> Vec<Line> {
    let scene = view.scene;
    let mut lines = vec![Line::default(), rule(view, width), Line::default()];
    let tone = if scene.failed_checks > 0 { Tone::Warn } else { Tone::Dim };
    let failed = format!("      {} of {} failed checks", scene.failed_checks, view.checks.threshold);
    let made = match view.checks.iterations {
        0 => String::new(),
        all => format!("      {} of {all} checks", scene.iterations.min(all.into())),
    };
    lines.push(row("phase", phase(&scene.phase).and(Tone::Plain, made).and(tone, failed)));
    let columns = width.saturating_sub(48).clamp(10, 52);
    let share = format!("  {} % to the canary", scene.routed);
    lines.push(row("traffic", bar(scene.routed as f64, columns).and(Tone::Bold, share)));
    let primary = pods("primary", Tone::Primary, &scene.primary);
    lines.push(row(
        "pods",
        primary.and(Tone::Plain, "      ").join(pods("canary", Tone::Canary, &scene.canary)),
    ));
    lines.extend(labelled("checks", view.checks.lines()));
    lines.extend(labelled("served by", served(view)));
    lines.push(row("clients", clients(view.tally)));
    lines
}

fn rule(view: &View<'_>, width: usize) -> Line {
    let (title, clock) = (format!(" {} ", view.title), format!(" {} ", clock(view.elapsed)));
    let used = title.chars().count() + clock.chars().count() + 6;
    Line::of(Tone::Dim, "───")
        .and(Tone::Bold, title)
        .and(Tone::Dim, "─".repeat(width.saturating_sub(used)))
        .and(Tone::Plain, clock)
        .and(Tone::Dim, "──")
}

/// Minutes and seconds.
fn clock(elapsed: Duration) -> String {
    format!("{}:{:02}", elapsed.as_secs() / 60, elapsed.as_secs() % 60)
}

fn row(label: &str, rest: Line) -> Line {
    Line::of(Tone::Dim, format!("  {label:11}")).join(rest)
}

/// The label stands on the first line only.
fn labelled(label: &str, lines: Vec<Line>) -> impl Iterator<Item = Line> {
    let label = label.to_owned();
    lines.into_iter().enumerate().map(move |(place, line)| row(if place == 0 { &label } else { "" }, line))
}

fn phase(phase: &str) -> Line {
    match phase {
        "" => Line::of(Tone::Dim, "the operator has not seen the Canary yet"),
        "Succeeded" | "Initialized" => Line::of(Tone::Good, phase),
        "Failed" => Line::of(Tone::Bad, phase),
        other => Line::of(Tone::Bold, other),
    }
}

fn pods(name: &str, tone: Tone, pods: &Pods) -> Line {
    let line = Line::of(tone, format!("{name} {}", pods.version));
    match (pods.ready, pods.wanted) {
        (0, 0) => line.and(Tone::Dim, "  scaled to zero"),
        (ready, wanted) if ready < wanted => line.and(Tone::Warn, format!("  {ready}/{wanted} ready")),
        (ready, wanted) => line.and(Tone::Plain, format!("  {ready}/{wanted} ready")),
    }
}

fn served(view: &View<'_>) -> Vec<Line> {
    let all: u64 = view.tally.by_version.values().sum();
    let widest = view.tally.by_version.keys().map(|version| version.chars().count()).max().unwrap_or(0);
    let line = |(version, count): (&String, &u64)| {
        let is_canary = *version == view.scene.canary.version && *version != view.scene.primary.version;
        let tone = if is_canary { Tone::Canary } else { Tone::Primary };
        let rate = view.per_second.get(version).copied().unwrap_or(0);
        Line::of(tone, format!("{version:widest$}  {:30}", gauge(*count, all, 30)))
            .and(Tone::Plain, format!(" {count:>6}"))
            .and(Tone::Dim, format!("  {rate:>3}/s"))
    };
    let mut lines: Vec<Line> = view.tally.by_version.iter().map(line).collect();
    if lines.is_empty() {
        lines.push(Line::of(Tone::Dim, "no requests yet"));
    }
    lines
}

/// What clients saw: requests, and errors by their status.
fn clients(tally: &Tally) -> Line {
    let line = Line::of(Tone::Plain, format!("{}, ", count(tally.requests, "request")));
    match tally.errors() {
        0 => line.and(Tone::Good, "no errors"),
        errors => line.and(Tone::Bad, count(errors, "error")).and(Tone::Dim, format!("  ({})", kinds(tally))),
    }
}

/// `1 error`, `2 errors`.
pub fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `19 × 502, 2 × connection refused`.
pub fn kinds(tally: &Tally) -> String {
    let bad = tally.by_status.iter().filter(|(status, count)| **status >= 400 && **count > 0);
    let statuses = bad.map(|(status, count)| format!("{count} × {status}"));
    let failures = tally.failed.iter().map(|(reason, count)| format!("{count} × {reason}"));
    statuses.chain(failures).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::guides::USUAL;
    use super::*;

    #[test]
    fn a_panel_tells_phase_weight_pods_checks_versions_and_errors() {
        let pods = |version: &str| Pods { version: version.to_owned(), ready: 2, wanted: 2 };
        let scene = Scene {
            phase: "Progressing".to_owned(),
            routed: 25,
            primary: pods("6.0.0"),
            canary: Pods { ready: 1, ..pods("6.0.1") },
            ..Scene::default()
        };
        let mut tally = Tally { requests: 100, ..Tally::default() };
        tally.by_version.extend([("6.0.0".to_owned(), 75), ("6.0.1".to_owned(), 24)]);
        tally.by_status.extend([(200, 99), (502, 1)]);
        let view = View {
            title: "Act 1",
            elapsed: Duration::from_secs(61),
            scene: &scene,
            checks: &Checks::of(USUAL.canary()).unwrap(),
            tally: &tally,
            per_second: BTreeMap::from([("6.0.1".to_owned(), 25)]),
        };
        let text: Vec<String> = panel(&view, 70).iter().map(Line::text).collect();
        let expect = "
─── Act 1 ─────────────────────────────────────────────────── 1:01 ──

  phase      Progressing      0 of 10 failed checks
  traffic    ████████████████░░░░░░  25 % to the canary
  pods       primary 6.0.0  2/2 ready      canary 6.0.1  1/2 ready
  checks     · request-success-rate          –   at least 99 %
             · request-duration              –   at most 500 ms
  served by  6.0.0  ▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪            75    0/s
             6.0.1  ▪▪▪▪▪▪▪▪                           24   25/s
  clients    100 requests, 1 error  (1 × 502)";
        assert_eq!(text.join("\n"), expect);
    }
}
