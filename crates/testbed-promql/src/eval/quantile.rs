//! Quantiles: of values, and of classic histograms.

use std::cmp::Ordering;

/// How far two cumulative counts may differ, relative to their sum, and still count as equal: sums of rates carry
/// rounding errors, and a difference of that size must not make a bucket.
const TOLERANCE: f64 = 1e-12;

/// A bucket of a classic histogram: how many observations were at or below its bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    pub bound: f64,
    pub count: f64,
}

/// The answer for ranks that no distribution has: NaN, below 0, above 1.
fn impossible(rank: f64) -> Option<f64> {
    match rank {
        _ if rank.is_nan() => Some(f64::NAN),
        _ if rank < 0.0 => Some(f64::NEG_INFINITY),
        _ if rank > 1.0 => Some(f64::INFINITY),
        _ => None,
    }
}

/// The `rank`-quantile of `values`, interpolated between the two nearest. NaN sorts below everything else.
pub(super) fn quantile(rank: f64, mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    if let Some(answer) = impossible(rank) {
        return answer;
    }
    values.sort_by(|a, b| b.is_nan().cmp(&a.is_nan()).then(a.partial_cmp(b).unwrap_or(Ordering::Equal)));
    let position = rank * (values.len() - 1) as f64;
    let (below, weight) = (position.floor(), position - position.floor());
    let at = |index: usize| values.get(index).or(values.last()).copied().unwrap_or(f64::NAN);
    at(below as usize) * (1.0 - weight) + at(below as usize + 1) * weight
}

/// The `rank`-quantile of a histogram, as Prometheus' `histogram_quantile` estimates it.
///
/// Observations are assumed to be spread evenly in their bucket, and the lowest bucket to begin at 0 unless its bound
/// is not above 0. A quantile above the highest finite bound is that bound. No `+Inf` bucket, fewer than two buckets or
/// no observations: NaN. Buckets that fall are lifted to the one before.
pub(super) fn histogram_quantile(rank: f64, buckets: Vec<Bucket>) -> f64 {
    if let Some(answer) = impossible(rank) {
        return answer;
    }
    let buckets = cumulative(buckets);
    let (Some(first), [finite @ .., total]) = (buckets.first(), buckets.as_slice()) else { return f64::NAN };
    let Some(highest) = finite.last() else { return f64::NAN };
    if total.bound != f64::INFINITY || total.count == 0.0 {
        return f64::NAN;
    }
    let wanted = rank * total.count;
    let short = |bucket: &Bucket| bucket.count.partial_cmp(&wanted).is_none_or(Ordering::is_lt);
    let index = finite.partition_point(short);
    let Some(bucket) = finite.get(index) else { return highest.bound };
    let below = index.checked_sub(1).and_then(|below| finite.get(below));
    match below {
        None if first.bound <= 0.0 => first.bound,
        None => bucket.bound * (wanted / bucket.count),
        Some(below) => {
            let share = (wanted - below.count) / (bucket.count - below.count);
            below.bound + (bucket.bound - below.bound) * share
        }
    }
}

/// Sorted by bound, one bucket per bound, never falling.
fn cumulative(mut buckets: Vec<Bucket>) -> Vec<Bucket> {
    buckets.sort_by(|a, b| a.bound.total_cmp(&b.bound));
    let mut sorted: Vec<Bucket> = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        match sorted.last_mut() {
            Some(last) if last.bound == bucket.bound => last.count += bucket.count,
            _ => sorted.push(bucket),
        }
    }
    let mut reached = sorted.first().map_or(0.0, |bucket| bucket.count);
    for bucket in sorted.iter_mut().skip(1) {
        if bucket.count < reached || nearly(reached, bucket.count) {
            bucket.count = reached;
        }
        reached = bucket.count;
    }
    sorted
}

fn nearly(a: f64, b: f64) -> bool {
    (a - b).abs() < TOLERANCE * (a.abs() + b.abs())
}
