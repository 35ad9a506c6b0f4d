//! What was scraped: series and their samples, bounded in age and number.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::labels::Labels;
use super::text::{self, TextError};

/// Series a store holds at most; a producer that puts an id in a label must not take the process with it.
const MAX_SERIES: usize = 50_000;
/// Samples a series holds at most, whatever the retention; the oldest go first.
const MAX_SAMPLES: usize = 100_000;

/// One value at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Unix time in milliseconds.
    pub ts_ms: i64,
    /// The value; NaN and infinities are values like any other.
    pub value: f64,
}

/// A stored sample, or the mark that the series was gone from the scrape at that time (Prometheus' staleness).
#[derive(Clone, Copy, Debug)]
struct Point {
    ts_ms: i64,
    value: Option<f64>,
}

/// Why a sample was not stored. The store is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// A later sample of the series is already there.
    #[error("out of order sample")]
    OutOfOrder,
    /// The series has another value at that very time.
    #[error("duplicate sample for timestamp")]
    Duplicate,
    /// The store is full.
    #[error("more than {MAX_SERIES} series")]
    TooManySeries,
}

/// What became of one scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Samples stored.
    pub stored: usize,
    /// Samples refused: too old, in conflict, or too many series.
    pub refused: usize,
}

/// Series by their labels. Knows no clock: every call is given the time.
#[derive(Debug)]
pub struct MetricStore {
    series: BTreeMap<Labels, VecDeque<Point>>,
    /// Per target, the series of its last scrape: what is missing in the next one has ended.
    targets: BTreeMap<Labels, BTreeSet<Labels>>,
    retention_ms: i64,
}

impl MetricStore {
    /// An empty store that forgets samples older than `retention_ms`.
    pub fn new(retention_ms: i64) -> Self {
        Self { series: BTreeMap::new(), targets: BTreeMap::new(), retention_ms }
    }

    /// Stores one sample. The same sample twice is no error, so a scrape can be repeated.
    pub fn append(&mut self, labels: Labels, ts_ms: i64, value: f64) -> Result<(), AppendError> {
        self.push(labels, Point { ts_ms, value: Some(value) })
    }

    /// Stores one scrape of a target in the text exposition format, all of it or, if the text is wrong, nothing.
    ///
    /// `target` are the labels every series of the target gets (`job`, `instance`, …); a scraped label of the same name
    /// is kept as `exported_<name>`, as Prometheus does without `honor_labels`. Samples without a timestamp of their
    /// own get `now_ms`. A series that the last scrape of the same target had and this one has not is marked stale, so
    /// that instant queries no longer see it. After an error the caller decides whether that is a
    /// [`Self::scrape_failed`].
    pub fn ingest_text(&mut self, text: &str, target: &Labels, now_ms: i64) -> Result<Ingested, TextError> {
        let scraped = text::parse(text)?;
        let mut report = Ingested::default();
        let mut seen = BTreeSet::new();
        for line in scraped {
            let labels = attach(line.labels, target);
            // A series with its own clock is never marked stale: its silence says nothing about the target.
            if line.ts_ms.is_none() {
                seen.insert(labels.clone());
            }
            match self.append(labels, line.ts_ms.unwrap_or(now_ms), line.value) {
                Ok(()) => report.stored += 1,
                Err(_) => report.refused += 1,
            }
        }
        self.end_missing(target, seen, now_ms);
        self.forget(now_ms);
        Ok(report)
    }

    /// A scrape of the target failed: all of its series have ended for now.
    pub fn scrape_failed(&mut self, target: &Labels, now_ms: i64) {
        self.end_missing(target, BTreeSet::new(), now_ms);
    }

    /// How many series are held.
    pub fn series_count(&self) -> usize {
        self.series.len()
    }

    /// The labels of every series, sorted.
    pub(super) fn labels(&self) -> impl Iterator<Item = &Labels> {
        self.series.keys()
    }

    /// The newest sample in (`at_ms` - `lookback_ms`, `at_ms`] of each series whose labels match, unless it is a stale
    /// mark.
    pub(super) fn latest(
        &self,
        matches: impl Fn(&Labels) -> bool,
        at_ms: i64,
        lookback_ms: i64,
    ) -> Vec<(&Labels, Sample)> {
        let matching = self.series.iter().filter(|(labels, _)| matches(labels));
        let newest = matching.filter_map(|(labels, points)| {
            let after = points.partition_point(|point| point.ts_ms <= at_ms);
            let point = points.get(after.checked_sub(1)?)?;
            let value = point.value?;
            (point.ts_ms > at_ms.saturating_sub(lookback_ms))
                .then_some((labels, Sample { ts_ms: point.ts_ms, value }))
        });
        newest.collect()
    }

    /// The samples in (`from_ms`, `to_ms`] of each series whose labels match; series without any are left out.
    pub(super) fn between(
        &self,
        matches: impl Fn(&Labels) -> bool,
        from_ms: i64,
        to_ms: i64,
    ) -> Vec<(&Labels, Vec<Sample>)> {
        let matching = self.series.iter().filter(|(labels, _)| matches(labels));
        let windows = matching.map(|(labels, points)| {
            let from = points.partition_point(|point| point.ts_ms <= from_ms);
            let to = points.partition_point(|point| point.ts_ms <= to_ms).max(from);
            let samples = points.range(from..to);
            let live = samples.filter_map(|point| Some(Sample { ts_ms: point.ts_ms, value: point.value? }));
            (labels, live.collect::<Vec<_>>())
        });
        windows.filter(|(_, samples)| !samples.is_empty()).collect()
    }

    fn push(&mut self, labels: Labels, point: Point) -> Result<(), AppendError> {
        if self.series.len() >= MAX_SERIES && !self.series.contains_key(&labels) {
            return Err(AppendError::TooManySeries);
        }
        let points = self.series.entry(labels).or_default();
        if let Some(last) = points.back() {
            if last.ts_ms > point.ts_ms {
                return Err(AppendError::OutOfOrder);
            }
            if last.ts_ms == point.ts_ms {
                let same = last.value.map(f64::to_bits) == point.value.map(f64::to_bits);
                return if same { Ok(()) } else { Err(AppendError::Duplicate) };
            }
        }
        points.push_back(point);
        let oldest = point.ts_ms.saturating_sub(self.retention_ms);
        while points.len() > MAX_SAMPLES || points.front().is_some_and(|first| first.ts_ms < oldest) {
            points.pop_front();
        }
        Ok(())
    }

    fn end_missing(&mut self, target: &Labels, seen: BTreeSet<Labels>, now_ms: i64) {
        let before = self.targets.insert(target.clone(), seen.clone()).unwrap_or_default();
        for ended in before.difference(&seen) {
            self.end(ended, now_ms);
        }
    }

    /// Marks a series as gone. Refused when it has a later sample, and then it is not gone.
    pub(super) fn end(&mut self, labels: &Labels, at_ms: i64) {
        let _ = self.push(labels.clone(), Point { ts_ms: at_ms, value: None });
    }

    fn forget(&mut self, now_ms: i64) {
        let oldest = now_ms.saturating_sub(self.retention_ms);
        self.series.retain(|_, points| points.back().is_some_and(|last| last.ts_ms >= oldest));
    }
}

fn attach(scraped: Labels, target: &Labels) -> Labels {
    target.iter().fold(scraped, |labels, (name, value)| {
        let own = labels.get(name).to_owned();
        let labels = if own.is_empty() { labels } else { labels.with(format!("exported_{name}"), own) };
        labels.with(name, value)
    })
}
