//! The figures beside Flagger's and the goals, aligned; and which goals are missed.

use super::figures::{Figures, Provider, Requests, percentile};

/// Most requests of a rollout of two steps.
const REQUESTS: usize = 24;
/// Most requests of a further step.
const PER_STEP: f64 = 3.0;

/// One line of the table.
struct Row {
    what: String,
    reference: &'static str,
    goal: &'static str,
    here: String,
    met: bool,
}

impl Row {
    fn new(what: &str, reference: &'static str, goal: &'static str, here: String, met: bool) -> Self {
        Row { what: what.to_owned(), reference, goal, here, met }
    }
}

/// MiB in a number of bytes.
fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

fn rows(f: &Figures) -> Vec<Row> {
    let (p50, p99) = (percentile(&f.scale_ups, 50), percentile(&f.scale_ups, 99));
    let (binary, resident) = (mib(f.binary), mib(f.resident));
    let mut rows = vec![
        Row::new("requests of an idle Canary per 10 s", "11", "0", format!("{:.2}", f.idle), f.idle == 0.0),
        Row::new("push to scale-up, p50", "8.3 s", "", format!("{p50:.0} ms"), true),
        Row::new("push to scale-up, p99", "8.8 s", "<= 250 ms", format!("{p99:.0} ms"), p99 <= 250.0),
        Row::new(
            "two steps at a 10 s interval",
            "58 s",
            "about 31 s",
            format!("{:.1} s", f.rollout_s),
            f.rollout_s < 33.0,
        ),
        Row::new("release binary, stripped", "", "< 20 MiB", format!("{binary:.1} MiB"), binary < 20.0),
        Row::new(
            "resident, 20 idle Canaries",
            "68 MiB",
            "< 30 MiB",
            format!("{resident:.1} MiB"),
            resident < 30.0,
        ),
        Row::new(
            "CPU, 20 idle Canaries",
            "0.0081 core",
            "< 0.0005 core",
            format!("{:.5} core", f.cpu),
            f.cpu < 0.0005,
        ),
    ];
    rows.extend(f.providers.iter().flat_map(of_provider));
    rows
}

/// What Flagger needed for two steps, where that was recorded.
fn recorded(provider: &str) -> &'static str {
    match provider {
        "traefik" => "104",
        "kuma" => "86",
        "apisix" | "kubernetes" => "110",
        _ => "",
    }
}

/// Whether a rollout of two steps cost more than it may.
pub fn too_many(requests: &Requests) -> bool {
    requests.values().sum::<usize>() > REQUESTS
}

fn of_provider(provider: &Provider) -> [Row; 2] {
    let (name, requests) = (provider.name, provider.requests.values().sum::<usize>());
    let per_step = provider.per_step;
    [
        Row::new(
            &format!("{name}: requests of two steps"),
            recorded(name),
            "<= 24",
            requests.to_string(),
            !too_many(&provider.requests),
        ),
        Row::new(
            &format!("{name}: requests per added step"),
            "",
            "<= 3",
            format!("{per_step:.1}"),
            per_step <= PER_STEP,
        ),
    ]
}

/// The table, and the requests of each provider's rollout one by one.
pub fn text(f: &Figures) -> String {
    let line = |what: &str, reference: &str, goal: &str, here: &str, end: &str| {
        format!("  {what:<40}{reference:>13}{goal:>16}{here:>15}{end}\n")
    };
    let mut text = line("", "reference", "goal", "here", "");
    for row in rows(f) {
        let end = if row.met { "" } else { "  MISSED" };
        text.push_str(&line(&row.what, row.reference, row.goal, &row.here, end));
    }
    for provider in &f.providers {
        let requests = provider.requests.iter().map(|(what, count)| format!("{count} {what}"));
        text.push_str(&format!("\n  {}: {}", provider.name, requests.collect::<Vec<_>>().join(", ")));
    }
    text
}

/// What is missed.
pub fn missed(f: &Figures) -> Vec<String> {
    let missed = rows(f).into_iter().filter(|row| !row.met);
    missed.map(|row| format!("{}: {} where {} is wanted", row.what, row.here, row.goal)).collect()
}
