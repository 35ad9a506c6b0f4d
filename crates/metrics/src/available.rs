//! Whether the metric servers of a Canary can be queried, checked before the first rollout.

use vexil_api::{Check, CheckSource, Metric, checks};
use vexil_object::Objects;

use crate::{
    Environment, MetricProvider, MissingObject, Subject,
    check::rendered,
    lookup::{LookupError, default_server, source, template_key},
};

/// Why the metrics of a Canary cannot be queried, or why that is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// An object has to be read first; [`crate::needs`] names it.
    #[error(transparent)]
    NotKnown(#[from] MissingObject),
    /// The reason, as the message continues.
    #[error("{0}")]
    Because(String),
}

/// Queries a Prometheus server without credentials whether it works, as the operator does when it starts.
///
/// # Errors
/// The reason why it does not.
pub async fn server_available(environment: &Environment<'_>, address: &str) -> Result<(), Unavailable> {
    let server = default_server(address).map_err(Unavailable::Because)?;
    server.online(environment).await.map_err(|e| because(format!("prometheus not avaiable: {e}")))
}

/// Queries every server that these metrics depend on whether it works, and reads every template. Inline queries are not
/// tried.
///
/// # Errors
/// The first reason.
pub async fn available(
    environment: &Environment<'_>,
    subject: &Subject<'_>,
    metrics: &[Metric],
    have: &Objects,
) -> Result<(), Unavailable> {
    let mut asked_default = false;
    for check in checks(metrics) {
        match check.source {
            CheckSource::SuccessRate | CheckSource::Duration if asked_default => {}
            CheckSource::SuccessRate | CheckSource::Duration => {
                asked_default = true;
                server_available(environment, subject.server()).await?;
            }
            CheckSource::Template => template(environment, subject, &check, have).await?,
            CheckSource::Inline | CheckSource::Unconfigured => {}
        }
    }
    Ok(())
}

async fn template(
    environment: &Environment<'_>,
    subject: &Subject<'_>,
    check: &Check<'_>,
    have: &Objects,
) -> Result<(), Unavailable> {
    let reference = check.metric.template_ref.clone().unwrap_or_default();
    let source = match source(subject, &template_key(subject, &reference), have) {
        Ok(source) => source,
        Err(LookupError::NotKnown(object)) => return Err(object.into()),
        Err(LookupError::Invalid(text)) => return Err(because(text)),
    };
    let (kind, label) = (&source.kind, &source.label);
    let query = rendered(subject, check, source.query)
        .map_err(|error| because(format!("metric template {label} query render error: {error}")))?;
    let valid = source.provider.check(&query);
    valid.map_err(|error| because(format!("metric template {label} query error: {error}")))?;
    let online = source.provider.online(environment).await;
    let online =
        online.map_err(|error| if source.hides_replies { error.without_reply_text() } else { error });
    online.map_err(|e| because(format!("{kind} in metric template {label} not avaiable: {e}")))
}

fn because(text: String) -> Unavailable {
    Unavailable::Because(text)
}
