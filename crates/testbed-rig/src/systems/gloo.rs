//! Gloo: clients come through the user's VirtualService, which delegates to the RouteTable that the operator makes.

use serde_json::{Value, json};
use vexil_testbed_cluster as cluster;

use super::{System, manifests};
use crate::{
    api::Resource,
    cast::{Cast, PODINFO, in_namespace},
    guide::{Guide, Images},
    route::{AtZero, RouteKind, Written},
};

const VIRTUAL_SERVICES: Resource = ("/apis/gateway.solo.io/v1", "virtualservices");

/// Gloo.
pub static GLOO: System = System {
    definitions: &["upstreams.gloo.solo.io", "virtualservices.gateway.solo.io"],
    before: |cast| vec![(VIRTUAL_SERVICES, users_service(cast))],
    entrance: ("http://gateway-proxy.gloo-system/", "app.example.com"),
    ..System::named(
        "gloo",
        cluster::System::Gloo,
        Some(RouteKind {
            of: ("/apis/gateway.solo.io/v1", "routetables"),
            kind: "RouteTable",
            definition: "routetables.gateway.solo.io",
            place: in_namespace,
            lists: "/spec/routes/*/routeAction/multi/destinations",
            service: "/destination/upstream/name",
            weight: Written::AsNumber,
            at_zero: AtZero::Listed,
            theirs: r#"{"routes": [{"directResponseAction": {"status": 404}}]}"#,
            missing: "RouteTable of gateway.solo.io/v1; install the CRDs of Gloo",
        }),
    )
};

/// The user's VirtualService, as the guide has it.
fn users_service(cast: &Cast) -> Value {
    let delegate = json!({"ref": {"name": cast.apex, "namespace": cast.namespace}});
    json!({
        "apiVersion": "gateway.solo.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": format!("{PODINFO}-ingress")},
        "spec": {"virtualHost": {
            "domains": ["app.example.com"],
            "routes": [{"matchers": [{"prefix": "/"}], "delegateAction": delegate}],
        }},
    })
}

/// “Gloo Canary Deployments”.
pub(super) static GUIDE: Guide = Guide {
    name: "gloo",
    title: "Gloo Canary Deployments",
    system: &GLOO,
    manifests: manifests!("gloo":
        "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-ingress.yaml", "podinfo-canary.yaml"),
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    ..Guide::USUAL
};
