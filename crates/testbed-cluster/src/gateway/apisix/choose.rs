//! Which rule takes a request, and which backend the rule sends it to: APISIX's half of the work.

use super::rule::{Path, Rule};

/// The rule of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// Its place in the list.
    pub place: usize,
    /// The path by which it was found, as the rule writes it.
    pub path: &'a str,
    /// The host by which it was found: that of the request, or the wildcard; empty when the rule takes every host.
    pub host: String,
}

/// Finds the rule of a request; `host` comes in lower case and without a port.
///
/// APISIX ("Router radixtree", and its default `radixtree_uri`) looks for the path first: one that is written in full
/// wins over every prefix, a longer prefix over a shorter one. Only rules of the same path are distinguished by
/// `priority`. A rule that does not take the host or the method is as if it were not there.
pub(super) fn find<'a>(
    rules: impl Iterator<Item = &'a Rule>,
    host: &str,
    path: &str,
    method: &str,
) -> Option<Found<'a>> {
    let mut best: Option<((bool, usize, i64), Found<'a>)> = None;
    for (place, rule) in rules.enumerate() {
        let Some(host) = takes_host(rule, host).filter(|_| takes_method(rule, method)) else { continue };
        for taken in rule.paths.iter().filter(|taken| takes_path(taken, path)) {
            let rank = (taken.prefix().is_none(), taken.0.len(), rule.priority);
            if best.as_ref().is_none_or(|(before, _)| rank > *before) {
                best = Some((rank, Found { place, path: &taken.0, host: host.clone() }));
            }
        }
    }
    best.map(|(_, found)| found)
}

fn takes_method(rule: &Rule, method: &str) -> bool {
    rule.methods.is_empty() || rule.methods.iter().any(|one| one == method)
}

fn takes_path(taken: &Path, path: &str) -> bool {
    match taken.prefix() {
        Some(prefix) => path.starts_with(prefix),
        None => taken.0 == path,
    }
}

/// The host that is counted, when the rule takes this one.
fn takes_host(rule: &Rule, host: &str) -> Option<String> {
    if rule.hosts.is_empty() {
        return Some(String::new());
    }
    rule.hosts.iter().find_map(|one| match one.strip_prefix('*') {
        Some(end) => host.ends_with(end).then(|| one.clone()),
        None => (one == host).then(|| host.to_owned()),
    })
}

/// The turns of weighted backends, as OpenResty's round robin takes them: a share of 3 in 4 is three in a row.
///
/// It goes round the list again and again and stops at each backend whose weight is not below a bar, which is lowered
/// with each round. So weight 0 never gets a turn, but when all weights are 0 each backend gets its turn.
#[derive(Debug)]
pub(super) struct Turns {
    weights: Vec<u64>,
    /// Where to look next.
    place: usize,
    bar: u64,
}

impl Turns {
    /// Begins at the first backend.
    pub fn new(weights: Vec<u64>) -> Self {
        Turns { bar: weights.iter().copied().max().unwrap_or(0), weights, place: 0 }
    }

    /// The place of the backend whose turn it is; `None` when there are none.
    pub fn take(&mut self) -> Option<usize> {
        let highest = self.weights.iter().copied().max()?;
        let step = self.weights.iter().copied().fold(0, divisor).max(1);
        loop {
            let Some(weight) = self.weights.get(self.place) else {
                self.place = 0;
                self.bar = self.bar.saturating_sub(step);
                if self.bar == 0 {
                    self.bar = highest;
                }
                continue;
            };
            self.place += 1;
            if *weight >= self.bar {
                return Some(self.place - 1);
            }
        }
    }
}

/// The greatest common divisor.
fn divisor(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { divisor(other, one % other) }
}

#[cfg(test)]
mod tests;
