//! Makes one metric check: reads the template, queries the server, compares the value with its thresholds.

use vexil_analysis::Verdict;
use vexil_api::{Check, CheckSource};
use vexil_object::Objects;

use crate::{
    Environment, MetricProvider, MissingObject, Query, QueryError, QuerySet, Subject, Template,
    TemplateError, builtin, judge,
    lookup::{LookupError, Source, capitalised, default_server, source, template_key},
    number::whole,
    subject::TemplateContext,
};

/// What came of one check.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Whether the canary passed; the message is the text of the Event.
    pub verdict: Verdict,
    /// The value for `flagger_canary_metric_analysis`, when there was one: durations in seconds, rates in percent.
    pub value: Option<f64>,
}

/// Makes one check. A mistake in its configuration and a failure of its server are verdicts, not errors.
///
/// # Errors
/// [`MissingObject`] when `have` lacks an object that [`crate::needs`] names.
pub async fn check(
    environment: &Environment<'_>,
    subject: &Subject<'_>,
    check: &Check<'_>,
    have: &Objects,
) -> Result<Checked, MissingObject> {
    Ok(match check.source {
        CheckSource::SuccessRate => success_rate(environment, subject, check).await,
        CheckSource::Duration => request_duration(environment, subject, check).await,
        CheckSource::Inline => inline(environment, subject, check).await,
        CheckSource::Template => return template(environment, subject, check, have).await,
        CheckSource::Unconfigured => {
            lost("Metric query failed for no usable metrics template and query were configured".to_owned())
        }
    })
}

async fn success_rate(environment: &Environment<'_>, subject: &Subject<'_>, check: &Check<'_>) -> Checked {
    let why = ": running query failed: no values found";
    match built_in(environment, subject, check, |set| set.success_rate, why).await {
        Ok((percent, _)) => {
            let verdict = judge::success_rate(subject, check.metric, percent);
            Checked { verdict, value: Some(percent) }
        }
        Err(checked) => checked,
    }
}

async fn request_duration(
    environment: &Environment<'_>,
    subject: &Subject<'_>,
    check: &Check<'_>,
) -> Checked {
    match built_in(environment, subject, check, |set| set.duration, "").await {
        Ok((number, set)) => {
            let ms = whole(number * set.duration_unit.in_ms());
            let verdict = judge::request_duration(subject, check.metric, ms);
            Checked { verdict, value: Some(ms as f64 / 1_000.0) }
        }
        Err(checked) => checked,
    }
}

/// The number of a built-in query, in the unit of its set; `why` follows the hint when there are no values.
async fn built_in<'a>(
    environment: &Environment<'_>,
    subject: &Subject<'a>,
    check: &Check<'_>,
    pick: fn(&QuerySet) -> &'static str,
    why: &str,
) -> Result<(f64, &'a QuerySet), Checked> {
    let failed = |problem: String| lost(format!("Prometheus query failed: {problem}"));
    let (provider, name) = (subject.provider, check.name());
    let set = subject
        .queries
        .ok_or_else(|| failed(format!("provider {provider} has no built-in queries, use a templateRef")))?;
    let context = TemplateContext::of(subject, check.metric).map_err(|error| failed(error.to_string()))?;
    let prometheus = default_server(subject.server()).map_err(|text| lost(capitalised(&text)))?;
    let query = builtin::render(pick(set), set.names, &context).map_err(|error| failed(error.to_string()))?;
    match number(&prometheus, environment, subject, check, &query).await {
        Ok(number) => Ok((number, set)),
        Err(QueryError::NoValues) => {
            let (target, namespace) = (subject.target, subject.namespace);
            Err(fail(format!(
                "Halt advancement no values found for {provider} metric {name} probably {target}.{namespace} is not \
                 receiving traffic{why}"
            )))
        }
        Err(error) => Err(failed(format!("running query failed: {error}"))),
    }
}

async fn inline(environment: &Environment<'_>, subject: &Subject<'_>, check: &Check<'_>) -> Checked {
    let name = check.name();
    let parsed = Template::parse(check.metric.query.as_deref().unwrap_or_default());
    let query = match rendered(subject, check, parsed) {
        Ok(query) => query,
        Err(error) => return lost(format!("Prometheus query failed for {name}: {error}")),
    };
    let prometheus = match default_server(subject.server()) {
        Ok(prometheus) => prometheus,
        Err(text) => return lost(capitalised(&text)),
    };
    match number(&prometheus, environment, subject, check, &query).await {
        Ok(value) => judged(subject, check, value),
        Err(QueryError::NoValues) => fail(format!("Halt advancement no values found for metric: {name}")),
        Err(error) => lost(format!("Prometheus query failed for {name}: {error}")),
    }
}

async fn template(
    environment: &Environment<'_>,
    subject: &Subject<'_>,
    check: &Check<'_>,
    have: &Objects,
) -> Result<Checked, MissingObject> {
    let name = check.name();
    let reference = check.metric.template_ref.clone().unwrap_or_default();
    let Source { label, provider, query, hides_replies, .. } =
        match source(subject, &template_key(subject, &reference), have) {
            Ok(source) => source,
            Err(LookupError::NotKnown(object)) => return Err(object),
            Err(LookupError::Invalid(text)) => return Ok(lost(capitalised(&text))),
        };
    let query = match rendered(subject, check, query) {
        Ok(query) => query,
        Err(error) => return Ok(lost(format!("Metric template {label} query render error: {error}"))),
    };
    tracing::debug!(metric = name, template = label, query, "asking a metric template");
    let number = number(provider.as_ref(), environment, subject, check, &query).await;
    Ok(match number.map_err(|error| if hides_replies { error.without_reply_text() } else { error }) {
        Ok(value) => judged(subject, check, value),
        Err(error @ QueryError::NoValues) => {
            fail(format!("Halt advancement no values found for custom metric: {name}: {error}"))
        }
        Err(error) => lost(format!("Metric query failed for {name}: {error}")),
    })
}

pub(crate) fn rendered(
    subject: &Subject<'_>,
    check: &Check<'_>,
    template: Result<Template, TemplateError>,
) -> Result<String, TemplateError> {
    template?.render(&TemplateContext::of(subject, check.metric)?)
}

/// The number that a query returns. NaN and the infinities are results of divisions by zero: for every provider they
/// are no values, and must neither pass nor fail a comparison.
async fn number(
    provider: &dyn MetricProvider,
    environment: &Environment<'_>,
    subject: &Subject<'_>,
    check: &Check<'_>,
    text: &str,
) -> Result<f64, QueryError> {
    let interval = check.metric.interval_ms();
    let interval_ms =
        interval.map_err(|e| QueryError::Query(format!("error parsing metric interval: {e}")))?;
    let of = format!("{}/{}/{}", subject.namespace, subject.name(), check.name());
    let query = Query { text, interval_ms, now_ms: environment.now_ms, check: &of };
    let number = provider.query(environment, &query).await?;
    if number.is_finite() { Ok(number) } else { Err(QueryError::NoValues) }
}

fn judged(subject: &Subject<'_>, check: &Check<'_>, value: f64) -> Checked {
    Checked { verdict: judge::custom(subject, check.metric, value), value: Some(value) }
}

fn fail(text: String) -> Checked {
    Checked { verdict: Verdict::Fail(text), value: None }
}

fn lost(text: String) -> Checked {
    Checked { verdict: Verdict::Unavailable(text), value: None }
}

#[cfg(test)]
mod tests;
