//! What is installed of each system, and how it is started.

use std::sync::Arc;

use super::{DOMAIN, GATEWAY, METRIC_SERVER};
use crate::gateway::{
    self, Gateway, apisix, envoy, gateway_api, istio, knative, kuma, linkerd, nginx, pair, skipper, smi,
    traefik,
};
use crate::network::Network;

/// What is installed of a system.
pub(super) struct Entry {
    /// Texts of its CustomResourceDefinitions.
    pub(super) definitions: &'static [&'static str],
    /// Further ones, which are there whatever of the others is served.
    pub(super) always: &'static [&'static str],
    /// Namespaces of the product and of the operator beside it. In the first of them the guide installs the operator.
    pub(super) namespaces: &'static [&'static str],
    /// Objects that the product's installation makes, with their own definitions.
    pub(super) objects: &'static str,
    /// Where requests from outside arrive.
    pub(super) gateway: Option<&'static str>,
    /// Name and port of the metric server.
    pub(super) metric_server: &'static str,
    /// Starts what splits the traffic, and puts it in its place on the network.
    pub(super) start: fn(&Network) -> Arc<dyn Gateway>,
}

pub(super) const TRAEFIK: Entry = Entry {
    definitions: &[
        include_str!("../../crds/traefik.io.yaml"),
        include_str!("../../crds/traefik.containo.us.yaml"),
    ],
    always: &[],
    namespaces: &["traefik"],
    objects: "",
    gateway: Some(GATEWAY),
    metric_server: METRIC_SERVER,
    start: |network| {
        let gateway = Arc::new(traefik::Traefik::new(network.clone()));
        network.register(GATEWAY, Arc::clone(&gateway) as _);
        network.register(DOMAIN, Arc::clone(&gateway) as _);
        gateway
    },
};

pub(super) const APISIX: Entry = Entry {
    definitions: &[include_str!("../../crds/apisix.apache.org.yaml")],
    always: &[],
    namespaces: &["apisix"],
    objects: "",
    gateway: Some("apisix-gateway.apisix"),
    metric_server: "flagger-prometheus.apisix:9090",
    start: |network| {
        let gateway = Arc::new(apisix::Apisix::new(network.clone()));
        network.register("apisix-gateway.apisix", Arc::clone(&gateway) as _);
        network.register(DOMAIN, Arc::clone(&gateway) as _);
        gateway
    },
};

pub(super) const NGINX: Entry = Entry {
    definitions: &[],
    always: &[],
    namespaces: &["ingress-nginx"],
    objects: "",
    gateway: Some(nginx::NAME),
    metric_server: "flagger-prometheus.ingress-nginx:9090",
    start: |network| {
        let gateway = Arc::new(nginx::Nginx::new(network.clone()));
        network.register(nginx::NAME, Arc::clone(&gateway) as _);
        network.register(DOMAIN, Arc::clone(&gateway) as _);
        gateway
    },
};

pub(super) const CONTOUR: Entry = Entry {
    definitions: &[include_str!("../../crds/projectcontour.io.yaml")],
    always: &[],
    namespaces: &["projectcontour"],
    objects: "",
    gateway: Some(envoy::contour::NAME),
    metric_server: "flagger-prometheus.projectcontour:9090",
    start: |network| {
        let gateway = Arc::new(envoy::Envoy::new(&envoy::contour::CONTOUR, network.clone()));
        network.register(envoy::contour::NAME, Arc::clone(&gateway) as _);
        network.register(DOMAIN, Arc::clone(&gateway) as _);
        gateway
    },
};

pub(super) const GLOO: Entry = Entry {
    definitions: &[include_str!("../../crds/solo.io.yaml")],
    always: &[],
    namespaces: &["gloo-system"],
    objects: "",
    gateway: Some(envoy::gloo::NAME),
    metric_server: "flagger-prometheus.gloo-system:9090",
    start: |network| {
        let gateway = Arc::new(envoy::Envoy::new(&envoy::gloo::GLOO, network.clone()));
        network.register(envoy::gloo::NAME, Arc::clone(&gateway) as _);
        network.register(DOMAIN, Arc::clone(&gateway) as _);
        gateway
    },
};

pub(super) const KNATIVE: Entry = Entry {
    definitions: &[include_str!("../../crds/serving.knative.dev.yaml")],
    always: &[],
    namespaces: &["flagger-system", "knative-serving", "kourier-system"],
    objects: "",
    gateway: Some(knative::NAME),
    metric_server: "flagger-prometheus.flagger-system:9090",
    start: |network| {
        let gateway = Arc::new(knative::Knative::new(network.clone()));
        network.register(knative::NAME, gateway.handler());
        network.register(DOMAIN, gateway.handler());
        gateway
    },
};

pub(super) const SKIPPER: Entry = Entry {
    definitions: &[],
    always: &[],
    namespaces: &["kube-system"],
    objects: "",
    gateway: Some(skipper::NAME),
    metric_server: "flagger-prometheus.kube-system:9090",
    start: |network| {
        let gateway = Arc::new(skipper::Skipper::new(network.clone()));
        network.register(skipper::NAME, Arc::clone(&gateway) as _);
        network.register(DOMAIN, Arc::clone(&gateway) as _);
        gateway
    },
};

const GATEWAY_API_OBJECTS: &str = r#"
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: gateway-system}
spec: {gatewayClassName: testbed, listeners: [{name: http, port: 80, protocol: HTTP}]}
"#;

pub(super) const GATEWAY_API: Entry = Entry {
    definitions: &[include_str!("../../crds/gateway.networking.k8s.io.yaml")],
    always: &[],
    namespaces: &["gateway-system"],
    objects: GATEWAY_API_OBJECTS,
    gateway: Some(gateway_api::NAME),
    metric_server: "flagger-prometheus.gateway-system:9090",
    start: |network| {
        let gateway = Arc::new(gateway_api::GatewayApi::new(network.clone()));
        network.register(gateway_api::NAME, Arc::clone(&gateway) as _);
        network.register(DOMAIN, Arc::clone(&gateway) as _);
        gateway
    },
};

pub(super) const NGINX_AND_GATEWAY_API: Entry = Entry {
    namespaces: &["ingress-nginx", "gateway-system"],
    gateway: NGINX.gateway,
    metric_server: NGINX.metric_server,
    start: |network| {
        let new = (GATEWAY_API.start)(network);
        // The domain still leads to the old one.
        Arc::new(pair::Pair((NGINX.start)(network), new))
    },
    ..GATEWAY_API
};

/// The mesh that Kuma makes, and the route of its own that it had until 2.6.
const KUMA_OBJECTS: &str = r#"
{apiVersion: v1, kind: Namespace, metadata: {name: test, labels: {kuma.io/sidecar-injection: enabled}}}
---
apiVersion: kuma.io/v1alpha1
kind: Mesh
metadata: {name: default}
spec: {metrics: {enabledBackend: prometheus-1, backends: [{name: prometheus-1, type: prometheus}]}}
---
apiVersion: kuma.io/v1alpha1
kind: TrafficRoute
mesh: default
metadata: {name: route-all-default}
spec:
  sources: [{match: {kuma.io/service: "*"}}]
  destinations: [{match: {kuma.io/service: "*"}}]
  conf: {destination: {kuma.io/service: "*"}}
"#;

pub(super) const KUMA: Entry = Entry {
    definitions: &[include_str!("../../crds/kuma.io.yaml")],
    always: &[include_str!("../../crds/kuma.io-mesh.yaml")],
    namespaces: &["kuma-system", "mesh-observability"],
    objects: KUMA_OBJECTS,
    gateway: None,
    metric_server: "prometheus-server.mesh-observability:80",
    start: kuma::start,
};

const ISTIO_OBJECTS: &str =
    "{apiVersion: v1, kind: Namespace, metadata: {name: test, labels: {istio-injection: enabled}}}";

pub(super) const ISTIO: Entry = Entry {
    definitions: &[include_str!("../../crds/networking.istio.io-routes.yaml")],
    always: &[include_str!("../../crds/networking.istio.io.yaml")],
    namespaces: &["istio-system"],
    objects: ISTIO_OBJECTS,
    gateway: Some(istio::INGRESS),
    metric_server: "prometheus.istio-system:9090",
    start: istio::start,
};

pub(super) const SMI_ISTIO: Entry = Entry {
    definitions: &[include_str!("../../crds/split.smi-spec.io.yaml")],
    always: &[include_str!("../../crds/networking.istio.io.yaml")],
    namespaces: &["istio-system"],
    objects: ISTIO_OBJECTS,
    gateway: Some(istio::INGRESS),
    metric_server: "prometheus.istio-system:9090",
    start: smi::start,
};

const LINKERD_OBJECTS: &str =
    "{apiVersion: v1, kind: Namespace, metadata: {name: test, annotations: {linkerd.io/inject: enabled}}}";

pub(super) const LINKERD: Entry = Entry {
    definitions: &[
        include_str!("../../crds/split.smi-spec.io.yaml"),
        include_str!("../../crds/gateway.networking.k8s.io.yaml"),
    ],
    always: &[],
    namespaces: &["flagger-system", "linkerd-viz"],
    objects: LINKERD_OBJECTS,
    gateway: None,
    metric_server: "prometheus.linkerd-viz:9090",
    start: linkerd::start,
};

pub(super) const KUBERNETES: Entry = Entry {
    definitions: &[],
    always: &[],
    namespaces: &["flagger-system"],
    objects: "",
    gateway: None,
    metric_server: "flagger-prometheus.flagger-system:9090",
    start: |_| Arc::new(gateway::Nothing),
};
