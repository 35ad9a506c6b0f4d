//! Validation of names (as Kubernetes restricts them) and URLs.

use vexil_object::{MAX_LABEL_BYTES, MAX_NAME_BYTES};

use super::{Subject, Validation};

/// What is appended to the names of generated objects; `-canary` is shorter.
pub(super) const SUFFIX: &str = "-primary";

/// Names that generated objects are made of.
pub(super) fn check(subject: &Subject<'_>, found: &mut Validation) {
    workload_and_apex(subject, found);
    referenced(subject, found);
}

/// Objects that are referred to and read. The autoscaler, which is copied, has rules of its own.
fn referenced(subject: &Subject<'_>, found: &mut Validation) {
    let spec = subject.spec;
    let references = [
        ("ingressRef", spec.ingress_ref.as_ref().map(|r| &r.name)),
        ("routeRef", spec.route_ref.as_ref().map(|r| &r.name)),
        ("upstreamRef", spec.upstream_ref.as_ref().map(|r| &r.name)),
    ];
    for (field, name) in references {
        if let Some(name) = name.filter(|name| !name.is_empty() && !is_dns_name(name)) {
            let text = format!(
                "`{name}` is no name of a Kubernetes object: lower-case letters, digits, `-` and `.`"
            );
            found.defect(format!("spec.{field}.name"), text);
        }
    }
}

fn workload_and_apex(subject: &Subject<'_>, found: &mut Validation) {
    let target = subject.spec.target_ref.name.as_str();
    if !target.is_empty() {
        if !is_dns_name(target) {
            found.defect(
                "spec.targetRef.name",
                format!(
                    "`{target}` is no name of a Kubernetes object: lower-case letters, digits, `-` and `.`"
                ),
            );
        } else if target.len() + SUFFIX.len() > MAX_NAME_BYTES {
            found.defect("spec.targetRef.name", too_long(target, MAX_NAME_BYTES));
        }
    }
    let apex = subject.spec.apex_name();
    let named = subject.spec.service.name.as_deref().is_some_and(|name| !name.is_empty());
    // An invalid name of the target is reported there; here only what is invalid as the name of a Service.
    if apex.is_empty() || (!named && !is_dns_name(apex)) {
        return;
    }
    let path = if named { "spec.service.name" } else { "spec.targetRef.name" };
    if !is_dns_label(apex) && apex.len() <= MAX_LABEL_BYTES {
        let hint = if named { "" } else { "; set spec.service.name" };
        found.defect(
            path,
            format!("`{apex}` is no name of a Service: lower-case letters, digits and `-`{hint}"),
        );
    } else if apex.len() + SUFFIX.len() > MAX_LABEL_BYTES {
        found.defect(path, too_long(apex, MAX_LABEL_BYTES));
    }
}

/// The message for a name that the suffix `-primary` makes too long.
pub(super) fn too_long(name: &str, max: usize) -> String {
    format!("`{name}{SUFFIX}` would be longer than {max} characters")
}

/// Whether the text is a DNS label, whatever its length.
pub(super) fn is_dns_label(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(fits) && !text.starts_with('-') && !text.ends_with('-')
}

/// Whether the text is a DNS name (RFC 1123) of at most 253 characters, as the names of most objects must be.
pub fn is_dns_name(text: &str) -> bool {
    text.len() <= MAX_NAME_BYTES && text.split('.').all(is_dns_label)
}

/// Whether the text can name a container port (`IANA_SVC_NAME`): at most 15 characters, one of them a letter.
pub(super) fn is_port_name(text: &str) -> bool {
    text.len() <= 15
        && is_dns_label(text)
        && !text.contains("--")
        && text.chars().any(|c| c.is_ascii_lowercase())
}

/// What is wrong with a URL that requests are sent to.
pub(super) fn address_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("must not be empty".to_owned());
    }
    let uri: http::Uri = match text.parse() {
        Ok(uri) => uri,
        Err(_) if matches!(text, "http://" | "https://") => return Some(format!("`{text}` names no host")),
        Err(error) => return Some(format!("`{text}` is no URL: {error}")),
    };
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => None,
        (Some("http" | "https"), _) => Some(format!("`{text}` names no host")),
        (Some(scheme), _) => Some(format!("`{text}` has the scheme {scheme}; only http and https will do")),
        (None, _) => Some(format!("`{text}` must begin with http:// or https://")),
    }
}
