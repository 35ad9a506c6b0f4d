//! What was measured.

use std::collections::BTreeMap;

/// Requests by verb and resource.
pub type Requests = BTreeMap<String, usize>;

/// What a rollout costs with one provider.
#[derive(Debug)]
pub struct Provider {
    pub name: &'static str,
    /// Requests of a rollout of two steps.
    pub requests: Requests,
    /// Requests of each further step.
    pub per_step: f64,
}

/// What was measured.
#[derive(Debug, Default)]
pub struct Figures {
    /// Each provider, the one that is Flagger's first.
    pub providers: Vec<Provider>,
    /// Requests of one idle Canary in 10 s, which is a tick of Flagger.
    pub idle: f64,
    /// From each push to its scale-up, in milliseconds.
    pub scale_ups: Vec<f64>,
    /// Seconds of a rollout of two steps at an interval of 10 s.
    pub rollout_s: f64,
    /// Size of the binary, in bytes.
    pub binary: u64,
    /// Resident memory beside idle Canaries, in bytes.
    pub resident: u64,
    /// Cores used beside idle Canaries.
    pub cpu: f64,
}

/// What came after `before`.
pub fn since(before: &Requests, after: &Requests) -> Requests {
    let new = after.iter().map(|(what, count)| {
        (what.clone(), count.saturating_sub(before.get(what).copied().unwrap_or_default()))
    });
    new.filter(|(_, count)| *count > 0).collect()
}

/// The value that `percent` of all values do not exceed; 0 without values.
pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}
