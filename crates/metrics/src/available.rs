//! Whether the metrics of a Canary can be asked at all, looked into before the first rollout (`metrics.md` 1.6).

use vexil_api::{Check, CheckSource, Metric, checks};
use vexil_egress::Transport;
use vexil_object::Objects;

use crate::{
    MetricProvider, NotKnown, Subject,
    lookup::{LookupError, default_server, source, template_key},
};

/// Why the metrics of a Canary cannot be asked, or why that cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// An object has to be looked at first; [`crate::needs`] names it.
    #[error(transparent)]
    NotKnown(#[from] NotKnown),
    /// What stands in the way, as the message continues.
    #[error("{0}")]
    Because(String),
}

/// Asks a Prometheus server without credentials whether it works, as the operator does when it starts.
///
/// # Errors
/// What stands in the way.
pub async fn server_available(transport: &dyn Transport, address: &str) -> Result<(), Unavailable> {
    let server = default_server(address).map_err(Unavailable::Because)?;
    server.online(transport).await.map_err(|e| because(format!("prometheus not avaiable: {e}")))
}

/// Asks every server that these metrics depend on whether it works, and reads every template. Inline queries are not
/// tried.
///
/// # Errors
/// The first thing that stands in the way.
pub async fn available(
    transport: &dyn Transport,
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
                server_available(transport, subject.server()).await?;
            }
            CheckSource::Template => template(transport, subject, &check, have).await?,
            CheckSource::Inline | CheckSource::Unconfigured => {}
        }
    }
    Ok(())
}

async fn template(
    transport: &dyn Transport,
    subject: &Subject<'_>,
    check: &Check<'_>,
    have: &Objects,
) -> Result<(), Unavailable> {
    let reference = check.metric.template_ref.clone().unwrap_or_default();
    let source = match source(subject, &template_key(subject, &reference), have) {
        Ok(source) => source,
        Err(LookupError::NotKnown(object)) => return Err(object.into()),
        Err(LookupError::Broken(text)) => return Err(because(text)),
    };
    let (kind, label) = (&source.kind, &source.label);
    if let Err(error) = &source.query {
        return Err(because(format!("metric template {label} query render error: {error}")));
    }
    let online = source.provider.online(transport).await;
    let online = online.map_err(|error| if source.discreet { error.without_words() } else { error });
    online.map_err(|e| because(format!("{kind} in metric template {label} not avaiable: {e}")))
}

fn because(text: String) -> Unavailable {
    Unavailable::Because(text)
}
