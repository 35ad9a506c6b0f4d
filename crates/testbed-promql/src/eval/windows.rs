//! Functions of a range vector: rates, and what happened to a series over time.

use super::quantile::quantile;
use super::sum::{Sum, mean, variance};
use crate::store::Sample;

/// One series' samples in (`from_ms`, `to_ms`]; at least one.
pub(super) struct Window<'a> {
    pub samples: &'a [Sample],
    pub from_ms: i64,
    pub to_ms: i64,
}

/// A function from a window to a value, if it has one.
pub(super) type OverWindow = fn(&Window<'_>) -> Option<f64>;

/// The function of that name, if it takes a range vector and nothing else.
pub(super) fn over_window(name: &str) -> Option<OverWindow> {
    Some(match name {
        "rate" => |w| w.extrapolated(true).map(|growth| growth / w.seconds()),
        "increase" => |w| w.extrapolated(true),
        "delta" => |w| w.extrapolated(false),
        "irate" => |w| w.last_step(|from, to| if to < from { to } else { to - from }, true),
        "idelta" => |w| w.last_step(|from, to| to - from, false),
        "changes" => |w| Some(w.steps(|from, to| from != to && !(from.is_nan() && to.is_nan()))),
        "resets" => |w| Some(w.steps(|from, to| to < from)),
        "sum_over_time" => |w| Some(Sum::of(w.values())),
        "avg_over_time" => |w| Some(mean(&w.values().collect::<Vec<_>>())),
        "min_over_time" => |w| w.values().reduce(lesser),
        "max_over_time" => |w| w.values().reduce(greater),
        "count_over_time" => |w| Some(w.samples.len() as f64),
        "first_over_time" => |w| w.samples.first().map(|sample| sample.value),
        "last_over_time" => |w| w.samples.last().map(|sample| sample.value),
        "present_over_time" => |w| w.samples.last().map(|_| 1.0),
        "stdvar_over_time" => |w| Some(variance(&w.values().collect::<Vec<_>>())),
        "stddev_over_time" => |w| Some(variance(&w.values().collect::<Vec<_>>()).sqrt()),
        _ => return None,
    })
}

/// The smaller value; NaN only if there is nothing else.
pub(super) fn lesser(least: f64, value: f64) -> f64 {
    if least > value || least.is_nan() { value } else { least }
}

/// The larger value; NaN only if there is nothing else.
pub(super) fn greater(most: f64, value: f64) -> f64 {
    if most < value || most.is_nan() { value } else { most }
}

impl Window<'_> {
    pub(super) fn quantile(&self, rank: f64) -> f64 {
        quantile(rank, self.values().collect())
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.samples.iter().map(|sample| sample.value)
    }

    fn seconds(&self) -> f64 {
        (self.to_ms - self.from_ms) as f64 / 1000.0
    }

    /// The growth between the first and the last sample, stretched to the whole window (Prometheus' `rate`, `increase`,
    /// `delta`).
    ///
    /// A drop of a counter is a restart from 0. Samples are assumed to be regular: the window's border is reached if it
    /// is less than 1.1 spacings from the nearest sample, otherwise the series is assumed to begin or end half a
    /// spacing away. A counter is never stretched to before the time at which it would have been 0. Fewer than two
    /// samples: no value.
    fn extrapolated(&self, counter: bool) -> Option<f64> {
        let (first, last) = (self.samples.first()?, self.samples.last()?);
        let gaps = self.samples.len().checked_sub(1).filter(|gaps| *gaps > 0)?;
        let drops = self.samples.windows(2).filter_map(|pair| match pair {
            [from, to] if counter && to.value < from.value => Some(from.value),
            _ => None,
        });
        let growth = drops.fold(last.value - first.value, |growth, before| growth + before);

        let covered = (last.ts_ms - first.ts_ms) as f64 / 1000.0;
        let spacing = covered / gaps as f64;
        let reach = |distance_ms: i64| {
            let distance = distance_ms as f64 / 1000.0;
            if distance < spacing * 1.1 { distance } else { spacing / 2.0 }
        };
        let mut before = reach(first.ts_ms - self.from_ms);
        if counter && growth > 0.0 && first.value >= 0.0 {
            before = before.min(covered * (first.value / growth));
        }
        let after = reach(self.to_ms - last.ts_ms);
        Some(growth * ((covered + before + after) / covered))
    }

    /// From the last sample but one to the last, per second if asked.
    fn last_step(&self, step: fn(f64, f64) -> f64, per_second: bool) -> Option<f64> {
        let [.., from, to] = self.samples else { return None };
        let growth = step(from.value, to.value);
        Some(if per_second { growth / ((to.ts_ms - from.ts_ms) as f64 / 1000.0) } else { growth })
    }

    /// How many neighbours are as asked.
    fn steps(&self, wanted: fn(f64, f64) -> bool) -> f64 {
        let pairs = self.samples.windows(2);
        pairs.filter(|pair| matches!(pair, [from, to] if wanted(from.value, to.value))).count() as f64
    }
}
