//! Linkerd: clients are inside the mesh, whose SMI extension reads a TrafficSplit; without it, the mesh reads an
//! HTTPRoute whose parent is the apex.

use serde_json::json;
use vexil_testbed_cluster as cluster;

use super::{System, gateway_api::HTTP_ROUTE, manifests, smi::V1ALPHA1};
use crate::guide::{Guide, Images};

/// Linkerd with its SMI extension.
pub static LINKERD: System =
    System::named("linkerd", cluster::System::Linkerd(&["v1alpha1", "HTTPRoute"]), Some(V1ALPHA1));

/// Linkerd without it.
pub static LINKERD_ROUTES: System = System {
    provider: "gatewayapi:v1",
    spec: |cast| {
        let parent = json!({
            "group": "core", "kind": "Service", "name": cast.apex, "namespace": cast.namespace, "port": 80,
        });
        json!({"service": {"gatewayRefs": [parent]}})
    },
    ..System::named("linkerd-routes", cluster::System::Linkerd(&["HTTPRoute"]), Some(HTTP_ROUTE))
};

/// “Linkerd Canary Deployments”: clients and the load test are inside the mesh.
pub(super) static GUIDE: Guide = Guide {
    name: "linkerd",
    title: "Linkerd Canary Deployments",
    system: &LINKERD,
    manifests: manifests!("linkerd": "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-canary.yaml"),
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    makes_namespace: true,
    ..Guide::USUAL
};
