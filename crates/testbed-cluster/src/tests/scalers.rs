//! What scales Deployments: HorizontalPodAutoscalers, and KEDA's definition.

use std::time::Duration;

use serde_json::{Value, json};

use super::{deployment, live};
use crate::{Cluster, KEDA, view};

/// An HPA as the guides have it.
fn scaler(name: &str, target: &str, least: u32, most: u32) -> String {
    format!(
        "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {name}, namespace: test}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {target}}}
  minReplicas: {least}
  maxReplicas: {most}
  metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 99}}}}}}]
"
    )
}

async fn cluster(manifests: &[String]) -> Cluster {
    let cluster = Cluster::start().await.unwrap();
    cluster.apply_yaml(&manifests.join("---\n")).await.unwrap();
    pass(0.5).await;
    cluster
}

async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

async fn ask(cluster: &Cluster, replicas: i64) {
    let body = json!({"spec": {"replicas": replicas}});
    cluster.merge(("apps/v1", "Deployment"), ("test", "podinfo"), &body).await.unwrap();
}

async fn replicas(cluster: &Cluster) -> i64 {
    view::number(&live(cluster, "podinfo").await, "/spec/replicas", -1)
}

async fn status(cluster: &Cluster, name: &str) -> Value {
    let kind = "HorizontalPodAutoscaler";
    cluster.get("autoscaling/v2", kind, "test", name).await.unwrap().unwrap()
}

fn reason(scaler: &Value, condition: &str) -> String {
    let found = view::condition(scaler, condition);
    found.map_or_else(String::new, |found| {
        format!("{} {}", view::text(found, "/status"), view::text(found, "/reason"))
    })
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_keeps_its_bounds_but_leaves_zero_alone() {
    let of = [scaler("podinfo", "podinfo", 2, 4), deployment("podinfo", 1, "podinfo:1", "", "")];
    let cluster = cluster(&of).await;
    for (asked, kept, active) in [
        (1, 2, "False FailedGetResourceMetric"),
        (9, 4, "False FailedGetResourceMetric"),
        (3, 3, "False FailedGetResourceMetric"),
        (0, 0, "False ScalingDisabled"),
        (1, 2, "False FailedGetResourceMetric"),
    ] {
        ask(&cluster, asked).await;
        pass(0.5).await;
        assert_eq!(replicas(&cluster).await, kept, "asked {asked}");
        let scaler = status(&cluster, "podinfo").await;
        assert_eq!(reason(&scaler, "AbleToScale"), "True SucceededGetScale", "asked {asked}");
        assert_eq!(reason(&scaler, "ScalingActive"), active, "asked {asked}");
        assert_eq!(view::number(&scaler, "/status/desiredReplicas", -1), kept, "asked {asked}");
        assert_eq!(view::number(&scaler, "/status/currentReplicas", 0), kept, "asked {asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_without_its_target_says_so_and_begins_when_it_exists() {
    let cluster = cluster(&[scaler("podinfo", "podinfo", 2, 4)]).await;
    let scaler = status(&cluster, "podinfo").await;
    assert_eq!(reason(&scaler, "AbleToScale"), "False FailedGetScale");
    cluster.apply_yaml(&deployment("podinfo", 1, "podinfo:1", "", "")).await.unwrap();
    pass(0.5).await;
    assert_eq!(replicas(&cluster).await, 2);
}

#[tokio::test(start_paused = true)]
async fn two_autoscalers_of_one_target_undo_each_other_at_their_own_pace() {
    let cluster = cluster(&[
        scaler("few", "podinfo", 1, 2),
        scaler("many", "podinfo", 5, 9),
        deployment("podinfo", 5, "podinfo:1", "", ""),
    ])
    .await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(replicas(&cluster).await);
        pass(15.0).await;
    }
    assert!(seen.iter().all(|count| [2, 5].contains(count)), "{seen:?}");
    let writes = cluster
        .server()
        .audit()
        .count(|entry| entry.is_write() && entry.resource == "deployments" && entry.name == "podinfo");
    assert!(writes < 60, "{writes} writes, {seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_scaled_object_keeps_what_keda_knows_and_loses_the_rest() {
    let cluster = cluster(&[KEDA.to_owned()]).await;
    let object = "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: podinfo, namespace: test}
spec:
  scaleTargetRef: {name: podinfo}
  minReplicaCount: 1
  maxReplicas: 3
  triggers:
  - {type: prometheus, name: prom, metadata: {serverAddress: http://x, query: up, anything: goes}, misspelt: 1}
";
    cluster.apply_yaml(object).await.unwrap();
    let live = cluster.get("keda.sh/v1alpha1", "ScaledObject", "test", "podinfo").await.unwrap().unwrap();
    let metadata = json!({"serverAddress": "http://x", "query": "up", "anything": "goes"});
    let trigger = json!({"type": "prometheus", "name": "prom", "metadata": metadata});
    let expect = json!({"scaleTargetRef": {"name": "podinfo"}, "minReplicaCount": 1, "triggers": [trigger]});
    assert_eq!(live["spec"], expect);
}
