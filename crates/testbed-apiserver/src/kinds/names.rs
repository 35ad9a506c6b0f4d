//! Names and labels: which texts the API accepts.

use serde_json::{Value, json};

use super::super::{
    errors::{Cause, Fault},
    json::at,
    registry::Resource,
};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
    '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
    validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1123: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \
    '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used \
    for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start \
    with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', \
    regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const KEY: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and \
    end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for \
    validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', \
    '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or \
    '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// What is wrong with the name of an object.
pub(crate) fn check(resource: &Resource, name: &str, field: &str) -> Vec<Cause> {
    let invalid = |detail: &str| Cause::new(field, Fault::Invalid(json!(name)), detail);
    let long = |most: usize| invalid(&format!("must be no more than {most} characters"));
    let mut causes = Vec::new();
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("rbac.authorization.k8s.io", _) => {}
        ("", "Service") => {
            causes.extend((name.len() > 63).then(|| long(63)));
            let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
            causes.extend((!is_label(name) || !starts).then(|| invalid(LABEL_1035)));
        }
        ("", "Namespace") => {
            causes.extend((name.len() > 63).then(|| long(63)));
            causes.extend((!is_label(name)).then(|| invalid(LABEL_1123)));
        }
        _ => {
            causes.extend((name.len() > 253).then(|| long(253)));
            causes.extend((!name.split('.').all(is_label)).then(|| invalid(SUBDOMAIN)));
        }
    }
    causes
}

/// What is wrong with a name that must be a label of a domain.
pub(super) fn label_1123(name: &str, field: &str) -> Option<Cause> {
    let invalid = |detail: &str| Cause::new(field, Fault::Invalid(json!(name)), detail);
    match name {
        long if long.len() > 63 => Some(invalid("must be no more than 63 characters")),
        _ => (!is_label(name)).then(|| invalid(LABEL_1123)),
    }
}

/// What is wrong with the number of a port.
pub(super) fn port(number: i64, field: &str) -> Option<Cause> {
    let detail = "must be between 1 and 65535, inclusive";
    (!(1..=65_535).contains(&number)).then(|| Cause::new(field, Fault::Invalid(json!(number)), detail))
}

/// What is wrong with the labels and annotations of an object.
pub(crate) fn check_labels(object: &Value) -> Vec<Cause> {
    let members =
        |field: &str| at(object, &["metadata", field]).and_then(Value::as_object).into_iter().flatten();
    let mut causes = Vec::new();
    for (key, value) in members("labels") {
        causes.extend(key_fault(key, "metadata.labels"));
        causes.extend(label_fault(value.as_str().unwrap_or_default(), "metadata.labels"));
    }
    for (key, _) in members("annotations") {
        causes.extend(
            key_fault(&key.to_lowercase(), "metadata.annotations")
                .map(|cause| Cause { fault: Fault::Invalid(json!(key)), ..cause }),
        );
    }
    causes
}

/// What is wrong with the key of a label or annotation: a name, after a domain and a slash if it is not the user's own.
pub(crate) fn key_fault(key: &str, field: &str) -> Option<Cause> {
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    let invalid = |detail: &str| Some(Cause::new(field, Fault::Invalid(json!(key)), detail));
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let edge = |c: char| c.is_ascii_alphanumeric();
    if domain.is_some_and(|domain| !domain.split('.').all(is_label)) {
        return invalid(&format!("prefix part {SUBDOMAIN}"));
    }
    match name {
        "" => invalid("name part must be non-empty"),
        long if long.len() > 63 => invalid("name part must be no more than 63 bytes"),
        _ if !(name.chars().all(inner) && name.starts_with(edge) && name.ends_with(edge)) => invalid(KEY),
        _ => None,
    }
}

/// What is wrong with the value of a label.
pub(crate) fn label_fault(value: &str, field: &str) -> Option<Cause> {
    let invalid = |detail: &str| Cause::new(field, Fault::Invalid(json!(value)), detail);
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let edge = |c: char| c.is_ascii_alphanumeric();
    let shaped = value.chars().all(inner) && value.starts_with(edge) && value.ends_with(edge);
    match value {
        "" => None,
        long if long.len() > 63 => Some(invalid("must be no more than 63 bytes")),
        _ if !shaped => Some(invalid(LABEL_VALUE)),
        _ => None,
    }
}

fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}
