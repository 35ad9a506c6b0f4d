//! The panel: the state of the rollout at a glance. Pure.

use std::time::Duration;

use vexil_testbed_cluster::Tally;
use vexil_testbed_rig::{
    player::State,
    report::{count, kinds},
    scene::Pods,
    styled_line::{Line, Tone, bar, gauge},
};

/// The panel's lines, of at most `width` columns.
pub fn panel(state: &State<'_>, width: usize) -> Vec<Line> {
    let scene = state.scene;
    let mut lines = vec![Line::default(), rule(state, width), Line::default()];
    lines.push(row("phase", progress(state)));
    let columns = width.saturating_sub(48).clamp(10, 52);
    let share = format!("  {} % to the canary", scene.routed);
    lines.push(row("traffic", bar(scene.routed as f64, columns).and(Tone::Bold, share)));
    let primary = pods(("█", "primary"), Tone::Primary, &scene.primary);
    let canary = pods(("░", "canary"), Tone::Canary, &scene.canary);
    lines.push(row("pods", primary.and(Tone::Plain, "   ").join(canary)));
    lines.extend(labelled("checks", state.checks.lines()));
    lines.extend(labelled("served by", served(state)));
    lines.push(row("clients", clients(state)));
    let legend = Line::of(Tone::Primary, "█ primary").and(Tone::Canary, "   ░ canary");
    let legend = legend.and(Tone::Good, "   ✓ holds").and(Tone::Bad, "   ✗ fails");
    lines.push(row("legend", legend.and(Tone::Dim, "   · not yet   ▪ requests")));
    lines
}

/// The phase; while a version is checked also the step, the time to the next one, and failed checks.
fn progress(state: &State<'_>) -> Line {
    let scene = state.scene;
    let line = phase(&scene.phase);
    if scene.phase != "Progressing" {
        return line;
    }
    let (made, all) = state.checks.steps(scene.weight, scene.iterations);
    let next = match state.next_check {
        Some(left) => format!("next check in {:.1} s", left.as_secs_f64()),
        None if scene.canary.ready < scene.canary.wanted => "waiting for pods".to_owned(),
        None => "checking".to_owned(),
    };
    let tone = if scene.failed_checks > 0 { Tone::Warn } else { Tone::Dim };
    line.and(Tone::Plain, format!("   step {made} of {all}   {next:19}"))
        .and(tone, format!("   {} of {} failed", scene.failed_checks, state.checks.threshold))
}

fn rule(state: &State<'_>, width: usize) -> Line {
    let (title, clock) = (format!(" {} ", state.title), format!(" {} ", clock(state.elapsed)));
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

/// The label is on the first line only.
fn labelled(label: &str, lines: Vec<Line>) -> impl Iterator<Item = Line> {
    let label = label.to_owned();
    lines.into_iter().enumerate().map(move |(place, line)| row(if place == 0 { &label } else { "" }, line))
}

fn phase(phase: &str) -> Line {
    match phase {
        "" => Line::of(Tone::Dim, "the operator has not seen the Canary yet"),
        phase => Line::of(Tone::of_phase(phase), phase),
    }
}

fn pods((mark, name): (&str, &str), tone: Tone, pods: &Pods) -> Line {
    let line = Line::of(tone, format!("{mark} {name} {}", pods.version));
    match (pods.ready, pods.wanted) {
        (0, 0) => line.and(Tone::Dim, "  scaled to zero"),
        (ready, wanted) if ready < wanted => line.and(Tone::Warn, format!("  {ready}/{wanted} ready")),
        (ready, wanted) => line.and(Tone::Plain, format!("  {ready}/{wanted} ready")),
    }
}

fn served(state: &State<'_>) -> Vec<Line> {
    let all: u64 = state.tally.by_version.values().sum();
    let widest = state.tally.by_version.keys().map(|version| version.chars().count()).max().unwrap_or(0);
    let line = |(version, count): (&String, &u64)| {
        let is_canary = *version == state.scene.canary.version && *version != state.scene.primary.version;
        let tone = if is_canary { Tone::Canary } else { Tone::Primary };
        let rate = state.per_second.get(version).copied().unwrap_or(0);
        Line::of(tone, format!("{version:widest$}  {:30}", gauge(*count, all, 30)))
            .and(Tone::Plain, format!(" {count:>6}"))
            .and(Tone::Dim, format!("  {rate:>3}/s"))
    };
    let mut lines: Vec<Line> = state.tally.by_version.iter().map(line).collect();
    if lines.is_empty() {
        lines.push(Line::of(Tone::Dim, "no requests yet"));
    }
    lines
}

/// What clients got: requests, and errors by their status.
fn clients(state: &State<'_>) -> Line {
    if !state.has_clients {
        return Line::of(Tone::Dim, "none yet");
    }
    let tally: &Tally = state.tally;
    let line = Line::of(Tone::Plain, format!("{} in this act, ", count(tally.requests, "request")));
    match tally.errors() {
        0 => line.and(Tone::Good, "no errors"),
        errors => line.and(Tone::Bad, count(errors, "error")).and(Tone::Dim, format!("  ({})", kinds(tally))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use vexil_testbed_rig::{checks::Checks, scene::Scene, systems::USUAL};

    use super::*;

    fn check(width: usize, expect: &str) {
        let pods = |version: &str| Pods { version: version.to_owned(), ready: 2, wanted: 2 };
        let scene = Scene {
            phase: "Progressing".to_owned(),
            weight: 25,
            routed: 25,
            primary: pods("6.0.0"),
            canary: Pods { ready: 1, ..pods("6.0.1") },
            ..Scene::default()
        };
        let mut tally = Tally { requests: 100, ..Tally::default() };
        tally.by_version.extend([("6.0.0".to_owned(), 75), ("6.0.1".to_owned(), 24)]);
        tally.by_status.extend([(200, 99), (502, 1)]);
        let state = State {
            title: "Act 1",
            elapsed: Duration::from_secs(61),
            scene: &scene,
            checks: &Checks::of(USUAL.canary()).unwrap(),
            tally: &tally,
            per_second: BTreeMap::from([("6.0.1".to_owned(), 25)]),
            has_clients: true,
            next_check: Some(Duration::from_millis(1_400)),
        };
        let lines = panel(&state, width);
        assert!(lines.iter().all(|line| line.columns() <= width), "{width}");
        let text: Vec<String> = lines.iter().map(Line::text).collect();
        assert_eq!(text.join("\n"), expect);
    }

    #[test]
    fn a_panel_shows_phase_step_countdown_weight_pods_checks_versions_and_errors() {
        check(
            79,
            "
─── Act 1 ──────────────────────────────────────────────────────────── 1:01 ──

  phase      Progressing   step 5 of 10   next check in 1.4 s   0 of 10 failed
  traffic    ███████████████████████░░░░░░░░  25 % to the canary
  pods       █ primary 6.0.0  2/2 ready   ░ canary 6.0.1  1/2 ready
  checks     · request-success-rate          –   at least 99 %
             · request-duration              –   at most 500 ms
  served by  6.0.0  ▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪            75    0/s
             6.0.1  ▪▪▪▪▪▪▪▪                           24   25/s
  clients    100 requests in this act, 1 error  (1 × 502)
  legend     █ primary   ░ canary   ✓ holds   ✗ fails   · not yet   ▪ requests",
        );
    }
}
