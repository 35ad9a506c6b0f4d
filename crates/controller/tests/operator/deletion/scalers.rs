//! The replicas of the target and its autoscaler, when the Canary is deleted.

use serde_json::{Value, json};
use vexil_testbed_cluster::Settings;

use super::{CANARY, NAME, SMI, apex, check_reverted, delete, gone};
use crate::{
    cluster::Stage,
    pod_labels::{apply, live},
};

fn hpa() -> Value {
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": NAME, "namespace": "test"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
            "minReplicas": 2, "maxReplicas": 6,
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 99},
            }}],
        },
    })
}

#[tokio::test(start_paused = true)]
async fn the_target_gets_as_many_pods_as_the_primary_has() {
    let mut stage = SMI.initialised(json!({})).await;
    stage.change("podinfo-primary", &json!({"spec": {"replicas": 5}})).await;
    stage.pass(5.0).await;
    delete(&stage, CANARY, NAME).await;
    gone(&mut stage, 60, "five").await;
    stage.pass(5.0).await;
    check_reverted(&stage, 5, "five").await;
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_gets_its_target_back() {
    let mut stage = Stage::with(Settings { system: SMI.system, ..Settings::default() }).await;
    stage.answer_success(100.0);
    stage.start();
    apply(&stage, &apex()).await;
    apply(&stage, &hpa()).await;
    let reference = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": NAME});
    let change =
        json!({"spec": {"provider": SMI.provider, "revertOnDeletion": true, "autoscalerRef": reference}});
    stage.apply(NAME, &[&change]).await;
    stage.until_phase(NAME, "Initialized").await;
    delete(&stage, CANARY, NAME).await;
    gone(&mut stage, 60, "HPA").await;
    stage.pass(30.0).await;
    check_reverted(&stage, 2, "HPA").await;
    let scaler = ("autoscaling/v2", "HorizontalPodAutoscaler");
    assert_eq!(live(&stage, scaler, "podinfo-primary").await, Value::Null);
    assert_eq!(live(&stage, scaler, NAME).await["spec"], hpa()["spec"]);
}

/// KEDA has scaled the primary to zero, because there is no traffic: nothing is waited for.
#[tokio::test(start_paused = true)]
async fn a_scaled_object_is_resumed() {
    for asleep in [false, true] {
        let mut stage = Stage::with(Settings { system: SMI.system, ..Settings::default() }).await;
        stage.answer_success(100.0);
        stage.cluster.apply_yaml(vexil_testbed_cluster::KEDA).await.unwrap();
        stage.start();
        apply(&stage, &apex()).await;
        let (version, kind) = ("keda.sh/v1alpha1", "ScaledObject");
        let scaled_object = json!({
            "apiVersion": version, "kind": kind, "metadata": {"name": NAME, "namespace": "test"},
            "spec": {
                "scaleTargetRef": {"name": NAME}, "minReplicaCount": 0, "maxReplicaCount": 6,
                "triggers": [{"type": "prometheus", "name": "rate", "metadata": {
                    "serverAddress": "http://prometheus:9090", "threshold": "100", "query": "sum(up)",
                }}],
            },
        });
        apply(&stage, &scaled_object).await;
        let reference = json!({"apiVersion": version, "kind": kind, "name": NAME});
        let change =
            json!({"spec": {"provider": SMI.provider, "revertOnDeletion": true, "autoscalerRef": reference}});
        stage.apply(NAME, &[&change]).await;
        stage.until_phase(NAME, "Initialized").await;
        if asleep {
            stage.change("podinfo-primary", &json!({"spec": {"replicas": 0}})).await;
            stage.pass(5.0).await;
        }
        delete(&stage, CANARY, NAME).await;
        gone(&mut stage, 60, "KEDA").await;
        stage.pass(5.0).await;
        let own = live(&stage, (version, kind), NAME).await;
        assert_eq!(own["metadata"]["annotations"], Value::Null, "asleep: {asleep}");
        assert_eq!(live(&stage, (version, kind), "podinfo-primary").await, Value::Null);
        stage.check_laws(NAME);
    }
}
