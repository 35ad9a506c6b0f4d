//! The built-in queries of every system on the series of real traffic: does each say what happened to the canary?
//!
//! The texts are those of `metrics.md` 2.2, rendered for the Canary, target, route and Service `podinfo` in the
//! namespace `test` and an interval of 1m, line breaks and indentation collapsed. (The crate that holds them shows that
//! it renders these; the testbed may not import it.)

use std::time::Duration;

use super::{deployment, pass, rolled_out, service};
use crate::promql::QueryValue;
use crate::world::{Cluster, Load, Settings, System};

/// A system with a site whose traffic goes half to the primary and half to the canary.
struct Product {
    system: System,
    /// The route that splits it, as YAML.
    route: &'static str,
    /// Where clients send their requests, in equal parts.
    clients: &'static [(&'static str, &'static str)],
    success_rate: &'static str,
    duration: &'static str,
    /// Milliseconds in one of what `duration` answers.
    unit_ms: f64,
    /// Whether the queries see both sides and not the canary alone.
    sees_both: bool,
    /// The buckets in which answers at once and answers after 700 ms lie, as upper and both bounds in milliseconds.
    at_once_ms: f64,
    slow_ms: (f64, f64),
}

const TRAEFIK: Product = Product {
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

const APISIX: Product = Product {
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

const KUBERNETES: Product = Product {
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

/// How the pods of one side behave.
#[derive(Clone, Copy)]
enum Pods {
    Good,
    /// Every fifth request fails, and all take 700 ms.
    Bad,
}

impl Pods {
    fn env(self) -> &'static str {
        match self {
            Pods::Good => "",
            Pods::Bad => "{name: ERROR_RATE, value: \"20\"}, {name: LATENCY_MS, value: \"700\"}",
        }
    }
}

async fn site(product: &Product, primary: Pods, canary: Pods) -> Cluster {
    let cluster = Cluster::with(Settings { system: product.system, ..Settings::default() }).await.unwrap();
    let parts = [
        deployment("podinfo-primary", 2, "podinfo:6.0.0", "", primary.env()),
        deployment("podinfo", 2, "podinfo:6.0.1", "", canary.env()),
        service("podinfo", "podinfo-primary"),
        service("podinfo-primary", "podinfo-primary"),
        service("podinfo-canary", "podinfo"),
        product.route.to_owned(),
    ];
    cluster.apply_yaml(&parts.join("---\n")).await.unwrap();
    rolled_out(&cluster, "podinfo-primary").await;
    rolled_out(&cluster, "podinfo").await;
    pass(1.5).await;
    cluster
}

/// The one value that a query answers; `None` when there is none.
fn value(cluster: &Cluster, query: &str) -> Option<f64> {
    match cluster.query(query).unwrap() {
        QueryValue::Vector { elements, .. } => {
            assert!(elements.len() < 2, "{elements:?}");
            elements.first().map(|element| element.value)
        }
        other => panic!("{other:?}"),
    }
}

/// Sends 40 requests per second for longer than the queries look back, and compares their answers with what the pods
/// did to the requests.
async fn check(product: &Product, primary: Pods, canary: Pods) {
    let cluster = site(product, primary, canary).await;
    assert_eq!(value(&cluster, product.success_rate), None, "there was no traffic yet");
    let rate = 40 / u32::try_from(product.clients.len()).unwrap();
    let clients: Vec<_> = product
        .clients
        .iter()
        .map(|(url, host)| {
            let load = Load::new(url).host(*host).per_second(rate).lasting(Duration::from_secs(75));
            cluster.load(load)
        })
        .collect();
    pass(70.0).await;
    let told =
        format!("{:?}: {:?}", product.system, clients.iter().map(|load| load.tally()).collect::<Vec<_>>());
    let seen = |bad: f64, good: f64| match (canary, primary) {
        (Pods::Bad, Pods::Good) | (Pods::Good, Pods::Bad) if product.sees_both => (bad + good) / 2.0,
        (Pods::Bad, _) => bad,
        (Pods::Good, _) => good,
    };
    let success = value(&cluster, product.success_rate).unwrap();
    assert!((success - seen(80.0, 100.0)).abs() < 0.5, "{success} % {told}");
    let duration = value(&cluster, product.duration).unwrap() * product.unit_ms;
    let (least, most) = if seen(1.0, 0.0) > 0.0 { product.slow_ms } else { (0.0, product.at_once_ms) };
    assert!(least <= duration && duration <= most, "{duration} ms {told}");
}

async fn check_all(product: Product) {
    check(&product, Pods::Good, Pods::Good).await;
    check(&product, Pods::Good, Pods::Bad).await;
    check(&product, Pods::Bad, Pods::Good).await;
}

#[tokio::test(start_paused = true)]
async fn traefik_tells_the_canarys_success_rate_and_duration() {
    check_all(TRAEFIK).await;
}

#[tokio::test(start_paused = true)]
async fn apisix_tells_the_routes_success_rate_and_duration() {
    check_all(APISIX).await;
}

#[tokio::test(start_paused = true)]
async fn pods_tell_the_canarys_success_rate_and_duration() {
    check_all(KUBERNETES).await;
}
