//! From a reference to a provider that can be asked: the MetricTemplate, then its Secret.

use vexil_api::{MetricTemplateSpec, TemplateRef, parse_metric_template, summary};
use vexil_object::{ObjectKey, Objects, Seen, kinds};

use crate::{
    Credentials, MetricProvider, Subject, Template, TemplateError,
    providers::{Prometheus, without_user},
};

/// Somebody has to look at this object before a check can be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not known yet")]
pub struct NotKnown(pub ObjectKey);

/// A template with everything it takes to ask.
pub(crate) struct Source {
    /// `<name>.<namespace>`, as messages call it.
    pub(crate) label: String,
    /// The provider's `type`.
    pub(crate) kind: String,
    pub(crate) provider: Box<dyn MetricProvider>,
    pub(crate) query: Result<Template, TemplateError>,
    /// It is asked with credentials of another namespace than the Canary's: what it says is not for the Canary's
    /// events, because who writes Canaries could not ask it.
    pub(crate) discreet: bool,
}

/// Why a reference leads nowhere.
pub(crate) enum LookupError {
    NotKnown(NotKnown),
    /// The message of `metrics.md` 1.6; those of 1.5 differ only in their first letter.
    Broken(String),
}

/// The server of built-in and inline queries.
///
/// # Errors
/// The message of `metrics.md` 1.6 when its address cannot be called.
pub(crate) fn default_server(address: &str) -> Result<Prometheus, String> {
    let building = |e| format!("error building Prometheus client for {} {e}", without_user(address));
    Prometheus::at(address).map_err(building)
}

/// A message of `metrics.md` 1.6 as 1.5 writes it.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// The template that a metric refers to.
pub(crate) fn template_key(subject: &Subject<'_>, reference: &TemplateRef) -> ObjectKey {
    let namespace = reference.namespace_or(subject.namespace);
    ObjectKey::new(kinds::METRIC_TEMPLATE, namespace, &reference.name)
}

/// The secret that a template refers to, if that can be told yet. It is of the template's own namespace, where the
/// address is written as well: no Canary, and no template elsewhere, has a say in where the secret is sent.
pub(crate) fn secret_key(template: &ObjectKey, have: &Objects) -> Option<ObjectKey> {
    let spec = spec(have.get(template).object()?).ok()?;
    let secret = spec.provider.secret_ref?;
    Some(ObjectKey::new(kinds::SECRET, template.namespace(), secret.name))
}

/// Everything it takes to ask the template.
pub(crate) fn source(
    subject: &Subject<'_>,
    template: &ObjectKey,
    have: &Objects,
) -> Result<Source, LookupError> {
    let label = format!("{}.{}", template.name(), template.namespace());
    let broken = |text: String| LookupError::Broken(format!("metric template {label} {text}"));
    let object = object(template, have)?.ok_or_else(|| {
        broken(format!("error: metrictemplate.flagger.app {:?} not found", template.name()))
    })?;
    let spec = spec(object).map_err(|e| broken(format!("error: {e}")))?;
    let credentials = match secret_key(template, have) {
        None => None,
        Some(key) => {
            let (name, absent) = (key.name(), || format!("secrets {:?} not found", key.name()));
            let secret = self::object(&key, have)?
                .ok_or_else(|| broken(format!("secret {name} error: {}", absent())))?;
            Some(Credentials::of(secret))
        }
    };
    let kind = spec.provider.type_.clone();
    let provider = subject
        .catalog
        .provider(&spec.provider, credentials.as_ref())
        .map_err(|e| broken(format!("provider {kind} error: {e}")))?;
    let discreet = credentials.is_some() && template.namespace() != subject.namespace;
    Ok(Source { query: Template::parse(&spec.query), label, kind, provider, discreet })
}

/// The object, `None` when it is known not to exist.
fn object<'a>(key: &ObjectKey, have: &'a Objects) -> Result<Option<&'a serde_json::Value>, LookupError> {
    match have.get(key) {
        Seen::Present(object) => Ok(Some(object)),
        Seen::Absent => Ok(None),
        Seen::NotKnown => Err(LookupError::NotKnown(NotKnown(key.clone()))),
    }
}

/// The template, held against its limits: an API server with an older CRD lets anything through.
fn spec(template: &serde_json::Value) -> Result<MetricTemplateSpec, String> {
    parse_metric_template(template).map_err(|defects| summary(&defects))
}
