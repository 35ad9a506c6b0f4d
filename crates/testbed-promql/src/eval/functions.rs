//! Function calls: what each takes, and where it is computed.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use promql_parser::label::MatchOp;
use promql_parser::parser::{Call, Expr, VectorSelector};

use super::quantile::{Bucket, histogram_quantile};
use super::windows::{Window, over_window};
use super::{Element, Engine, QueryError, Value, Windows, computed, unique, unsupported};
use crate::labels::{Labels, METRIC_NAME};

/// The label of a bucket's inclusive upper bound.
const BOUND: &str = "le";

impl Engine<'_> {
    pub(super) fn call(&self, call: &Call, at_ms: i64) -> Result<Value, QueryError> {
        let name = call.func.name;
        let args = Args { engine: self, call, at_ms };
        if let Some(function) = over_window(name) {
            let keeps_name = matches!(name, "first_over_time" | "last_over_time");
            return per_window(args.matrix(0)?, keeps_name, function).map(Value::Vector);
        }
        if let Some(function) = of_number(name) {
            return computed(args.vector(0)?, function).map(Value::Vector);
        }
        let elements = match name {
            "time" => return Ok(Value::Scalar(at_ms as f64 / 1000.0)),
            "pi" => return Ok(Value::Scalar(std::f64::consts::PI)),
            "scalar" => return Ok(Value::Scalar(only_value(&args.vector(0)?))),
            "vector" => vec![Element { labels: Labels::default(), value: args.scalar(0)? }],
            "timestamp" => args.timestamps()?,
            "clamp" => clamp(args.vector(0)?, args.scalar(1)?, args.scalar(2)?)?,
            "clamp_min" => clamp(args.vector(0)?, args.scalar(1)?, f64::INFINITY)?,
            "clamp_max" => clamp(args.vector(0)?, f64::NEG_INFINITY, args.scalar(1)?)?,
            "round" => round(args.vector(0)?, args.optional_scalar(1, 1.0)?)?,
            "sort" => sorted(args.vector(0)?, ascending),
            "sort_desc" => sorted(args.vector(0)?, descending),
            "absent" => absent(args.vector(0)?.is_empty(), args.expr(0)?),
            "absent_over_time" => absent(args.matrix(0)?.series.is_empty(), args.expr(0)?),
            "histogram_quantile" => histogram_quantiles(args.scalar(0)?, args.vector(1)?)?,
            "quantile_over_time" => {
                let rank = args.scalar(0)?;
                per_window(args.matrix(1)?, false, |window| Some(window.quantile(rank)))?
            }
            _ => return Err(unsupported(&format!("the function {name}"))),
        };
        Ok(Value::Vector(elements))
    }
}

/// The arguments of a call, evaluated when asked for.
struct Args<'a> {
    engine: &'a Engine<'a>,
    call: &'a Call,
    at_ms: i64,
}

impl Args<'_> {
    fn expr(&self, index: usize) -> Result<&Expr, QueryError> {
        let missing = || QueryError::BadData(format!("too few arguments in call to {}", self.call.func.name));
        self.call.args.args.get(index).map(AsRef::as_ref).ok_or_else(missing)
    }

    fn scalar(&self, index: usize) -> Result<f64, QueryError> {
        self.engine.scalar(self.expr(index)?, self.at_ms)
    }

    fn optional_scalar(&self, index: usize, default: f64) -> Result<f64, QueryError> {
        if index < self.call.args.len() { self.scalar(index) } else { Ok(default) }
    }

    fn vector(&self, index: usize) -> Result<Vec<Element>, QueryError> {
        self.engine.vector(self.expr(index)?, self.at_ms)
    }

    fn matrix(&self, index: usize) -> Result<Windows, QueryError> {
        self.engine.matrix(self.expr(index)?, self.at_ms)
    }

    /// When each sample was taken, in seconds; for anything but a selector that is the time of the query.
    fn timestamps(&self) -> Result<Vec<Element>, QueryError> {
        match unwrapped(self.expr(0)?) {
            Expr::VectorSelector(selector) => {
                let samples = self.engine.instant_samples(selector, self.at_ms)?;
                let times = samples.into_iter().map(|(labels, sample)| Element {
                    labels: labels.nameless(),
                    value: sample.ts_ms as f64 / 1000.0,
                });
                unique(times.collect())
            }
            other => computed(self.engine.vector(other, self.at_ms)?, |_| self.at_ms as f64 / 1000.0),
        }
    }
}

fn unwrapped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(inner) => unwrapped(&inner.expr),
        other => other,
    }
}

/// The functions of one number that are the same for every element.
fn of_number(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "exp" => f64::exp,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sqrt" => f64::sqrt,
        "sgn" => |value| if value == 0.0 || value.is_nan() { value } else { value.signum() },
        _ => return None,
    })
}

fn per_window(
    windows: Windows,
    keeps_name: bool,
    function: impl Fn(&Window<'_>) -> Option<f64>,
) -> Result<Vec<Element>, QueryError> {
    let Windows { series, from_ms, to_ms } = windows;
    let elements = series.into_iter().filter_map(|series| {
        let value = function(&Window { samples: &series.samples, from_ms, to_ms })?;
        let labels = if keeps_name { series.labels } else { series.labels.nameless() };
        Some(Element { labels, value })
    });
    unique(elements.collect())
}

fn only_value(elements: &[Element]) -> f64 {
    match elements {
        [only] => only.value,
        _ => f64::NAN,
    }
}

/// NaN stays NaN (Rust's own `min` and `max` would drop it); bounds that cross leave nothing.
fn clamp(elements: Vec<Element>, least: f64, most: f64) -> Result<Vec<Element>, QueryError> {
    if most < least {
        return Ok(Vec::new());
    }
    let unknown = least.is_nan() || most.is_nan();
    let bounded = |value: f64| if value.is_nan() || unknown { f64::NAN } else { value.min(most).max(least) };
    computed(elements, bounded)
}

/// To the nearest multiple; halves are rounded up.
fn round(elements: Vec<Element>, multiple: f64) -> Result<Vec<Element>, QueryError> {
    // By the inverse, as Prometheus: 0.1 is not a float but 10 is.
    let inverse = 1.0 / multiple;
    computed(elements, |value| (value * inverse + 0.5).floor() / inverse)
}

pub(super) fn sorted(mut elements: Vec<Element>, order: fn(f64, f64) -> Ordering) -> Vec<Element> {
    elements.sort_by(|a, b| order(a.value, b.value));
    elements
}

/// Smallest first, NaN last.
pub(super) fn ascending(a: f64, b: f64) -> Ordering {
    a.is_nan().cmp(&b.is_nan()).then(a.partial_cmp(&b).unwrap_or(Ordering::Equal))
}

/// Largest first, NaN last.
pub(super) fn descending(a: f64, b: f64) -> Ordering {
    a.is_nan().cmp(&b.is_nan()).then(b.partial_cmp(&a).unwrap_or(Ordering::Equal))
}

/// 1 with the labels that the selector asks for by equality, if it selects nothing.
fn absent(nothing: bool, expr: &Expr) -> Vec<Element> {
    if !nothing {
        return Vec::new();
    }
    let labels = match expr {
        Expr::VectorSelector(selector) => asked_labels(selector),
        Expr::MatrixSelector(selector) => asked_labels(&selector.vs),
        _ => Labels::default(),
    };
    vec![Element { labels, value: 1.0 }]
}

fn asked_labels(selector: &VectorSelector) -> Labels {
    let matchers = &selector.matchers.matchers;
    let single = matchers.iter().filter(|matcher| {
        let same_name = matchers.iter().filter(|other| other.name == matcher.name);
        matcher.op == MatchOp::Equal && matcher.name != METRIC_NAME && same_name.count() == 1
    });
    Labels::new(single.map(|matcher| (matcher.name.as_str(), matcher.value.as_str())))
}

/// One quantile per histogram: the buckets that differ in nothing but their bound.
fn histogram_quantiles(rank: f64, elements: Vec<Element>) -> Result<Vec<Element>, QueryError> {
    let mut histograms: BTreeMap<Labels, Vec<Bucket>> = BTreeMap::new();
    for Element { labels, value } in elements {
        // An element whose bound is missing or no number is not a bucket.
        let Ok(bound) = labels.get(BOUND).parse() else { continue };
        let bucket = Bucket { bound, count: value };
        histograms.entry(labels.with(BOUND, "")).or_default().push(bucket);
    }
    let quantiles = histograms.into_iter().map(|(labels, buckets)| Element {
        labels: labels.nameless(),
        value: histogram_quantile(rank, buckets),
    });
    unique(quantiles.collect())
}
