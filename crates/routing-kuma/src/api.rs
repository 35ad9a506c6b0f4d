//! The two kinds, and how each of them names a mesh, an object and a Service.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vexil_api::{Defect, is_dns_name};
use vexil_object::{Kind, ObjectKey, meta};
use vexil_routing::{RouteTarget, Side, put};

/// Label of Kuma for the mesh of an object in a namespace, and annotation of a Canary for the mesh of its route.
pub(crate) const MESH: &str = "kuma.io/mesh";
/// Tag of Kuma that every data plane proxy has for the Service it stands before.
pub(crate) const SERVICE: &str = "kuma.io/service";
/// Labels of a MeshService: the name and namespace of the Service that it was made from.
const DISPLAY_NAME: &str = "kuma.io/display-name";
const NAMESPACE: &str = "k8s.kuma.io/namespace";

/// What Kuma is told the split with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Kuma 1 and 2: one for the whole cluster, named as the apex. Names Services by their tag.
    TrafficRoute,
    /// Kuma 2.9 and newer: in Kuma's system namespace, named as the apex and its namespace. Names Services by the
    /// labels of their MeshService.
    MeshHttpRoute,
}

impl Api {
    /// The kind.
    pub const fn kind(self) -> Kind {
        match self {
            Api::TrafficRoute => Kind::cluster("kuma.io", "v1alpha1", "TrafficRoute", "trafficroutes"),
            Api::MeshHttpRoute => Kind::namespaced("kuma.io", "v1alpha1", "MeshHTTPRoute", "meshhttproutes"),
        }
    }

    pub(crate) fn key(self, target: &RouteTarget<'_>, system_namespace: &str) -> ObjectKey {
        match self {
            Api::TrafficRoute => ObjectKey::cluster(self.kind(), target.apex),
            // Neither part can hold a point, so no two Canaries of different namespaces meet.
            Api::MeshHttpRoute => {
                ObjectKey::new(self.kind(), system_namespace, format!("{}.{}", target.apex, target.namespace))
            }
        }
    }

    /// The field that names the mesh.
    pub(crate) fn mesh_path(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Api::TrafficRoute => ("mesh", &["mesh"]),
            Api::MeshHttpRoute => ("metadata.labels[kuma.io/mesh]", &["metadata", "labels", MESH]),
        }
    }

    /// Whose an entry of ours is.
    pub(crate) fn side(self, target: &RouteTarget<'_>, entry: &Value) -> Option<Side> {
        let names = |service: &str| match self {
            Api::TrafficRoute => tagged(entry.get("destination"), service, target),
            Api::MeshHttpRoute => labelled(Some(entry), service, target),
        };
        if names(&target.primary()) {
            Some(Side::Primary)
        } else {
            names(&target.canary()).then_some(Side::Canary)
        }
    }

    /// An entry with the Service it names and its weight; what else it holds stays.
    pub(crate) fn entry(self, mut entry: Value, service: &str, target: &RouteTarget<'_>, port: i64) -> Value {
        match self {
            Api::TrafficRoute => {
                meta::set(&mut entry, &["destination", SERVICE], tag(service, target, port).into());
            }
            Api::MeshHttpRoute => {
                label(&mut entry, service, target);
                put(&mut entry, "port", port.into());
            }
        }
        entry
    }
}

/// The mesh of a Canary: what its annotation says, else Kuma's default.
pub(crate) fn mesh<'a>(target: &RouteTarget<'a>) -> &'a str {
    named(target.annotations).unwrap_or("default")
}

fn named(annotations: &BTreeMap<String, String>) -> Option<&str> {
    annotations.get(MESH).map(String::as_str).filter(|mesh| !mesh.is_empty())
}

/// The longest value of a label; a MeshHTTPRoute names its mesh in one.
const LABEL_MAX: usize = 63;

/// What is wrong with the annotation for the mesh: a Mesh is an object of the cluster, named as all of them are.
pub(crate) fn mesh_defect(annotations: &BTreeMap<String, String>) -> Option<Defect> {
    let name = named(annotations).filter(|name| name.len() > LABEL_MAX || !is_dns_name(name))?;
    let path = format!("metadata.annotations[{MESH}]");
    Some(Defect { path, message: format!("`{name}` is no name of a mesh") })
}

/// `podinfo_test_svc_80`: the value of the tag [`SERVICE`], by which Kuma 1 and 2 tell Services apart.
pub(crate) fn tag(service: &str, target: &RouteTarget<'_>, port: i64) -> String {
    format!("{}{port}", prefix(service, target))
}

/// The part of the tag that does not change with the port. No name has an underscore in it.
fn prefix(service: &str, target: &RouteTarget<'_>) -> String {
    format!("{service}_{}_svc_", target.namespace)
}

/// Whether a selector by tags names a Service of ours, on whatever port: that one is ours to write.
pub(crate) fn tagged(selector: Option<&Value>, service: &str, target: &RouteTarget<'_>) -> bool {
    let tag = selector.and_then(|tags| tags.get(SERVICE)).and_then(Value::as_str);
    tag.is_some_and(|tag| tag.starts_with(&prefix(service, target)))
}

/// Whether a reference by labels names the MeshService of a Service of ours.
pub(crate) fn labelled(reference: Option<&Value>, service: &str, target: &RouteTarget<'_>) -> bool {
    let Some(reference) = reference else { return false };
    let label = |key| reference.get("labels").and_then(|labels| labels.get(key)).and_then(Value::as_str);
    reference.get("kind").and_then(Value::as_str) == Some("MeshService")
        && label(DISPLAY_NAME) == Some(service)
        && label(NAMESPACE) == Some(target.namespace)
}

fn label(reference: &mut Value, service: &str, target: &RouteTarget<'_>) {
    put(reference, "kind", "MeshService".into());
    meta::set(reference, &["labels", DISPLAY_NAME], service.into());
    meta::set(reference, &["labels", NAMESPACE], target.namespace.into());
}

/// The item of `spec.to` for the apex. Its port is told by the name that the Service has for it.
pub(crate) fn destination(target: &RouteTarget<'_>) -> Value {
    let port = target.spec.service.port_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("http");
    let mut reference = json!({"sectionName": port});
    label(&mut reference, target.apex, target);
    json!({"targetRef": reference})
}
