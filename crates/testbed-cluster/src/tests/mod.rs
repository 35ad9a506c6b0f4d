//! The cluster as its users meet it, on paused time.

mod apisix;
mod built_in;
mod knative;
mod mesh;
mod pods;
mod process;
mod rolling;
mod scalers;
mod scraped;
mod sockets;
mod systems;
mod traffic;

use std::time::Duration;

use serde_json::Value;

use super::{Cluster, view};

/// A Deployment of the guides' application. `more` are further lines of its spec, `env` entries of its environment.
pub(super) fn deployment(name: &str, replicas: u32, image: &str, more: &str, env: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: test, labels: {{app: {name}}}}}
spec:
  replicas: {replicas}
  {more}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}}}
      annotations: {{prometheus.io/scrape: \"true\", prometheus.io/port: \"9797\"}}
    spec:
      containers:
      - name: podinfod
        image: \"{image}\"
        ports: [{{name: http, containerPort: 9898}}, {{name: http-metrics, containerPort: 9797}}]
        env: [{env}]
"
    )
}

/// A Service on port 80 of the pods of a Deployment.
pub(super) fn service(name: &str, app: &str) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: test}}
spec: {{selector: {{app: {app}}}, ports: [{{name: http, port: 80, targetPort: http}}]}}
"
    )
}

/// Primary and canary with their Services, and an IngressRoute for `app.example.com`.
pub(super) async fn site(cluster: &Cluster, canary: &str, env: &str) {
    let parts = [
        deployment("podinfo-primary", 2, "podinfo:6.0.0", "", ""),
        deployment("podinfo", 2, &format!("podinfo:{canary}"), "", env),
        service("podinfo-primary", "podinfo-primary"),
        service("podinfo-canary", "podinfo"),
        "apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: podinfo, namespace: test}
spec:
  entryPoints: [web]
  routes:
  - {match: Host(`app.example.com`), kind: Rule, services: [{name: podinfo, kind: TraefikService, port: 80}]}
"
        .to_owned(),
    ];
    cluster.apply_yaml(&parts.join("---\n")).await.unwrap();
}

/// Splits the site's traffic; `None` leaves the canary out.
pub(super) async fn split(cluster: &Cluster, primary: u32, canary: Option<u32>) {
    let canary = canary
        .map(|weight| format!(", {{name: podinfo-canary, namespace: test, port: 80, weight: {weight}}}"));
    let route = format!(
        "apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {{name: podinfo, namespace: test}}
spec: {{weighted: {{services: [{{name: podinfo-primary, namespace: test, port: 80, weight: {primary}}}{}]}}}}
",
        canary.unwrap_or_default()
    );
    cluster.apply_yaml(&route).await.unwrap();
}

pub(super) async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

pub(super) async fn live(cluster: &Cluster, name: &str) -> Value {
    cluster.get("apps/v1", "Deployment", "test", name).await.unwrap().unwrap()
}

/// Waits until a Deployment has rolled out.
pub(super) async fn rolled_out(cluster: &Cluster, name: &str) {
    let done = async |cluster: &Cluster| {
        let live = live(cluster, name).await;
        let count = |field: &str| view::number(&live, &format!("/status/{field}"), 0);
        let wanted = view::number(&live, "/spec/replicas", 1);
        count("observedGeneration") == view::generation(&live)
            && [count("replicas"), count("updatedReplicas"), count("availableReplicas")] == [wanted; 3]
    };
    cluster.run_until(Duration::from_secs(60), done).await.unwrap();
}
