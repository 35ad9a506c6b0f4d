//! The cluster as its users meet it, on paused time.

mod rolling;

use std::time::Duration;

use serde_json::Value;

use super::{Cluster, view};

/// A Deployment of the guides' application.
pub(super) fn deployment(name: &str, replicas: u32, image: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: test, labels: {{app: {name}}}}}
spec:
  replicas: {replicas}
  {more}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers: [{{name: podinfod, image: \"{image}\", ports: [{{name: http, containerPort: 9898}}]}}]
"
    )
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
