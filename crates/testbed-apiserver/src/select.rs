//! Label and field selectors, as queries of list and watch carry them.

use serde_json::Value;

use super::{
    errors::{Reply, Status},
    json::{at, name, namespace},
    kinds::names,
    registry::Resource,
};

/// Which objects a list or watch is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Selector {
    namespace: String,
    labels: Vec<Requirement>,
    fields: Vec<(String, bool, String)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    /// Reads both selectors.
    ///
    /// # Errors
    /// 400 for a selector that does not parse or a field that this kind cannot be selected by.
    pub fn parse(resource: &Resource, namespace: &str, labels: &str, fields: &str) -> Reply<Self> {
        Ok(Selector {
            namespace: namespace.to_owned(),
            labels: label_requirements(labels)?,
            fields: field_requirements(resource, fields)?,
        })
    }

    /// The same selection, narrowed to one name.
    pub fn and_name(mut self, name: &str) -> Self {
        self.fields.push(("metadata.name".to_owned(), true, name.to_owned()));
        self
    }

    /// Whether it selects `object`.
    pub fn selects(&self, object: &Value) -> bool {
        (self.namespace.is_empty() || namespace(object) == self.namespace)
            && self.labels.iter().all(|requirement| requirement.holds(object))
            && self.fields.iter().all(|(path, equal, value)| (field(object, path) == *value) == *equal)
    }
}

impl Requirement {
    fn key(&self) -> &str {
        match self {
            Requirement::In(key, _) | Requirement::NotIn(key, _) => key,
            Requirement::Exists(key) | Requirement::Absent(key) => key,
        }
    }

    fn holds(&self, object: &Value) -> bool {
        let label = |key: &str| at(object, &["metadata", "labels", key]).and_then(Value::as_str);
        match self {
            Requirement::In(key, values) => label(key).is_some_and(|have| values.iter().any(|v| v == have)),
            Requirement::NotIn(key, values) => label(key).is_none_or(|have| values.iter().all(|v| v != have)),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
        }
    }
}

fn label_requirements(text: &str) -> Reply<Vec<Requirement>> {
    let mut requirements = Vec::new();
    for part in split_outside_parentheses(text) {
        let part = part.trim();
        if !part.is_empty() {
            let requirement = label_requirement(part).ok_or_else(|| unparsable(part))?;
            if let Some(cause) = names::key_fault(requirement.key(), "<nil>") {
                return Err(Status::bad_request(format!("unable to parse requirement: {}", cause.line())));
            }
            requirements.push(requirement);
        }
    }
    Ok(requirements)
}

fn unparsable(text: &str) -> Box<Status> {
    let mut words = text.split_whitespace().skip(1);
    let second = words.next().unwrap_or(text);
    Status::bad_request(match (second, words.next()) {
        _ if text.contains("===") => {
            "unable to parse requirement: found '=', expected: identifier".to_owned()
        }
        ("in" | "notin", Some(third)) => {
            format!("unable to parse requirement: found '{third}' expected: '('")
        }
        _ => format!("unable to parse requirement: found '{second}', expected: in, notin, =, ==, !=, gt, lt"),
    })
}

fn label_requirement(part: &str) -> Option<Requirement> {
    let one = |value: &str| vec![value.trim().to_owned()];
    if part.contains("===") {
        return None;
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Some(Requirement::NotIn(label_key(key)?, one(value)));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(Requirement::In(label_key(key)?, one(value)));
    }
    if let Some(rest) = part.strip_suffix(')') {
        let (head, values) = rest.split_once('(')?;
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = head.split_whitespace();
        return match (words.next()?, words.next()?) {
            (key, "in") => Some(Requirement::In(key.to_owned(), values)),
            (key, "notin") => Some(Requirement::NotIn(key.to_owned(), values)),
            _ => None,
        };
    }
    match part.strip_prefix('!') {
        Some(key) => Some(Requirement::Absent(label_key(key)?)),
        None => Some(Requirement::Exists(label_key(part)?)),
    }
}

fn label_key(text: &str) -> Option<String> {
    let key = text.trim();
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    (!key.is_empty() && key.chars().all(fine)).then(|| key.to_owned())
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    text.split(move |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn field_requirements(resource: &Resource, text: &str) -> Reply<Vec<(String, bool, String)>> {
    let mut requirements = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (path, equal, value) = match (part.split_once("!="), part.split_once("==")) {
            (Some((path, value)), _) => (path, false, value),
            (None, Some((path, value))) => (path, true, value),
            (None, None) => match part.split_once('=') {
                Some((path, value)) => (path, true, value),
                None => {
                    let why = format!("invalid selector: '{text}'; can't understand '{part}'");
                    return Err(Status::bad_request(why));
                }
            },
        };
        if !selectable(resource, path) {
            return Err(unknown_field(resource, path));
        }
        requirements.push((path.to_owned(), equal, value.to_owned()));
    }
    Ok(requirements)
}

fn unknown_field(resource: &Resource, path: &str) -> Box<Status> {
    let sentence = match resource.custom.is_none() && extra_fields(resource).is_empty() {
        true => format!(
            "\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        ),
        false => format!("field label not supported: {path}"),
    };
    Status::bad_request(sentence)
}

fn selectable(resource: &Resource, path: &str) -> bool {
    path == "metadata.name" || path == "metadata.namespace" || extra_fields(resource).contains(&path)
}

/// Fields besides name and namespace by which a kind can be selected.
fn extra_fields(resource: &Resource) -> &'static [&'static str] {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Pod") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ("" | "events.k8s.io", "Event") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("", "Namespace") => &["status.phase"],
        ("", "Node") => &["spec.unschedulable"],
        ("", "Secret") => &["type"],
        ("", "Service") => &["spec.clusterIP", "spec.type"],
        ("apps", "ReplicaSet") => &["status.replicas"],
        ("batch", "Job") => &["status.successful"],
        _ => &[],
    }
}

fn field(object: &Value, path: &str) -> String {
    match path {
        "metadata.name" => return name(object).to_owned(),
        "metadata.namespace" => return namespace(object).to_owned(),
        "source" => return super::json::text(object, &["source", "component"]).to_owned(),
        _ => {}
    }
    match at(object, &path.split('.').collect::<Vec<_>>()) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => match path {
            "spec.unschedulable" | "spec.hostNetwork" => "false".to_owned(),
            "status.replicas" | "status.successful" => "0".to_owned(),
            _ => String::new(),
        },
        Some(value) => value.to_string(),
    }
}
