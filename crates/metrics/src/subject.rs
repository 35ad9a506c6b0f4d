//! The Canary that is checked, and the names that queries may use. They are those of Flagger's query templates.

use std::{collections::BTreeMap, ops::Deref};

use vexil_api::{CanaryView, Metric, QuerySet};

use crate::{MetricCatalog, TemplateError};

/// The Canary that is checked, and what the operator adds to it. It has the fields of the [`CanaryView`].
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The Canary.
    pub view: CanaryView<'a>,
    /// The provider as messages name it.
    pub provider: &'a str,
    /// What `route` stands for in queries, where it is not what the spec names.
    pub route: Option<&'a str>,
    /// The provider's built-in queries; `None` when it has none.
    pub queries: Option<&'a QuerySet>,
    /// The operator's own Prometheus server (`-metrics-server`).
    pub metrics_server: &'a str,
    /// The kinds of metric servers that the operator supports.
    pub catalog: &'a MetricCatalog,
}

impl<'a> Deref for Subject<'a> {
    type Target = CanaryView<'a>;

    fn deref(&self) -> &Self::Target {
        &self.view
    }
}

impl<'a> Subject<'a> {
    /// The server that answers built-in and inline queries: the Canary's own, else the operator's.
    pub(crate) fn server(&self) -> &'a str {
        self.spec.metrics_server.as_deref().filter(|s| !s.is_empty()).unwrap_or(self.metrics_server)
    }
}

/// The values of the names in a query.
#[derive(Clone, Debug)]
pub(crate) struct TemplateContext<'a> {
    pub(crate) values: BTreeMap<&'static str, &'a str>,
    pub(crate) variables: &'a BTreeMap<String, String>,
}

/// The names that have one value each. `variables`, the eighth, is a map.
pub(crate) const TEMPLATE_NAMES: [&str; 7] = QuerySet::WORDS;

impl<'a> TemplateContext<'a> {
    /// The values for one metric of a Canary. Without an interval it is `1m`, for templates too.
    pub(crate) fn of(subject: &Subject<'a>, metric: &'a Metric) -> Result<Self, TemplateError> {
        let target = subject.target;
        let named = |reference: &'a Option<vexil_api::TargetRef>| {
            reference.as_ref().map(|r| r.name.as_str()).filter(|n| !n.is_empty()).unwrap_or(target)
        };
        let meanings = [
            subject.name(),
            subject.namespace,
            target,
            subject.apex,
            named(&subject.spec.ingress_ref),
            subject.route.unwrap_or_else(|| named(&subject.spec.route_ref)),
            interval(metric)?,
        ];
        let values = TEMPLATE_NAMES.into_iter().zip(meanings).collect();
        Ok(TemplateContext { values, variables: &metric.template_variables })
    }
}

/// The interval as written. It becomes part of queries that may run with credentials of another namespace, so it may
/// hold nothing that could end a selector and begin another. Whether it is a duration is left to the server, as servers
/// differ (`1m`, `1min`).
fn interval(metric: &Metric) -> Result<&str, TemplateError> {
    let text = metric.interval.as_deref().filter(|i| !i.is_empty()).unwrap_or("1m");
    if text.len() <= 32 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') {
        Ok(text)
    } else {
        Err(TemplateError::Interval(text.chars().filter(|c| !c.is_control()).take(32).collect()))
    }
}
