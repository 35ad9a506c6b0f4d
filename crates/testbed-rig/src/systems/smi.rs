//! The Service Mesh Interface: a TrafficSplit in three versions, and Istio's adapter, which makes Istio's routes of it.

use serde_json::json;
use vexil_testbed_cluster as cluster;

use super::{System, manifests};
use crate::{
    api::Resource,
    cast::in_namespace,
    guide::{Guide, Images},
    route::{AtZero, RouteKind, Written},
};

const fn route(of: Resource, weight: Written, missing: &'static str) -> RouteKind {
    RouteKind {
        of,
        kind: "TrafficSplit",
        definition: "trafficsplits.split.smi-spec.io",
        place: in_namespace,
        lists: "/spec/backends",
        service: "/service",
        weight,
        at_zero: AtZero::Listed,
        theirs: r#"{"service": "theirs", "backends": []}"#,
        missing,
    }
}

/// A TrafficSplit with weights as texts.
pub(super) const V1ALPHA1: RouteKind = route(
    ("/apis/split.smi-spec.io/v1alpha1", "trafficsplits"),
    Written::AsText,
    "TrafficSplit of split.smi-spec.io/v1alpha1; install the CRDs of the Service Mesh Interface",
);
const V1ALPHA2: RouteKind = route(
    ("/apis/split.smi-spec.io/v1alpha2", "trafficsplits"),
    Written::AsNumber,
    "TrafficSplit of split.smi-spec.io/v1alpha2; install the CRDs of the Service Mesh Interface",
);
const V1ALPHA3: RouteKind = route(
    ("/apis/split.smi-spec.io/v1alpha3", "trafficsplits"),
    Written::AsNumber,
    "TrafficSplit of split.smi-spec.io/v1alpha3; install the CRDs of the Service Mesh Interface",
);

const fn system(provider: &'static str, versions: &'static [&'static str], route: RouteKind) -> System {
    System::named(provider, cluster::System::SmiIstio(versions), Some(route))
}

/// Weights as texts.
pub static SMI_V1ALPHA1: System = system("smi:v1alpha1", &["v1alpha1"], V1ALPHA1);
/// Weights as numbers.
pub static SMI_V1ALPHA2: System = system("smi:v1alpha2", &["v1alpha2"], V1ALPHA2);
/// As v1alpha2.
pub static SMI_V1ALPHA3: System = system("smi:v1alpha3", &["v1alpha3"], V1ALPHA3);

/// Istio's adapter, as its guide has it: the provider is the operator's flag, and the gateways go with the split. The
/// Canary names a gateway and not the mesh, so that only what comes through the gateway is split.
pub static SMI_ISTIO: System = System {
    by_flag: true,
    spec: |_| {
        json!({"service": {
            "gateways": ["public-gateway.istio-system.svc.cluster.local"],
            "hosts": ["app.example.com"],
        }})
    },
    entrance: ("http://istio-ingressgateway.istio-system/", "app.example.com"),
    ..system("smi:istio", &["v1alpha1"], V1ALPHA1)
};

/// “SMI Istio Canary Deployments”: the Canary is written for `v1alpha3`.
pub(super) static GUIDE: Guide = Guide {
    name: "smi-istio",
    title: "SMI Istio Canary Deployments",
    system: &SMI_ISTIO,
    manifests: manifests!("smi-istio":
        "public-gateway.yaml", "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-canary.yaml"),
    images: Images {
        good: "quay.io/stefanprodan/podinfo:1.7.1",
        crashing: "quay.io/stefanprodan/podinfo:1.7.2",
        bad: "quay.io/stefanprodan/podinfo:bad-1.7.3",
    },
    ..Guide::USUAL
};
