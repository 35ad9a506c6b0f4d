//! How a MeshHTTPRoute names a Service: by the labels of its MeshService, or, before Kuma had those, by its tag.

use serde_json::{Value, json};
use vexil_object::{definition, meta};
use vexil_routing::{RouteTarget, put};

use crate::api::{Api, prefix, tag};

/// Labels of a MeshService: the name and namespace of the Service that it was made from.
const DISPLAY_NAME: &str = "kuma.io/display-name";
const NAMESPACE: &str = "k8s.kuma.io/namespace";

/// The form of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `labels: {kuma.io/display-name: podinfo, k8s.kuma.io/namespace: test}`, and a port beside it.
    Labels,
    /// `name: podinfo_test_svc_80`. References have no `labels` in the definitions of Kuma before 2.9, which drop them.
    Name,
}

impl Form {
    /// The form that a cluster's definition of MeshHTTPRoute has room for. One that says nothing of its fields has room
    /// for the newer.
    pub(crate) fn of(found: &Value) -> Self {
        let version = Api::MeshHttpRoute.kind().version;
        let lacks = |place: &[&str]| {
            let field = |name| {
                let path = place.iter().copied().chain([name]);
                definition::has_field(found, version, path)
            };
            field("labels") == Some(false) && field("name") == Some(true)
        };
        let to = ["spec", "to", "0", "targetRef"];
        let backend = ["spec", "to", "0", "rules", "0", "default", "backendRefs", "0"];
        if lacks(&to) || lacks(&backend) { Form::Name } else { Form::Labels }
    }

    /// Makes `reference` name a Service in this form. What else it holds stays; the other form does not.
    pub(crate) fn refer(self, reference: &mut Value, service: &str, target: &RouteTarget<'_>, port: i64) {
        put(reference, "kind", "MeshService".into());
        match self {
            Form::Labels => {
                let tagged = reference
                    .get("name")
                    .is_some_and(|name| name.as_str().is_some_and(|n| n.contains("_svc_")));
                omit(reference, &["name"], |_| tagged);
                meta::set(reference, &["labels", DISPLAY_NAME], service.into());
                meta::set(reference, &["labels", NAMESPACE], target.namespace.into());
            }
            Form::Name => {
                omit(reference, &["labels", "port", "sectionName"], |_| true);
                put(reference, "name", tag(service, target, port).into());
            }
        }
    }

    /// Whether a reference is in this form.
    pub(crate) fn is_of(self, reference: &Value) -> bool {
        let (labels, name) = (reference.get("labels").is_some(), reference.get("name").is_some());
        if self == Form::Labels { labels && !name } else { name && !labels }
    }

    /// The item of `spec.to` for the apex. Its port is told by the name that the Service has for it, or by the tag.
    pub(crate) fn destination(self, target: &RouteTarget<'_>, port: i64) -> Value {
        let name = target.spec.service.port_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("http");
        let mut reference = json!({"sectionName": name});
        self.refer(&mut reference, target.apex, target, port);
        json!({"targetRef": reference})
    }
}

fn omit(reference: &mut Value, fields: &[&str], of: impl Fn(&str) -> bool) {
    if let Some(map) = reference.as_object_mut() {
        map.retain(|name, _| !(fields.contains(&name.as_str()) && of(name)));
    }
}

/// Whether a reference names a Service of ours, in either form.
pub(crate) fn refers(reference: Option<&Value>, service: &str, target: &RouteTarget<'_>) -> bool {
    let Some(reference) = reference.filter(|reference| kind(reference) == Some("MeshService")) else {
        return false;
    };
    let label = |key| reference.get("labels").and_then(|labels| labels.get(key)).and_then(Value::as_str);
    match reference.get("name").and_then(Value::as_str) {
        Some(name) => name.starts_with(&prefix(service, target)),
        None => label(DISPLAY_NAME) == Some(service) && label(NAMESPACE) == Some(target.namespace),
    }
}

/// Whether a reference is what is left of one of ours: some of the fields that name it are missing, and it has none
/// that ours never has.
pub(crate) fn refers_to_nothing(reference: &Value, target: &RouteTarget<'_>) -> bool {
    let whole = match kind(reference) {
        Some("MeshService") => true,
        None => false,
        Some(_) => return false,
    };
    let services = [target.apex.to_owned(), target.primary(), target.canary()];
    let is_label = |(key, value): (&String, &Value)| match key.as_str() {
        DISPLAY_NAME => services.iter().any(|service| value.as_str() == Some(service)),
        NAMESPACE => value.as_str() == Some(target.namespace),
        _ => false,
    };
    let named = |name: &str| services.iter().any(|service| name.starts_with(&prefix(service, target)));
    let labels = match reference.get("labels") {
        None | Some(Value::Null) => true,
        Some(Value::Object(labels)) => labels.iter().all(is_label) && !(whole && labels.len() > 1),
        Some(_) => false,
    };
    let name = match reference.get("name") {
        None | Some(Value::Null) => true,
        Some(name) => !whole && name.as_str().is_some_and(named),
    };
    let has = |field: &str| reference.get(field).is_some_and(|value| !value.is_null());
    reference.is_object() && labels && name && !["namespace", "tags", "mesh"].into_iter().any(has)
}

/// The kind that a reference names; none when it was dropped like any other field.
fn kind(reference: &Value) -> Option<&str> {
    match reference.get("kind") {
        None | Some(Value::Null) => None,
        Some(kind) => Some(kind.as_str().unwrap_or_default()),
    }
}
