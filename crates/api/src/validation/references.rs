//! Validation of references to other objects. Flagger's rules have Flagger's texts.

use super::names::is_dns_name;
use super::{Subject, Validation};

pub(super) fn check(subject: &Subject<'_>, found: &mut Validation) {
    upstream(subject, found);
    templates(subject, found);
    alert_providers(subject, found);
    knative(subject, found);
    cookies(subject, found);
    names(subject, found);
}

/// Whether a namespace is another one and such references are forbidden.
fn blocked(subject: &Subject<'_>, namespace: Option<&str>) -> bool {
    let foreign = namespace.is_some_and(|n| !n.is_empty() && n != subject.namespace);
    subject.context.no_cross_namespace_refs && foreign
}

/// Flagger's text. `what` is the kind as Flagger writes it.
fn blocked_text(what: &str, name: &str, namespace: Option<&str>) -> String {
    let namespace = namespace.unwrap_or_default();
    format!("can't access {what} {name}.{namespace}, cross-namespace references are blocked")
}

fn upstream(subject: &Subject<'_>, found: &mut Validation) {
    let Some(upstream) = &subject.spec.upstream_ref else { return };
    let namespace = upstream.namespace.as_deref();
    if blocked(subject, namespace) {
        let text = blocked_text("gloo upstream", &upstream.name, namespace);
        found.defect("spec.upstreamRef.namespace", text);
    }
}

fn templates(subject: &Subject<'_>, found: &mut Validation) {
    let Some((path, analysis)) = subject.analysis() else { return };
    for (index, metric) in analysis.metrics.iter().enumerate() {
        let Some(template) = &metric.template_ref else { continue };
        let path = format!("{path}.metrics[{index}].templateRef");
        let namespace = template.namespace.as_deref();
        if blocked(subject, namespace) {
            let text = blocked_text("metric template", &template.name, namespace);
            found.defect(format!("{path}.namespace"), text);
        }
        if template.name.is_empty() {
            found.defect(format!("{path}.name"), "is required");
        } else if !is_dns_name(&template.name) {
            let text = format!(
                "`{}` is no name of a Kubernetes object: lower-case letters, digits, `-` and `.`",
                template.name
            );
            found.defect(format!("{path}.name"), text);
        }
        if let Some(namespace) = namespace.filter(|name| !name.is_empty() && !is_dns_name(name)) {
            found.defect(
                format!("{path}.namespace"),
                format!("`{namespace}` is no name of a namespace: lower-case letters, digits and `-`"),
            );
        }
    }
}

fn alert_providers(subject: &Subject<'_>, found: &mut Validation) {
    let Some((path, analysis)) = subject.analysis() else { return };
    for (index, alert) in analysis.alerts.iter().enumerate() {
        let path = format!("{path}.alerts[{index}]");
        let namespace = alert.provider_ref.namespace.as_deref();
        if blocked(subject, namespace) {
            let text = blocked_text("alert provider", &alert.provider_ref.name, namespace);
            found.defect(format!("{path}.providerRef.namespace"), text);
        }
        if alert.provider_ref.name.is_empty() {
            found.defect(format!("{path}.providerRef.name"), "is required");
        }
        if let Some(crate::AlertSeverity::Other(text)) = &alert.severity
            && !text.is_empty()
        {
            let message = format!("unknown severity `{text}`; there are info, warn, error");
            found.defect(format!("{path}.severity"), message);
        }
    }
}

/// A Knative target and its provider need each other. For such a target the Canary itself must name the provider.
fn knative(subject: &Subject<'_>, found: &mut Validation) {
    let Some(router) = subject.context.router else { return };
    let provider = subject.spec.provider();
    let target = &subject.spec.target_ref;
    if subject.is_knative() && !(router.knative && provider.is_some()) {
        let text = match provider {
            Some(provider) => format!("can't use {provider} provider with Knative Service as target"),
            None => {
                "must be knative: with a Knative Service as target, the operator's default does not count"
                    .to_owned()
            }
        };
        found.defect("spec.provider", text);
    }
    if !subject.is_knative() && router.knative {
        let version = target.api_version.as_deref().unwrap_or_default();
        let text = format!("can't use {version}/{} as target if provider is set to knative", target.kind);
        found.defect("spec.targetRef", text);
    }
    if subject.is_knative() && subject.spec.autoscaler_ref.is_some() {
        found.defect("spec.autoscalerRef", "can't use autoscaler with Knative Service");
    }
}

fn cookies(subject: &Subject<'_>, found: &mut Validation) {
    let Some((path, analysis)) = subject.analysis() else { return };
    let Some(affinity) = &analysis.session_affinity else { return };
    let path = format!("{path}.sessionAffinity");
    if affinity.cookie_name.is_empty() {
        found.defect(format!("{path}.cookieName"), "is required");
    } else if affinity.primary_cookie_name.as_ref() == Some(&affinity.cookie_name) {
        let text = "can't use the same cookie name for both primary and cookie name; please update them to be \
                    different";
        found.defect(format!("{path}.primaryCookieName"), text);
    }
}

/// References that lack a name.
fn names(subject: &Subject<'_>, found: &mut Validation) {
    let spec = subject.spec;
    let references = [
        ("autoscalerRef", spec.autoscaler_ref.as_ref().map(|r| &r.name)),
        ("ingressRef", spec.ingress_ref.as_ref().map(|r| &r.name)),
        ("routeRef", spec.route_ref.as_ref().map(|r| &r.name)),
        ("upstreamRef", spec.upstream_ref.as_ref().map(|r| &r.name)),
    ];
    for (field, name) in references {
        if name.is_some_and(String::is_empty) {
            found.defect(format!("spec.{field}.name"), "is required");
        }
    }
}
