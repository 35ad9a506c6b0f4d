//! The built-in queries of every system on the series of real traffic: does each say what happened to the canary?

mod products;

use std::time::Duration;

use self::products::{APISIX, ISTIO, KUBERNETES, KUMA, KUMA_3, Product, SMI_ISTIO, TRAEFIK};
use super::{deployment, pass, rolled_out};
use crate::{Cluster, Load, Settings};
use vexil_testbed_promql::QueryValue;

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

/// A Service whose port the meshes know to speak HTTP.
fn service(name: &str, app: &str) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: test, annotations: {{80.service.kuma.io/protocol: http}}}}
spec: {{selector: {{app: {app}}}, ports: [{{name: http, port: 80, targetPort: http}}]}}
"
    )
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
    let tallies =
        format!("{:?}: {:?}", product.system, clients.iter().map(|load| load.tally()).collect::<Vec<_>>());
    let seen = |bad: f64, good: f64| match (canary, primary) {
        (Pods::Bad, Pods::Good) | (Pods::Good, Pods::Bad) if product.sees_both => (bad + good) / 2.0,
        (Pods::Bad, _) => bad,
        (Pods::Good, _) => good,
    };
    let success = value(&cluster, product.success_rate).unwrap();
    assert!((success - seen(80.0, 100.0)).abs() < 0.5, "{success} % {tallies}");
    let duration = value(&cluster, product.duration).unwrap() * product.unit_ms;
    let (least, most) = if seen(1.0, 0.0) > 0.0 { product.slow_ms } else { (0.0, product.at_once_ms) };
    assert!(least <= duration && duration <= most, "{duration} ms {tallies}");
}

/// Who is bad must be seen, and only where it concerns the query.
async fn check_all(product: Product) {
    check(&product, Pods::Good, Pods::Good).await;
    check(&product, Pods::Good, Pods::Bad).await;
    check(&product, Pods::Bad, Pods::Good).await;
}

#[tokio::test(start_paused = true)]
async fn traefik_measures_the_canarys_success_rate_and_duration() {
    check_all(TRAEFIK).await;
}

#[tokio::test(start_paused = true)]
async fn apisix_measures_the_routes_success_rate_and_duration() {
    check_all(APISIX).await;
}

#[tokio::test(start_paused = true)]
async fn pods_tell_the_canarys_success_rate_and_duration() {
    check_all(KUBERNETES).await;
}

#[tokio::test(start_paused = true)]
async fn kuma_measures_the_canarys_success_rate_and_duration() {
    check_all(KUMA).await;
    check_all(KUMA_3).await;
}

#[tokio::test(start_paused = true)]
async fn istio_measures_the_canarys_success_rate_and_duration() {
    check_all(SMI_ISTIO).await;
    check_all(ISTIO).await;
}
