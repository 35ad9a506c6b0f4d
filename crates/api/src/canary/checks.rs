//! The checks of an analysis, in the order in which they are made: a metric that is configured in several ways is
//! several checks.

use crate::Metric;

/// Name of the built-in metric for the share of requests that did not fail.
pub const SUCCESS_RATE: &str = "request-success-rate";
/// Name of the built-in metric for the duration of requests.
pub const DURATION: &str = "request-duration";

/// One check of an analysis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Check<'a> {
    /// The metric whose thresholds count.
    pub metric: &'a Metric,
    /// Where its value is from.
    pub source: CheckSource,
}

/// Where the value of a check is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckSource {
    /// The built-in query of the success rate.
    SuccessRate,
    /// The built-in query of the request duration.
    Duration,
    /// The metric's own `query`.
    Inline,
    /// The MetricTemplate of `templateRef`.
    Template,
    /// Neither a query nor a template is configured: the check fails.
    Unconfigured,
}

impl<'a> Check<'a> {
    /// The metric's name.
    pub fn name(&self) -> &'a str {
        &self.metric.name
    }
}

/// The checks of these metrics, in order: built-in and inline queries of all metrics, then templates, as in Flagger.
pub fn checks(metrics: &[Metric]) -> Vec<Check<'_>> {
    let queries =
        metrics.iter().flat_map(|metric| [built_in(metric), inline(metric)].map(|source| (metric, source)));
    let templates = metrics.iter().map(|metric| (metric, template(metric)));
    queries.chain(templates).filter_map(|(metric, source)| Some(Check { metric, source: source? })).collect()
}

fn built_in(metric: &Metric) -> Option<CheckSource> {
    match metric.name.as_str() {
        SUCCESS_RATE => Some(CheckSource::SuccessRate),
        DURATION => Some(CheckSource::Duration),
        _ => None,
    }
}

fn inline(metric: &Metric) -> Option<CheckSource> {
    metric.query.as_deref().filter(|query| !query.is_empty()).map(|_| CheckSource::Inline)
}

fn template(metric: &Metric) -> Option<CheckSource> {
    match &metric.template_ref {
        Some(_) => Some(CheckSource::Template),
        None if built_in(metric).is_some() || inline(metric).is_some() => None,
        None => Some(CheckSource::Unconfigured),
    }
}
