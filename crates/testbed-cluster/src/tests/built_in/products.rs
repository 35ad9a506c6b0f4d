//! What the built-in queries of each system ask, and a site of that system whose traffic is split in halves.
//!
//! The texts are the built-in queries, rendered for the Canary, target, route and Service `podinfo` in the
//! namespace `test` and an interval of 1m, line breaks and indentation collapsed. (The crate that holds them shows that
//! it renders these; the testbed may not import it.)

use crate::System;

/// A system with a site whose traffic goes half to the primary and half to the canary.
pub(super) struct Product {
    pub system: System,
    /// The route that splits it, as YAML.
    pub route: &'static str,
    /// Where clients send their requests, in equal parts.
    pub clients: &'static [(&'static str, &'static str)],
    pub success_rate: &'static str,
    pub duration: &'static str,
    /// Milliseconds in one of what `duration` answers.
    pub unit_ms: f64,
    /// Whether the queries see both sides and not the canary alone.
    pub sees_both: bool,
    /// The upper bound of the bucket that answers at once are in, in milliseconds.
    pub at_once_ms: f64,
    /// Both bounds of the bucket that answers after 700 ms are in.
    pub slow_ms: (f64, f64),
}

pub(super) const TRAEFIK: Product = Product {
    system: System::Traefik(&["traefik.io"]),
    route: "
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: podinfo, namespace: test}
spec:
  routes: [{match: Host(`app.example.com`), kind: Rule, services: [{name: podinfo, kind: TraefikService, port: 80}]}]
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: podinfo, namespace: test}
spec:
  weighted:
    services:
    - {name: podinfo-primary, namespace: test, port: 80, weight: 50}
    - {name: podinfo-canary, namespace: test, port: 80, weight: 50}
",
    clients: &[("http://traefik.traefik/", "app.example.com")],
    success_rate: r#"sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"test-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd", code!~"5..", le="+Inf" }[1m] ) ) / sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"test-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd", le="+Inf" }[1m] ) ) * 100"#,
    duration: r#"histogram_quantile( 0.99, sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"test-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd" }[1m] ) ) by (le) ) * 1000"#,
    unit_ms: 1.0,
    sees_both: false,
    at_once_ms: 100.0,
    slow_ms: (300.0, 1200.0),
};

pub(super) const APISIX: Product = Product {
    system: System::Apisix,
    route: r#"
apiVersion: apisix.apache.org/v2
kind: ApisixRoute
metadata: {name: podinfo, namespace: test}
spec:
  http:
  - name: method
    match: {hosts: [app.example.com], methods: [GET], paths: ["/*"]}
    backends: [{serviceName: podinfo, servicePort: 80}]
    plugins: [{name: prometheus, enable: true, config: {disable: false, prefer_name: true}}]
---
apiVersion: apisix.apache.org/v2
kind: ApisixRoute
metadata: {name: podinfo-podinfo-canary, namespace: test}
spec:
  http:
  - name: method
    priority: 10000
    match: {hosts: [app.example.com], methods: [GET], paths: ["/*"]}
    backends:
    - {serviceName: podinfo-primary, servicePort: 80, weight: 50}
    - {serviceName: podinfo-canary, servicePort: 80, weight: 50}
    plugins: [{name: prometheus, enable: true, config: {disable: false, prefer_name: true}}]
"#,
    clients: &[("http://apisix-gateway.apisix/", "app.example.com")],
    success_rate: r#"sum( rate( apisix_http_status{ route=~"test_podinfo-podinfo-canary_.+", code!~"5.." }[1m] ) ) / sum( rate( apisix_http_status{ route=~"test_podinfo-podinfo-canary_.+" }[1m] ) ) * 100"#,
    duration: r#"histogram_quantile( 0.99, sum( rate( apisix_http_latency_bucket{ type=~"request", route=~"test_podinfo-podinfo-canary_.+" }[1m] ) ) by (le) )"#,
    unit_ms: 1.0,
    sees_both: true,
    at_once_ms: 1.0,
    slow_ms: (500.0, 1000.0),
};

pub(super) const KUBERNETES: Product = Product {
    system: System::Kubernetes,
    route: "",
    clients: &[
        ("http://podinfo.test/", "podinfo.test"),
        ("http://podinfo-canary.test/", "podinfo-canary.test"),
    ],
    success_rate: r#"sum( rate( http_request_duration_seconds_count{ kubernetes_namespace="test", kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)", status!~"5.*" }[1m] ) ) / sum( rate( http_request_duration_seconds_count{ kubernetes_namespace="test", kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)" }[1m] ) ) * 100"#,
    duration: r#"histogram_quantile( 0.99, sum( rate( http_request_duration_seconds_bucket{ kubernetes_namespace="test", kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)" }[1m] ) ) by (le) )"#,
    unit_ms: 1000.0,
    sees_both: false,
    at_once_ms: 5.0,
    slow_ms: (500.0, 1000.0),
};

const KUMA_SUCCESS: &str = r#"sum( rate( envoy_cluster_upstream_rq{ service=~"podinfo-canary_test_svc_[0-9a-zA-Z-]+", envoy_response_code!~"5.*" }[1m] ) ) / sum( rate( envoy_cluster_upstream_rq{ service=~"podinfo-canary_test_svc_[0-9a-zA-Z-]+", }[1m] ) ) * 100"#;
const KUMA_DURATION: &str = r#"histogram_quantile( 0.99, sum( rate( envoy_cluster_upstream_rq_time_bucket{ service=~"podinfo-canary_test_svc_[0-9a-zA-Z-]+", }[1m] ) ) by (le) )"#;

pub(super) const KUMA: Product = Product {
    system: System::Kuma(&["TrafficRoute"]),
    route: "
apiVersion: kuma.io/v1alpha1
kind: TrafficRoute
mesh: default
metadata: {name: podinfo}
spec:
  sources: [{match: {kuma.io/service: '*'}}]
  destinations: [{match: {kuma.io/service: podinfo_test_svc_80}}]
  conf:
    split:
    - {weight: 50, destination: {kuma.io/service: podinfo-primary_test_svc_80}}
    - {weight: 50, destination: {kuma.io/service: podinfo-canary_test_svc_80}}
",
    clients: &[("http://podinfo.test/", "podinfo.test")],
    success_rate: KUMA_SUCCESS,
    duration: KUMA_DURATION,
    unit_ms: 1.0,
    sees_both: false,
    at_once_ms: 0.5,
    slow_ms: (500.0, 1000.0),
};

pub(super) const KUMA_3: Product = Product {
    system: System::Kuma(&["MeshHTTPRoute"]),
    route: "
apiVersion: kuma.io/v1alpha1
kind: MeshHTTPRoute
metadata: {name: podinfo.test, namespace: kuma-system, labels: {kuma.io/mesh: default}}
spec:
  targetRef: {kind: Mesh}
  to:
  - targetRef: {kind: MeshService, sectionName: http, labels: {kuma.io/display-name: podinfo, k8s.kuma.io/namespace: test}}
    rules:
    - matches: [{path: {type: PathPrefix, value: /}}]
      default:
        backendRefs:
        - {kind: MeshService, port: 80, weight: 50, labels: {kuma.io/display-name: podinfo-primary, k8s.kuma.io/namespace: test}}
        - {kind: MeshService, port: 80, weight: 50, labels: {kuma.io/display-name: podinfo-canary, k8s.kuma.io/namespace: test}}
",
    ..KUMA
};

pub(super) const SMI_ISTIO: Product = Product {
    system: System::SmiIstio(&["v1alpha1"]),
    route: "
apiVersion: split.smi-spec.io/v1alpha1
kind: TrafficSplit
metadata: {name: podinfo, namespace: test}
spec:
  service: podinfo
  backends: [{service: podinfo-canary, weight: '50'}, {service: podinfo-primary, weight: '50'}]
",
    clients: &[("http://podinfo.test/", "podinfo.test")],
    success_rate: r#"sum( rate( istio_requests_total{ reporter="destination", destination_workload_namespace="test", destination_workload=~"podinfo", response_code!~"5.*" }[1m] ) ) / sum( rate( istio_requests_total{ reporter="destination", destination_workload_namespace="test", destination_workload=~"podinfo" }[1m] ) ) * 100"#,
    duration: r#"histogram_quantile( 0.99, sum( rate( istio_request_duration_milliseconds_bucket{ reporter="destination", destination_workload_namespace="test", destination_workload=~"podinfo" }[1m] ) ) by (le) )"#,
    unit_ms: 1.0,
    sees_both: false,
    at_once_ms: 0.5,
    slow_ms: (500.0, 1000.0),
};

pub(super) const ISTIO: Product = Product {
    system: System::Istio,
    route: "
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: podinfo, namespace: test}
spec:
  hosts: [podinfo]
  http:
  - route:
    - {destination: {host: podinfo-primary}, weight: 50}
    - {destination: {host: podinfo-canary}, weight: 50}
",
    ..SMI_ISTIO
};
