//! The Gateway API: clients come through a Gateway, which reads an HTTPRoute.

use serde_json::{Value, json};
use vexil_testbed_cluster as cluster;

use super::{System, manifests};
use crate::{
    api::Resource,
    cast::in_namespace,
    guide::{Guide, Images},
    route::{AtZero, RouteKind, Written},
};

const GATEWAYS: Resource = ("/apis/gateway.networking.k8s.io/v1", "gateways");

/// What it reads.
pub(super) const HTTP_ROUTE: RouteKind = RouteKind {
    of: ("/apis/gateway.networking.k8s.io/v1", "httproutes"),
    kind: "HTTPRoute",
    definition: "httproutes.gateway.networking.k8s.io",
    place: in_namespace,
    lists: "/spec/rules/*/backendRefs",
    service: "/name",
    weight: Written::AsNumber,
    at_zero: AtZero::Listed,
    theirs: r#"{"rules": [{"backendRefs": [{"name": "theirs", "port": 80}]}]}"#,
    missing: "HTTPRoute of gateway.networking.k8s.io/v1 or gateway.networking.k8s.io/v1beta1; install the \
              CRDs of the Gateway API",
};

const SYSTEM: System = System {
    provider: "gatewayapi:v1",
    spec: |cast| {
        let parent = json!({"name": "public", "namespace": "gateway-system"});
        json!({"service": {"gatewayRefs": [parent], "hosts": [format!("{}.example.com", cast.apex)]}})
    },
    entrance: ("http://gateway.gateway-system/", "{apex}.example.com"),
    ..System::named("gateway-api", cluster::System::GatewayApi(&[]), Some(HTTP_ROUTE))
};

/// A gateway that knows the kinds of version 1.
pub static GATEWAY_API: System = SYSTEM;

/// The same with a Gateway in the namespace of the Canary, which its user makes.
pub static GATEWAY_API_ALONE: System = System {
    definitions: &["gateways.gateway.networking.k8s.io", "grpcroutes.gateway.networking.k8s.io"],
    spec: |cast| json!({"service": {"gatewayRefs": [{"name": "public"}], "hosts": [format!("{}.test", cast.apex)]}}),
    before: |_| vec![(GATEWAYS, gateway())],
    ..SYSTEM
};

fn gateway() -> Value {
    let listener = json!({"name": "http", "port": 80, "protocol": "HTTP"});
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "public"},
        "spec": {"gatewayClassName": "testbed", "listeners": [listener]},
    })
}

/// The guide's, with the domain that all guides have.
static SITE: System = System { entrance: ("http://gateway.gateway-system/", "app.example.com"), ..SYSTEM };

/// “Gateway API Canary Deployments”: clients and the load test come through the Gateway.
pub(super) static GUIDE: Guide = Guide {
    name: "gateway-api",
    title: "Gateway API Canary Deployments",
    system: &SITE,
    manifests: manifests!("gateway-api":
        "public-gateway.yaml", "namespace.yaml", "podinfo.yaml", "loadtester.yaml", "podinfo-canary.yaml"),
    images: Images {
        good: "ghcr.io/stefanprodan/podinfo:6.0.1",
        crashing: "ghcr.io/stefanprodan/podinfo:6.0.3",
        bad: "ghcr.io/stefanprodan/podinfo:bad-6.0.2",
    },
    ..Guide::USUAL
};
