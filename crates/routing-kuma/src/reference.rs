//! How a MeshHTTPRoute names a Service: by the labels of its MeshService or, before Kuma 2.9, by its tag.

use serde_json::{Value, json};
use vexil_object::{definition::has_field, meta};
use vexil_routing::{RouteTarget, put};

use crate::{
    api::Api,
    tag::{prefix, tag},
};

/// Labels of a MeshService: name and namespace of its Service.
const DISPLAY_NAME: &str = "kuma.io/display-name";
const NAMESPACE: &str = "k8s.kuma.io/namespace";

/// The form of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `labels: {kuma.io/display-name: podinfo, k8s.kuma.io/namespace: test}`, and a field for the port.
    Labels,
    /// `name: podinfo_test_svc_80`. The CRDs of Kuma before 2.9 have no `labels`, so the API server drops them.
    Name,
}

impl Form {
    /// The form that fits the cluster's CRD of MeshHTTPRoute; the newer one for a CRD without a schema.
    pub(crate) fn of(definition: &Value) -> Self {
        let version = Api::MeshHttpRoute.kind().version;
        let lacks = |place: &[&str]| {
            let field = |name| {
                let path = place.iter().copied().chain([name]);
                has_field(definition, version, path)
            };
            field("labels") == Some(false) && field("name") == Some(true)
        };
        let to = ["spec", "to", "0", "targetRef"];
        let backend = ["spec", "to", "0", "rules", "0", "default", "backendRefs", "0"];
        if lacks(&to) || lacks(&backend) { Form::Name } else { Form::Labels }
    }

    /// Makes `reference` name a Service in this form and removes the other form. Its other fields are kept.
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

    /// Whether a reference leads to this port: by its name or number, or by the tag. Without `sectionName` it leads to
    /// all ports.
    pub(crate) fn has_port(
        self,
        reference: &Value,
        service: &str,
        target: &RouteTarget<'_>,
        port: i64,
    ) -> bool {
        match (self, reference.get("sectionName").and_then(Value::as_str)) {
            (Form::Labels, None) => true,
            (Form::Labels, Some(section)) => section == target.port_name() || section == port.to_string(),
            (Form::Name, _) => {
                reference.get("name").and_then(Value::as_str) == Some(&tag(service, target, port))
            }
        }
    }

    /// The item of `spec.to` for the apex. The name of the Service port, or the tag, says the port.
    pub(crate) fn destination(self, target: &RouteTarget<'_>, port: i64) -> Value {
        let mut reference = json!({"sectionName": target.port_name()});
        self.refer(&mut reference, target.apex, target, port);
        json!({"targetRef": reference})
    }
}

fn omit(reference: &mut Value, fields: &[&str], of: impl Fn(&str) -> bool) {
    if let Some(map) = reference.as_object_mut() {
        map.retain(|name, _| !(fields.contains(&name.as_str()) && of(name)));
    }
}

/// Whether a reference names a Service, in either form.
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

/// Whether a reference is one of ours from which an API server dropped fields: some fields that name the Service are
/// missing, and it has no field that ours never have.
pub(crate) fn refers_to_nothing(reference: &Value, target: &RouteTarget<'_>) -> bool {
    let has_kind = match kind(reference) {
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
        Some(Value::Object(labels)) => labels.iter().all(is_label) && !(has_kind && labels.len() > 1),
        Some(_) => false,
    };
    let name = match reference.get("name") {
        None | Some(Value::Null) => true,
        Some(name) => !has_kind && name.as_str().is_some_and(named),
    };
    let has = |field: &str| reference.get(field).is_some_and(|value| !value.is_null());
    reference.is_object() && labels && name && !["namespace", "tags", "mesh"].into_iter().any(has)
}

/// The kind of a reference; `None` when it was dropped.
fn kind(reference: &Value) -> Option<&str> {
    match reference.get("kind") {
        None | Some(Value::Null) => None,
        Some(kind) => Some(kind.as_str().unwrap_or_default()),
    }
}
