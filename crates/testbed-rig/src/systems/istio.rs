//! Istio: clients are inside the mesh or come through its gateway, which read a VirtualService.

use serde_json::json;
use vexil_testbed_cluster as cluster;

use super::{System, manifests};
use crate::{
    cast::in_namespace,
    guide::{Guide, Images},
    route::{AtZero, RouteKind, Written},
};

/// Istio. The Canary names a gateway and the mesh, so that requests from outside and from inside are split.
pub static ISTIO: System = System {
    spec: |_| {
        json!({"service": {
            "gateways": ["istio-system/public-gateway", "mesh"],
            "hosts": ["app.example.com"],
        }})
    },
    ..System::named(
        "istio",
        cluster::System::Istio,
        Some(RouteKind {
            of: ("/apis/networking.istio.io/v1beta1", "virtualservices"),
            kind: "VirtualService",
            definition: "virtualservices.networking.istio.io",
            place: in_namespace,
            lists: "/spec/http/*/route",
            service: "/destination/host",
            weight: Written::AsNumber,
            at_zero: AtZero::Listed,
            theirs: r#"{"hosts": ["theirs"], "http": []}"#,
            missing: "VirtualService of networking.istio.io/v1beta1; install the CRDs of Istio",
        }),
    )
};

/// “Istio Canary Deployments”: clients come through the gateway, the load test through the mesh.
pub(super) static GUIDE: Guide = Guide {
    name: "istio",
    title: "Istio Canary Deployments",
    system: &ISTIO,
    manifests: manifests!("istio":
        "public-gateway.yaml", "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-canary.yaml"),
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    ..Guide::USUAL
};
