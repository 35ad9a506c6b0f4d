//! Requests between Services of a mesh: how its sidecars split them, and what its product's series say of them.

mod istio;
mod kuma;
mod linkerd;
mod smi;

use std::time::Duration;

use super::{deployment, rolled_out};
use crate::{Cluster, Load, Settings, System, Tally};
use vexil_testbed_promql::QueryValue;

const APEX: &str = "http://podinfo.test:9898/";
const CANARY: &str = "http://podinfo-canary.test:9898/";

/// A Service as the guide of Kuma has it; other meshes pass over its annotation.
fn service(name: &str, app: &str) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: test, annotations: {{9898.service.kuma.io/protocol: http}}}}
spec: {{selector: {{app: {app}}}, ports: [{{name: http, port: 9898, targetPort: http}}]}}
"
    )
}

/// Primary and canary with their three Services, in a cluster with a mesh. No route is there.
async fn site(system: System, canary: &str, env: &str) -> Cluster {
    let cluster = Cluster::with(Settings { system, ..Settings::default() }).await.unwrap();
    let parts = [
        deployment("podinfo-primary", 2, "podinfo:6.0.0", "", ""),
        deployment("podinfo", 2, &format!("podinfo:{canary}"), "", env),
        service("podinfo", "podinfo-primary"),
        service("podinfo-primary", "podinfo-primary"),
        service("podinfo-canary", "podinfo"),
    ];
    cluster.apply_yaml(&parts.join("---\n")).await.unwrap();
    rolled_out(&cluster, "podinfo-primary").await;
    pass(1.5).await;
    cluster
}

async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

async fn requests(cluster: &Cluster, url: &str, count: u64) -> Tally {
    cluster.load(Load::new(url).per_second(500).requests(count)).finished().await
}

/// What the sidecars do with a hundred requests for the apex: shares of the canary and of answers with 503 in percent.
async fn shares(cluster: &Cluster) -> (u64, u64) {
    let tally = requests(cluster, APEX, 100).await;
    let count = |status| tally.by_status.get(&status).copied().unwrap_or(0);
    assert_eq!(count(200) + count(503), 100, "{tally:?}");
    (tally.by_version.get("6.0.1").copied().unwrap_or(0), count(503))
}

/// The value of a query; `None` when it has none.
fn value(cluster: &Cluster, query: &str) -> Option<f64> {
    match cluster.query(query).unwrap() {
        QueryValue::Vector { elements, .. } => elements.first().map(|element| element.value),
        other => panic!("{other:?}"),
    }
}

/// What two queries answer after a minute of requests of which the canary gets half.
async fn measured(cluster: &Cluster, success: &str, duration: &str) -> (Option<f64>, Option<f64>) {
    cluster.load(Load::new(APEX).per_second(20).lasting(Duration::from_secs(60))).finished().await;
    (value(cluster, success), value(cluster, duration))
}

/// Whether a value is near another one, as `rate` makes it.
fn near(value: Option<f64>, expect: f64) -> bool {
    value.is_some_and(|value| (value - expect).abs() < 1.0)
}

/// Whether a P99 in milliseconds is within the bucket that its requests fall in. In seconds it would be below.
fn within(value: Option<f64>, least: f64, most: f64) -> bool {
    value.is_some_and(|value| value > least && value <= most)
}

const SLOW: &str = "{name: LATENCY_MS, value: \"700\"}";
const FAULTY: &str = "{name: ERROR_RATE, value: \"20\"}";
const DEAD: &str = "{name: ERROR_RATE, value: \"100\"}";

/// What success rate and P99 the queries of a product answer about a canary with this image and environment.
async fn check_queries(canary_of: impl AsyncFn(&str, &str) -> (Option<f64>, Option<f64>)) {
    let (success, duration) = canary_of("6.0.1", "").await;
    assert_eq!(success, Some(100.0));
    assert!(within(duration, 0.0, 0.5), "{duration:?}");
    let (success, duration) = canary_of("6.0.1", FAULTY).await;
    assert!(near(success, 80.0), "{success:?}");
    assert!(within(duration, 0.0, 0.5), "{duration:?}");
    let (success, duration) = canary_of("6.0.1", SLOW).await;
    assert!(near(success, 100.0), "{success:?}");
    assert!(within(duration, 500.0, 1000.0), "{duration:?}");
    let (success, _) = canary_of("6.0.1", DEAD).await;
    assert_eq!(success, None, "a sum of no series has no value");
}
