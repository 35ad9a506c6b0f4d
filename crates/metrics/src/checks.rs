//! The metric checks of an analysis, in the order in which they are made. The order is Flagger's.

use vexil_api::Metric;
use vexil_object::{ObjectKey, Objects};

use crate::{
    Subject,
    lookup::{secret_key, template_key},
};

pub(crate) const SUCCESS_RATE: &str = "request-success-rate";
pub(crate) const DURATION: &str = "request-duration";

/// One check of an analysis. A metric that is configured in several ways has several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Check<'a> {
    pub(crate) metric: &'a Metric,
    pub(crate) kind: CheckKind,
}

/// Where the value of a check is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckKind {
    /// The built-in query of the share of good answers.
    SuccessRate,
    /// The built-in query of the time that answers took.
    RequestDuration,
    /// The metric's own query.
    Inline,
    /// A MetricTemplate.
    Template,
    /// Neither a query nor a template is configured, which fails.
    Unconfigured,
}

impl<'a> Check<'a> {
    /// The metric's name.
    pub fn name(&self) -> &'a str {
        &self.metric.name
    }
}

/// The checks of these metrics, in order: built-in and inline queries of all of them, then templates.
pub fn checks(metrics: &[Metric]) -> Vec<Check<'_>> {
    let first =
        metrics.iter().flat_map(|m| [built_in(m), has_query(m).then_some(CheckKind::Inline)].map(|a| (m, a)));
    let second = metrics.iter().map(|m| (m, by_reference(m)));
    first.chain(second).filter_map(|(metric, kind)| Some(Check { metric, kind: kind? })).collect()
}

/// The objects that a check still needs: the template, then its secret. Empty once `have` holds them.
pub fn needs(subject: &Subject<'_>, check: &Check<'_>, have: &Objects) -> Vec<ObjectKey> {
    let Some(reference) = check.metric.template_ref.as_ref().filter(|_| check.kind == CheckKind::Template)
    else {
        return Vec::new();
    };
    let template = template_key(subject, reference);
    let secret = secret_key(&template, have);
    [Some(template), secret].into_iter().flatten().filter(|key| !have.has(key)).collect()
}

fn built_in(metric: &Metric) -> Option<CheckKind> {
    match metric.name.as_str() {
        SUCCESS_RATE => Some(CheckKind::SuccessRate),
        DURATION => Some(CheckKind::RequestDuration),
        _ => None,
    }
}

fn has_query(metric: &Metric) -> bool {
    metric.query.as_deref().is_some_and(|query| !query.is_empty())
}

fn by_reference(metric: &Metric) -> Option<CheckKind> {
    match &metric.template_ref {
        Some(_) => Some(CheckKind::Template),
        None if built_in(metric).is_some() || has_query(metric) => None,
        None => Some(CheckKind::Unconfigured),
    }
}
