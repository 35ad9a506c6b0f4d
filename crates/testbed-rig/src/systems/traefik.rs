//! Traefik: clients come through the ingress, which reads a TraefikService.

use serde_json::{Value, json};
use vexil_testbed_cluster as cluster;

use super::{System, manifests};
use crate::{
    api::Resource,
    cast::in_namespace,
    guide::{Guide, Images},
    route::{AtZero, RouteKind, Written},
};

const fn route(of: Resource, definition: &'static str) -> RouteKind {
    RouteKind {
        of,
        kind: "TraefikService",
        definition,
        place: in_namespace,
        lists: "/spec/weighted/services",
        service: "/name",
        weight: Written::AsNumber,
        at_zero: AtZero::LeftOut,
        theirs: r#"{"weighted": {"services": [{"name": "theirs", "port": 80, "weight": 1}]}}"#,
        missing: "TraefikService of traefik.io/v1alpha1 or traefik.containo.us/v1alpha1; install the CRDs of Traefik",
    }
}

/// Traefik 3.
pub static TRAEFIK: System = System {
    site: Some(ingress_route),
    entrance: ("http://traefik.traefik/", "{apex}.example.com"),
    ..System::named(
        "traefik",
        cluster::System::Traefik(&["traefik.io"]),
        Some(route(("/apis/traefik.io/v1alpha1", "traefikservices"), "traefikservices.traefik.io")),
    )
};

/// Traefik 2, under the group of the guide.
pub static TRAEFIK_CONTAINO: System = System {
    provider: "traefik",
    flags: &["-traefik-api-group=traefik.containo.us"],
    entrance: ("http://traefik.traefik/", "app.example.com"),
    ..System::named(
        "traefik.containo.us",
        cluster::System::Traefik(&["traefik.containo.us"]),
        Some(route(
            ("/apis/traefik.containo.us/v1alpha1", "traefikservices"),
            "traefikservices.traefik.containo.us",
        )),
    )
};

/// How clients of the ingress reach an apex.
fn ingress_route(apex: &str) -> Value {
    json!({
        "apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute", "metadata": {"name": apex},
        "spec": {"entryPoints": ["web"], "routes": [{
            "match": format!("Host(`{apex}.example.com`)"), "kind": "Rule",
            "services": [{"name": apex, "kind": "TraefikService", "port": 80}],
        }]},
    })
}

/// “Traefik Canary Deployments”.
pub(super) static GUIDE: Guide = Guide {
    name: "traefik",
    title: "Traefik Canary Deployments",
    system: &TRAEFIK_CONTAINO,
    manifests: manifests!("traefik":
        "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-ingressroute.yaml", "podinfo-canary.yaml",
        "podinfo-metric-template.yaml"),
    images: Images {
        good: "stefanprodan/podinfo:4.0.6",
        crashing: "stefanprodan/podinfo:4.0.7",
        bad: "stefanprodan/podinfo:bad-4.0.8",
    },
    ..Guide::USUAL
};
