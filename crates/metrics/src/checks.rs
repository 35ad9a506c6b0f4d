//! What an analysis asks, in the order in which it is asked (`metrics.md` 1.1).

use vexil_api::Metric;
use vexil_object::{ObjectKey, Objects};

use crate::{
    Subject,
    lookup::{secret_key, template_key},
};

pub(crate) const SUCCESS_RATE: &str = "request-success-rate";
pub(crate) const DURATION: &str = "request-duration";

/// One question of an analysis. A metric that is configured in several ways asks several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Check<'a> {
    pub(crate) metric: &'a Metric,
    pub(crate) asks: Asks,
}

/// Whom a check asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// The built-in query of the share of good answers.
    SuccessRate,
    /// The built-in query of the time that answers took.
    Duration,
    /// The metric's own query.
    Inline,
    /// A MetricTemplate.
    Template,
    /// Nobody: the metric is not configured, which fails.
    Nobody,
}

impl<'a> Check<'a> {
    /// The metric's name.
    pub fn name(&self) -> &'a str {
        &self.metric.name
    }
}

/// Everything that these metrics ask, in order: built-in and inline queries of all of them, then templates.
pub fn checks(metrics: &[Metric]) -> Vec<Check<'_>> {
    let first =
        metrics.iter().flat_map(|m| [built_in(m), has_query(m).then_some(Asks::Inline)].map(|a| (m, a)));
    let second = metrics.iter().map(|m| (m, by_reference(m)));
    first.chain(second).filter_map(|(metric, asks)| Some(Check { metric, asks: asks? })).collect()
}

/// The objects that a check still needs to see: the template, then its secret. Empty once `have` holds them.
pub fn needs(subject: &Subject<'_>, check: &Check<'_>, have: &Objects) -> Vec<ObjectKey> {
    let Some(reference) = check.metric.template_ref.as_ref().filter(|_| check.asks == Asks::Template) else {
        return Vec::new();
    };
    let template = template_key(subject, reference);
    let secret = secret_key(&template, have);
    [Some(template), secret].into_iter().flatten().filter(|key| !have.has(key)).collect()
}

fn built_in(metric: &Metric) -> Option<Asks> {
    match metric.name.as_str() {
        SUCCESS_RATE => Some(Asks::SuccessRate),
        DURATION => Some(Asks::Duration),
        _ => None,
    }
}

fn has_query(metric: &Metric) -> bool {
    metric.query.as_deref().is_some_and(|query| !query.is_empty())
}

fn by_reference(metric: &Metric) -> Option<Asks> {
    match &metric.template_ref {
        Some(_) => Some(Asks::Template),
        None if built_in(metric).is_some() || has_query(metric) => None,
        None => Some(Asks::Nobody),
    }
}
