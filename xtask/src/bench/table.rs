//! The figures beside the reference's and the goal, aligned.

use super::figures::{Figures, percentile};

/// MiB in a number of bytes.
fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / 1_048_576.0)
}

/// The table, and the rollout's requests one by one.
pub fn text(f: &Figures) -> String {
    let requests: usize = f.requests.values().sum();
    let scale_up = |percent| format!("{:.0} ms", percentile(&f.scale_ups, percent));
    let rows = [
        ["", "reference", "goal", "here"].map(str::to_owned),
        row("requests of an idle Canary per 10 s", "11", "0", format!("{:.2}", f.idle)),
        row("requests of a rollout of two steps", "104", "<= 24", requests.to_string()),
        row("requests per added step", "", "<= 3", format!("{:.1}", f.per_step)),
        row("push to scale-up, p50", "8.3 s", "", scale_up(50)),
        row("push to scale-up, p99", "8.8 s", "<= 250 ms", scale_up(99)),
        row("that rollout at a 10 s interval", "58 s", "about 31 s", format!("{:.1} s", f.rollout_s)),
        row("release binary, stripped", "", "< 20 MiB", mib(f.binary)),
        row("resident, 20 idle Canaries", "68 MiB", "< 30 MiB", mib(f.resident)),
        row("CPU, 20 idle Canaries", "0.0081 core", "< 0.0005 core", format!("{:.5} core", f.cpu)),
    ];
    let mut text = rows
        .map(|[what, reference, goal, here]| format!("  {what:<38}{reference:>13}{goal:>16}{here:>15}\n"))
        .concat();
    text.push_str(&format!("\n  the rollout's {requests} requests\n"));
    for (what, count) in &f.requests {
        text.push_str(&format!("  {count:>4}  {what}\n"));
    }
    text
}

fn row(what: &str, reference: &str, goal: &str, here: String) -> [String; 4] {
    [what.to_owned(), reference.to_owned(), goal.to_owned(), here]
}
