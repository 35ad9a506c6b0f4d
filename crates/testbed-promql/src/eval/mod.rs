//! Evaluation of a parsed expression at one instant; a range query is many instants.

mod aggregate;
mod binary;
mod functions;
mod parse;
mod quantile;
mod selectors;
mod sum;
mod windows;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::{Expr, UnaryExpr};

pub(super) use parse::parse;
pub(super) use selectors::matches;

use super::labels::Labels;
use super::store::{MetricStore, Sample};

/// How far an instant query looks back for a sample (Prometheus' default of `--query.lookback-delta`).
pub const LOOKBACK_MS: i64 = 5 * 60 * 1000;
/// Points a range query or a subquery has per series at most, as in Prometheus' HTTP API.
pub const MAX_STEPS: i64 = 11_000;
/// Expressions a query evaluates at most, each counted once per step: subqueries in subqueries multiply.
const MAX_EVALUATIONS: usize = 2_000_000;

/// A series' value at the time of the query.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// What the value is of; without a metric name once something was computed.
    pub labels: Labels,
    /// The value.
    pub value: f64,
}

/// A series over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the values are of.
    pub labels: Labels,
    /// Oldest first.
    pub samples: Vec<Sample>,
}

/// The answer of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryValue {
    /// One number without labels, at the time of the query.
    Scalar(Sample),
    /// Any number of labelled values at the time of the query.
    Vector {
        /// The time of the query, Unix milliseconds.
        ts_ms: i64,
        /// Sorted by labels, unless the query sorts by value.
        elements: Vec<Element>,
    },
    /// Labelled samples over time, sorted by labels.
    Matrix(Vec<Series>),
    /// A literal text.
    Text {
        /// The time of the query, Unix milliseconds.
        ts_ms: i64,
        /// The text.
        text: String,
    },
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The question is wrong whatever the store holds: it does not parse, or its parameters make no sense (HTTP 400).
    #[error("{0}")]
    BadData(String),
    /// The question cannot be answered with what the store holds, or not by this store (HTTP 422).
    #[error("{0}")]
    Execution(String),
}

impl MetricStore {
    /// Evaluates a PromQL expression at one time (Unix milliseconds).
    pub fn query(&self, query: &str, now_ms: i64) -> Result<QueryValue, QueryError> {
        let expr = parse(query)?;
        let engine = Engine::new(self, now_ms, now_ms);
        Ok(match engine.eval(&expr, now_ms)? {
            Value::Scalar(value) => QueryValue::Scalar(Sample { ts_ms: now_ms, value }),
            Value::Vector(elements) => QueryValue::Vector { ts_ms: now_ms, elements },
            Value::Matrix(windows) => QueryValue::Matrix(windows.series),
            Value::Text(text) => QueryValue::Text { ts_ms: now_ms, text },
        })
    }

    /// Evaluates a PromQL expression at `start_ms`, `start_ms + step_ms`, … up to and including `end_ms`.
    pub fn query_range(
        &self,
        query: &str,
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
    ) -> Result<QueryValue, QueryError> {
        let times = steps(start_ms, end_ms, step_ms)?;
        let expr = parse(query)?;
        let engine = Engine::new(self, start_ms, end_ms);
        let mut series: BTreeMap<Labels, Vec<Sample>> = BTreeMap::new();
        for ts_ms in times {
            let elements = match engine.eval(&expr, ts_ms)? {
                Value::Scalar(value) => vec![Element { labels: Labels::default(), value }],
                Value::Vector(elements) => elements,
                other => return Err(not_for_ranges(&other)),
            };
            for Element { labels, value } in elements {
                series.entry(labels).or_default().push(Sample { ts_ms, value });
            }
        }
        let series = series.into_iter().map(|(labels, samples)| Series { labels, samples });
        Ok(QueryValue::Matrix(series.collect()))
    }
}

fn steps(start_ms: i64, end_ms: i64, step_ms: i64) -> Result<impl Iterator<Item = i64>, QueryError> {
    if end_ms < start_ms {
        return Err(QueryError::BadData("end timestamp must not be before start time".to_owned()));
    }
    if step_ms <= 0 {
        let reason = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(QueryError::BadData(reason.to_owned()));
    }
    let last = end_ms.saturating_sub(start_ms) / step_ms;
    if last > MAX_STEPS {
        let reason = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query \
                      resolution (?step=XX)";
        return Err(QueryError::BadData(reason.to_owned()));
    }
    Ok((0..=last).map(move |n| start_ms + n * step_ms))
}

fn not_for_ranges(value: &Value) -> QueryError {
    QueryError::BadData(format!(
        "invalid expression type \"{}\" for range query, must be Scalar or instant Vector",
        value.kind()
    ))
}

/// What an expression yields at one time.
enum Value {
    Scalar(f64),
    Vector(Vec<Element>),
    Matrix(Windows),
    Text(String),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "scalar",
            Self::Vector(_) => "instant vector",
            Self::Matrix(_) => "range vector",
            Self::Text(_) => "string",
        }
    }
}

/// A range vector: the samples of each series in (`from_ms`, `to_ms`].
struct Windows {
    series: Vec<Series>,
    from_ms: i64,
    to_ms: i64,
}

/// The store, and the bounds of the query for `@ start()` and `@ end()`.
struct Engine<'a> {
    store: &'a MetricStore,
    start_ms: i64,
    end_ms: i64,
    evaluations: Cell<usize>,
}

impl<'a> Engine<'a> {
    fn new(store: &'a MetricStore, start_ms: i64, end_ms: i64) -> Self {
        Self { store, start_ms, end_ms, evaluations: Cell::new(0) }
    }

    fn eval(&self, expr: &Expr, at_ms: i64) -> Result<Value, QueryError> {
        self.evaluations.set(self.evaluations.get() + 1);
        if self.evaluations.get() > MAX_EVALUATIONS {
            return Err(QueryError::Execution(format!(
                "query takes more than {MAX_EVALUATIONS} evaluations"
            )));
        }
        match expr {
            Expr::NumberLiteral(literal) => Ok(Value::Scalar(literal.val)),
            Expr::StringLiteral(literal) => Ok(Value::Text(literal.val.clone())),
            Expr::Paren(inner) => self.eval(&inner.expr, at_ms),
            Expr::Unary(unary) => self.negate(unary, at_ms),
            Expr::Binary(node) => self.binary(node, at_ms),
            Expr::Aggregate(node) => self.aggregate(node, at_ms).map(Value::Vector),
            Expr::VectorSelector(selector) => self.instant(selector, at_ms).map(Value::Vector),
            Expr::MatrixSelector(selector) => self.window(selector, at_ms).map(Value::Matrix),
            Expr::Subquery(node) => self.subquery(node, at_ms).map(Value::Matrix),
            Expr::Call(node) => self.call(node, at_ms),
            Expr::Extension(_) => Err(unsupported("an extension of PromQL")),
        }
    }

    fn scalar(&self, expr: &Expr, at_ms: i64) -> Result<f64, QueryError> {
        match self.eval(expr, at_ms)? {
            Value::Scalar(value) => Ok(value),
            other => Err(mistyped("scalar", &other)),
        }
    }

    fn vector(&self, expr: &Expr, at_ms: i64) -> Result<Vec<Element>, QueryError> {
        match self.eval(expr, at_ms)? {
            Value::Vector(elements) => Ok(elements),
            other => Err(mistyped("instant vector", &other)),
        }
    }

    fn matrix(&self, expr: &Expr, at_ms: i64) -> Result<Windows, QueryError> {
        match self.eval(expr, at_ms)? {
            Value::Matrix(windows) => Ok(windows),
            other => Err(mistyped("range vector", &other)),
        }
    }

    fn text(&self, expr: &Expr, at_ms: i64) -> Result<String, QueryError> {
        match self.eval(expr, at_ms)? {
            Value::Text(text) => Ok(text),
            other => Err(mistyped("string", &other)),
        }
    }

    fn negate(&self, unary: &UnaryExpr, at_ms: i64) -> Result<Value, QueryError> {
        match self.eval(&unary.expr, at_ms)? {
            Value::Scalar(value) => Ok(Value::Scalar(-value)),
            Value::Vector(elements) => computed(elements, |value| -value).map(Value::Vector),
            other => Err(mistyped("scalar or instant vector", &other)),
        }
    }
}

/// Applies `change` to each value; the result is no longer the metric, so its name goes.
fn computed(elements: Vec<Element>, change: impl Fn(f64) -> f64) -> Result<Vec<Element>, QueryError> {
    let changed = elements
        .into_iter()
        .map(|Element { labels, value }| Element { labels: labels.nameless(), value: change(value) });
    unique(changed.collect())
}

/// Refuses a vector in which two elements cannot be distinguished.
fn unique(elements: Vec<Element>) -> Result<Vec<Element>, QueryError> {
    let different: BTreeSet<&Labels> = elements.iter().map(|element| &element.labels).collect();
    if different.len() < elements.len() {
        return Err(QueryError::Execution("vector cannot contain metrics with the same labelset".to_owned()));
    }
    Ok(elements)
}

fn unsupported(what: &str) -> QueryError {
    QueryError::Execution(format!("this store does not evaluate {what}"))
}

fn mistyped(want: &str, got: &Value) -> QueryError {
    QueryError::Execution(format!("expected type {want}, got {}", got.kind()))
}
