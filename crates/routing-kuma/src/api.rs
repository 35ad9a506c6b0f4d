//! The two kinds, and how each of them names a mesh, an object and a Service.

use std::collections::BTreeMap;

use serde_json::Value;
use vexil_api::{Defect, is_dns_name};
use vexil_object::{Kind, ObjectKey, meta};
use vexil_routing::{RouteTarget, Side, put};

use crate::reference::{Form, refers, refers_to_nothing};

/// Label of Kuma for the mesh of an object in a namespace, and annotation of a Canary for the mesh of its route.
pub(crate) const MESH: &str = "kuma.io/mesh";
/// Tag of Kuma that every data plane proxy has for the Service it stands before.
pub(crate) const SERVICE: &str = "kuma.io/service";
/// What Kuma is told the split with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Kuma 1 and 2: one for the whole cluster, named as the apex. Names Services by their tag.
    TrafficRoute,
    /// Kuma 2 and newer: in Kuma's system namespace, named as the apex and its namespace. Names Services by the labels
    /// of their MeshService where the definition has room for labels, else by their tag.
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

    /// Whose an entry of ours is, in whatever form.
    pub(crate) fn side(self, target: &RouteTarget<'_>, entry: &Value) -> Option<Side> {
        let names = |service: &str| match self {
            Api::TrafficRoute => tagged(entry.get("destination"), service, target),
            Api::MeshHttpRoute => refers(Some(entry), service, target),
        };
        if names(&target.primary()) {
            Some(Side::Primary)
        } else {
            names(&target.canary()).then_some(Side::Canary)
        }
    }

    /// Whether an entry names nothing at all.
    pub(crate) fn names_nothing(self, target: &RouteTarget<'_>, entry: &Value) -> bool {
        match self {
            Api::TrafficRoute => match entry.get("destination") {
                Some(Value::Object(tags)) => tags.is_empty(),
                destination => destination.is_none_or(Value::is_null),
            },
            Api::MeshHttpRoute => refers_to_nothing(entry, target),
        }
    }

    /// An entry with the Service it names and its weight; what else it holds stays.
    pub(crate) fn entry(
        self,
        form: Form,
        mut entry: Value,
        service: &str,
        target: &RouteTarget<'_>,
        port: i64,
    ) -> Value {
        match self {
            Api::TrafficRoute => {
                meta::set(&mut entry, &["destination", SERVICE], tag(service, target, port).into());
            }
            Api::MeshHttpRoute => {
                form.refer(&mut entry, service, target, port);
                if form == Form::Labels {
                    put(&mut entry, "port", port.into());
                }
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
pub(crate) fn prefix(service: &str, target: &RouteTarget<'_>) -> String {
    format!("{service}_{}_svc_", target.namespace)
}

/// Whether a selector by tags names a Service of ours, on whatever port: that one is ours to write.
pub(crate) fn tagged(selector: Option<&Value>, service: &str, target: &RouteTarget<'_>) -> bool {
    let tag = selector.and_then(|tags| tags.get(SERVICE)).and_then(Value::as_str);
    tag.is_some_and(|tag| tag.starts_with(&prefix(service, target)))
}
