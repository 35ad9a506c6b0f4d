//! Kuma: clients are inside the mesh, which reads a TrafficRoute or a MeshHTTPRoute.

use serde_json::{Value, json};
use vexil_testbed_cluster as cluster;

use super::{System, manifests};
use crate::{
    cast::Cast,
    guide::{Guide, Images},
    route::{AtZero, RouteKind, Written},
};

/// Where Kuma's control plane is.
pub const KUMA_SYSTEM: &str = "kuma-system";

const MISSING: &str = "TrafficRoute or MeshHTTPRoute of kuma.io/v1alpha1; install the CRDs of Kuma";

/// The annotations by which Kuma knows the protocol, and an apex that no other Canary of the cluster has.
fn spec(cast: &Cast) -> Value {
    let http = json!({"annotations": {"80.service.kuma.io/protocol": "http"}});
    json!({"service": {"name": cast.apex, "apex": http, "primary": http, "canary": http}})
}

/// Kuma up to version 2: one TrafficRoute for the whole cluster, named as the apex.
pub static KUMA: System = System {
    spec,
    ..System::named(
        "kuma",
        cluster::System::Kuma(&["TrafficRoute"]),
        Some(RouteKind {
            of: ("/apis/kuma.io/v1alpha1", "trafficroutes"),
            kind: "TrafficRoute",
            definition: "trafficroutes.kuma.io",
            place: |cast| (String::new(), cast.apex.clone()),
            lists: "/spec/conf/split",
            service: "/destination/kuma.io~1service",
            weight: Written::AsNumber,
            at_zero: AtZero::Listed,
            theirs: r#"{"sources": [{"match": {"kuma.io/service": "*"}}],
                        "destinations": [{"match": {"kuma.io/service": "theirs_default_svc_80"}}], "conf": {}}"#,
            missing: MISSING,
        }),
    )
};

const MESH_HTTP_ROUTE: RouteKind = RouteKind {
    of: ("/apis/kuma.io/v1alpha1", "meshhttproutes"),
    kind: "MeshHTTPRoute",
    definition: "meshhttproutes.kuma.io",
    place: |cast| (KUMA_SYSTEM.to_owned(), format!("{}.{}", cast.apex, cast.namespace)),
    lists: "/spec/to/*/rules/*/default/backendRefs",
    service: "/labels/kuma.io~1display-name",
    weight: Written::AsNumber,
    at_zero: AtZero::Listed,
    theirs: r#"{"targetRef": {"kind": "Mesh"}, "to": []}"#,
    missing: MISSING,
};

const fn mesh(name: &'static str, route: RouteKind) -> System {
    System {
        provider: "kuma",
        flags: &["-kuma-route-kind=MeshHTTPRoute"],
        spec,
        ..System::named(name, cluster::System::Kuma(&["MeshHTTPRoute"]), Some(route))
    }
}

/// Kuma 3: a MeshHTTPRoute beside the control plane.
pub static KUMA_MESH: System = mesh("kuma MeshHTTPRoute", MESH_HTTP_ROUTE);

/// Kuma 2.7: its references have names and no labels.
pub static KUMA_BY_NAME: System =
    mesh("kuma MeshHTTPRoute by name", RouteKind { service: "/name", ..MESH_HTTP_ROUTE });

/// “Kuma Canary Deployments”.
pub(super) static GUIDE: Guide = Guide {
    name: "kuma",
    title: "Kuma Canary Deployments",
    system: &KUMA,
    manifests: manifests!("kuma": "namespace.yaml", "loadtester.yaml", "podinfo.yaml", "podinfo-canary.yaml"),
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    port: 9898,
    ..Guide::USUAL
};
