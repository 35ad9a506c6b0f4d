//! Metrics as a producer keeps them, rendered in the text exposition format: what the gateway and the pods expose.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::labels::Labels;
use super::number;
use super::text::escape_help;

/// Name and help text of a metric.
#[derive(Clone, Debug)]
struct Description {
    name: String,
    help: String,
}

impl Description {
    fn render(&self, kind: &str, out: &mut String) {
        let Self { name, help } = self;
        let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", escape_help(help));
    }
}

/// Counters of one name, distinguished by their labels. They only grow.
#[derive(Clone, Debug)]
pub struct Counter {
    description: Description,
    series: BTreeMap<Labels, f64>,
}

impl Counter {
    /// `name` should end in `_total`.
    pub fn new(name: &str, help: &str) -> Self {
        let description = Description { name: name.to_owned(), help: help.to_owned() };
        Self { description, series: BTreeMap::new() }
    }

    /// Adds to the counter of these labels; it starts at 0. What is not a number above 0 adds nothing.
    pub fn add(&mut self, labels: Labels, by: f64) {
        *self.series.entry(labels).or_default() += if by > 0.0 { by } else { 0.0 };
    }

    /// The value of the counter of these labels, 0 if there is none.
    pub fn get(&self, labels: &Labels) -> f64 {
        self.series.get(labels).copied().unwrap_or_default()
    }

    /// Appends its lines.
    pub fn render(&self, out: &mut String) {
        self.description.render("counter", out);
        for (labels, value) in &self.series {
            line(out, &self.description.name, "", labels.clone(), *value);
        }
    }
}

/// Gauges of one name, distinguished by their labels.
#[derive(Clone, Debug)]
pub struct Gauge {
    description: Description,
    series: BTreeMap<Labels, f64>,
}

impl Gauge {
    /// A gauge without series.
    pub fn new(name: &str, help: &str) -> Self {
        let description = Description { name: name.to_owned(), help: help.to_owned() };
        Self { description, series: BTreeMap::new() }
    }

    /// Sets the gauge of these labels.
    pub fn set(&mut self, labels: Labels, value: f64) {
        self.series.insert(labels, value);
    }

    /// Drops the gauge of these labels.
    pub fn remove(&mut self, labels: &Labels) {
        self.series.remove(labels);
    }

    /// Appends its lines.
    pub fn render(&self, out: &mut String) {
        self.description.render("gauge", out);
        for (labels, value) in &self.series {
            line(out, &self.description.name, "", labels.clone(), *value);
        }
    }
}

/// Histograms of one name with fixed buckets, distinguished by their labels.
#[derive(Clone, Debug)]
pub struct Histogram {
    description: Description,
    bounds: Vec<f64>,
    series: BTreeMap<Labels, Tally>,
}

/// Observations per bucket (not cumulative; the last one is above all bounds) and their sum.
#[derive(Clone, Debug)]
struct Tally {
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// `bounds` are the buckets' inclusive upper bounds in the unit of the metric; +Inf is added. They are sorted, and
    /// what is not finite is dropped.
    pub fn new(name: &str, help: &str, bounds: &[f64]) -> Self {
        let mut bounds: Vec<f64> = bounds.iter().copied().filter(|bound| bound.is_finite()).collect();
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        let description = Description { name: name.to_owned(), help: help.to_owned() };
        Self { description, bounds, series: BTreeMap::new() }
    }

    /// Records one observation, in the unit of the bounds.
    pub fn observe(&mut self, labels: Labels, value: f64) {
        // NaN is in no finite bucket, as with Prometheus' own clients.
        let bucket = self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len());
        let buckets = self.bounds.len() + 1;
        let tally = self.series.entry(labels).or_insert_with(|| Tally { counts: vec![0; buckets], sum: 0.0 });
        tally.sum += value;
        if let Some(count) = tally.counts.get_mut(bucket) {
            *count += 1;
        }
    }

    /// Observations of these labels.
    pub fn count(&self, labels: &Labels) -> u64 {
        self.series.get(labels).map_or(0, |tally| tally.counts.iter().sum())
    }

    /// Appends its lines: `_bucket` (cumulative), `_sum` and `_count` per label set.
    pub fn render(&self, out: &mut String) {
        self.description.render("histogram", out);
        let name = &self.description.name;
        for (labels, tally) in &self.series {
            let mut total = 0;
            for (bound, count) in self.bounds.iter().chain(&[f64::INFINITY]).zip(&tally.counts) {
                total += count;
                line(out, name, "_bucket", labels.clone().with("le", number::float(*bound)), total as f64);
            }
            line(out, name, "_sum", labels.clone(), tally.sum);
            line(out, name, "_count", labels.clone(), total as f64);
        }
    }
}

fn line(out: &mut String, name: &str, suffix: &str, labels: Labels, value: f64) {
    let series = Labels::named(&format!("{name}{suffix}"), labels.iter());
    let _ = writeln!(out, "{series} {}", number::float(value));
}
