//! From a reference to a provider that can be queried: the MetricTemplate, then its Secret.

use vexil_api::{MetricTemplateSpec, TemplateRef, parse_metric_template, summary};
use vexil_object::{ObjectKey, Objects, Seen, kinds};

use crate::{
    Credentials, MetricProvider, Subject, Template, TemplateError,
    providers::{Prometheus, without_user},
};

/// This object has to be read before a check can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not known yet")]
pub struct MissingObject(pub ObjectKey);

/// A template with everything it takes to ask.
pub(crate) struct Source {
    /// `<name>.<namespace>`, as messages call it.
    pub(crate) label: String,
    /// The provider's `type`.
    pub(crate) kind: String,
    pub(crate) provider: Box<dyn MetricProvider>,
    pub(crate) query: Result<Template, TemplateError>,
    /// It is queried with credentials of another namespace than the Canary's. Its replies stay out of the Canary's
    /// Events, because the author of the Canary could not query it.
    pub(crate) hides_replies: bool,
}

/// Why a reference cannot be resolved.
pub(crate) enum LookupError {
    NotKnown(MissingObject),
    /// A mistake of the user; the text begins in lower case, as in Flagger's message about unavailable providers.
    Invalid(String),
}

/// The server of built-in and inline queries.
///
/// # Errors
/// A text when its address cannot be called; it begins in lower case.
pub(crate) fn default_server(address: &str) -> Result<Prometheus, String> {
    let building = |e| format!("error building Prometheus client for {} {e}", without_user(address));
    Prometheus::at(address).map_err(building)
}

/// A text with a capital first letter, as Events about a failed check begin.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// The template that a metric refers to.
pub(crate) fn template_key(subject: &Subject<'_>, reference: &TemplateRef) -> ObjectKey {
    let namespace = reference.namespace_or(subject.namespace);
    ObjectKey::new(kinds::METRIC_TEMPLATE, namespace, &reference.name)
}

/// The secret that a template refers to, if the template is known. It is of the template's own namespace, where the
/// address is written as well: no Canary, and no template elsewhere, can have the secret sent to another address.
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
    let broken = |text: String| LookupError::Invalid(format!("metric template {label} {text}"));
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
    let hides_replies = credentials.is_some() && template.namespace() != subject.namespace;
    Ok(Source { query: Template::parse(&spec.query), label, kind, provider, hides_replies })
}

/// The object, `None` when it is known not to exist.
fn object<'a>(key: &ObjectKey, have: &'a Objects) -> Result<Option<&'a serde_json::Value>, LookupError> {
    match have.get(key) {
        Seen::Present(object) => Ok(Some(object)),
        Seen::Absent => Ok(None),
        Seen::NotKnown => Err(LookupError::NotKnown(MissingObject(key.clone()))),
    }
}

/// The template, checked against its limits, which an API server with an older CRD does not enforce.
fn spec(template: &serde_json::Value) -> Result<MetricTemplateSpec, String> {
    parse_metric_template(template).map_err(|defects| summary(&defects))
}
