//! Many Canaries at once: a change that concerns one of them costs the others nothing.

use serde_json::{Value, json};

use crate::cluster::Stage;

const HPA: (&str, &str) = ("autoscaling/v2", "HorizontalPodAutoscaler");

fn scaled(name: &str) -> Value {
    json!({"spec": {"autoscalerRef": {"apiVersion": HPA.0, "kind": HPA.1, "name": name}}})
}

async fn scale(stage: &Stage, name: &str, most: usize) {
    let hpa = json!({
        "apiVersion": HPA.0, "kind": HPA.1, "metadata": {"name": name, "namespace": "test"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, "maxReplicas": most,
        },
    });
    stage.cluster.apply_yaml(&hpa.to_string()).await.unwrap();
}

/// So many Canaries at rest, each with an autoscaler.
async fn crowd(stage: &mut Stage, count: usize) -> Vec<String> {
    let names: Vec<String> = (0..count).map(|number| format!("app-{number:02}")).collect();
    stage.start();
    for name in &names {
        scale(stage, name, 4).await;
        stage.apply(name, &[&scaled(name)]).await;
    }
    for name in &names {
        stage.until_phase(name, "Initialized").await;
    }
    stage.pass(60.0).await;
    names
}

#[tokio::test(start_paused = true)]
async fn idle_canaries_are_not_reconciled_and_each_change_reconciles_the_one_that_it_concerns() {
    let mut stage = Stage::open().await;
    stage.replicas = 1;
    let names = crowd(&mut stage, 12).await;
    let before = stage.reconciles();
    stage.pass(600.0).await;
    assert_eq!(stage.reconciles() - before, 0, "idle");

    // What an autoscaler says of itself concerns no Canary.
    for name in &names {
        let status = json!({"status": {"currentReplicas": 1, "desiredReplicas": 1}});
        stage.patch_scaler_status(name, &status).await;
    }
    stage.pass(60.0).await;
    assert_eq!(stage.reconciles() - before, 0, "status of autoscalers");

    // What it wants concerns the one Canary that names it, which writes it to the copy at once.
    for name in &names {
        scale(&stage, name, 5).await;
    }
    stage.pass(60.0).await;
    assert_eq!(stage.reconciles() - before, names.len(), "autoscalers");
    for name in &names {
        let copy = stage.cluster.get(HPA.0, HPA.1, "test", &format!("{name}-primary")).await.unwrap();
        assert_eq!(copy.unwrap()["spec"]["maxReplicas"], 5);
    }
}
