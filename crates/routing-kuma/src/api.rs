//! The two kinds of routes, and how each names a mesh, an object and a Service.

use std::collections::BTreeMap;

use serde_json::Value;
use vexil_api::{Defect, is_dns_name};
use vexil_object::{Kind, MAX_LABEL_BYTES, ObjectKey, meta};
use vexil_routing::{RouteContext, RouteTarget, Side, put};

use crate::{
    reference::{Form, refers, refers_to_nothing},
    tag::{SERVICE, tag, tagged},
};

/// Kuma's label for the mesh of a namespaced object, and the annotation of a Canary for the mesh of its route.
pub(crate) const MESH: &str = "kuma.io/mesh";

/// The kind of object that routes the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Kuma 1 and 2: cluster-scoped, with the name of the apex. Names Services by their tag.
    TrafficRoute,
    /// Kuma 2 and newer: in Kuma's system namespace, with the name of the apex and its namespace. Names Services by the
    /// labels of their MeshService where the CRD has a field for labels, else by their tag.
    MeshHttpRoute,
}

impl Api {
    /// The one that is served.
    pub(crate) fn of(route: &RouteContext<'_>) -> Self {
        Api::of_kind(route.kind())
    }

    /// The one of this kind.
    pub(crate) fn of_kind(kind: Kind) -> Self {
        if kind == Api::TrafficRoute.kind() { Api::TrafficRoute } else { Api::MeshHttpRoute }
    }

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
            // Neither part contains a dot, so Canaries of different namespaces never share a route.
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

    /// The side that an entry names, in any form.
    pub(crate) fn side(self, target: &RouteTarget<'_>, entry: &Value) -> Option<Side> {
        let names = |side: &Side| match self {
            Api::TrafficRoute => tagged(entry.get("destination"), &target.service(*side), target),
            Api::MeshHttpRoute => refers(Some(entry), &target.service(*side), target),
        };
        [Side::Primary, Side::Canary].into_iter().find(names)
    }

    /// Whether an entry names nothing.
    pub(crate) fn names_nothing(self, target: &RouteTarget<'_>, entry: &Value) -> bool {
        match self {
            Api::TrafficRoute => match entry.get("destination") {
                Some(Value::Object(tags)) => tags.is_empty(),
                destination => destination.is_none_or(Value::is_null),
            },
            Api::MeshHttpRoute => refers_to_nothing(entry, target),
        }
    }

    /// The entry, naming a Service; its other fields are kept.
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

/// The mesh of a Canary: its annotation, else Kuma's default.
pub(crate) fn mesh<'a>(target: &RouteTarget<'a>) -> &'a str {
    named(target.annotations).unwrap_or("default")
}

fn named(annotations: &BTreeMap<String, String>) -> Option<&str> {
    annotations.get(MESH).map(String::as_str).filter(|mesh| !mesh.is_empty())
}

/// The defect of the annotation for the mesh: a Mesh is a cluster-scoped object, so its name is a DNS name.
pub(crate) fn mesh_defect(annotations: &BTreeMap<String, String>) -> Option<Defect> {
    let name = named(annotations).filter(|name| name.len() > MAX_LABEL_BYTES || !is_dns_name(name))?;
    let path = format!("metadata.annotations[{MESH}]");
    Some(Defect { path, message: format!("`{name}` is not a valid name of a mesh") })
}
