//! Autoscalers: the primary gets a copy of the user's, which follows it, and nothing else writes the primary's
//! replicas.

use serde_json::{Value, json};

use crate::cluster::Stage;

const NAME: &str = "podinfo";
const HPA: (&str, &str) = ("autoscaling/v2", "HorizontalPodAutoscaler");
const SCALED_OBJECT: (&str, &str) = ("keda.sh/v1alpha1", "ScaledObject");
const KEDA: &str = vexil_testbed_cluster::KEDA;

/// An HPA of at least `min` pods.
fn hpa(name: &str, target: &str, min: u64) -> Value {
    json!({
        "apiVersion": HPA.0, "kind": HPA.1, "metadata": {"name": name, "namespace": "test"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "minReplicas": min, "maxReplicas": 6,
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 99},
            }}],
        },
    })
}

fn scaled_object(min: u64) -> Value {
    json!({
        "apiVersion": SCALED_OBJECT.0, "kind": SCALED_OBJECT.1, "metadata": {"name": NAME, "namespace": "test"},
        "spec": {
            "scaleTargetRef": {"name": NAME}, "minReplicaCount": min, "maxReplicaCount": 6,
            "triggers": [{"type": "prometheus", "name": "rate", "metadata": {
                "serverAddress": "http://prometheus:9090", "threshold": "100",
                "query": "sum(rate(http_requests_total{app=\"podinfo\"}[2m]))",
            }}],
        },
    })
}

/// The part of a Canary that names its autoscaler.
fn named(kind: &str, version: &str) -> Value {
    json!({"spec": {"autoscalerRef": {"apiVersion": version, "kind": kind, "name": NAME}}})
}

async fn apply(stage: &Stage, object: &Value) {
    stage.cluster.apply_yaml(&object.to_string()).await.unwrap();
}

async fn live(stage: &Stage, kind: (&str, &str), name: &str) -> Option<Value> {
    stage.cluster.get(kind.0, kind.1, "test", name).await.unwrap()
}

async fn replicas(stage: &Stage, name: &str) -> u64 {
    live(stage, ("apps/v1", "Deployment"), name).await.unwrap()["spec"]["replicas"].as_u64().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_primary_is_scaled_by_a_copy_that_follows_the_users() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    apply(&stage, &hpa(NAME, NAME, 2)).await;
    // The version that old guides name.
    stage.apply(NAME, &[&named(HPA.1, "autoscaling/v2beta1")]).await;
    stage.until_phase(NAME, "Initialized").await;
    let copy = live(&stage, HPA, "podinfo-primary").await.unwrap();
    assert_eq!(copy["spec"]["scaleTargetRef"]["name"], "podinfo-primary");
    assert_eq!(replicas(&stage, NAME).await, 0);

    apply(&stage, &hpa(NAME, NAME, 3)).await;
    stage.pass(30.0).await;
    assert_eq!(live(&stage, HPA, "podinfo-primary").await.unwrap()["spec"]["minReplicas"], 3);
    assert_eq!((replicas(&stage, "podinfo-primary").await, replicas(&stage, NAME).await), (3, 0));

    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    let course = &stage.story(NAME).courses["workload podinfo"];
    assert!(course.contains(&"podinfo replicas=3 image=6.0.1".to_owned()), "{course:?}");
    assert_eq!((replicas(&stage, "podinfo-primary").await, replicas(&stage, NAME).await), (3, 0));
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn without_the_autoscaler_it_names_a_canary_is_not_initialised() {
    let mut stage = Stage::open().await;
    stage.start();
    stage.apply(NAME, &[&named(HPA.1, HPA.0)]).await;
    stage.pass(60.0).await;
    assert_eq!(
        stage.reported(NAME, "HorizontalPodAutoscaler podinfo.test"),
        1,
        "{}",
        stage.story(NAME).text()
    );
    assert_eq!(replicas(&stage, NAME).await, 2);
    apply(&stage, &hpa(NAME, NAME, 2)).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_of_something_else_is_not_copied() {
    let mut stage = Stage::open().await;
    stage.start();
    apply(&stage, &hpa(NAME, "other", 2)).await;
    stage.apply(NAME, &[&named(HPA.1, HPA.0)]).await;
    stage.pass(60.0).await;
    assert_eq!(
        stage.reported(NAME, "spec.scaleTargetRef names Deployment other"),
        1,
        "{}",
        stage.story(NAME).text()
    );
    assert_eq!(live(&stage, HPA, "podinfo-primary").await, None);
    assert_eq!(replicas(&stage, NAME).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_is_no_longer_named_goes() {
    let mut stage = Stage::open().await;
    stage.start();
    apply(&stage, &hpa(NAME, NAME, 2)).await;
    stage.apply(NAME, &[&named(HPA.1, HPA.0)]).await;
    stage.until_phase(NAME, "Initialized").await;
    let canary = ("flagger.app/v1beta1", "Canary");
    stage.cluster.merge(canary, ("test", NAME), &json!({"spec": {"autoscalerRef": null}})).await.unwrap();
    stage.pass(5.0).await;
    assert_eq!(live(&stage, HPA, "podinfo-primary").await, None);
    assert!(live(&stage, HPA, NAME).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_that_no_canary_names_is_reported_once() {
    let mut stage = Stage::open().await;
    stage.start();
    apply(&stage, &hpa("mine", NAME, 2)).await;
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(60.0).await;
    assert_eq!(stage.reported(NAME, "spec.autoscalerRef: "), 1, "{}", stage.story(NAME).text());
}

#[tokio::test(start_paused = true)]
async fn a_scaled_object_rests_between_rollouts() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.cluster.apply_yaml(KEDA).await.unwrap();
    stage.start();
    apply(&stage, &scaled_object(2)).await;
    stage.apply(NAME, &[&named(SCALED_OBJECT.1, SCALED_OBJECT.0)]).await;
    stage.until_phase(NAME, "Initialized").await;
    let paused = async |stage: &Stage, name: &str| {
        let live = live(stage, SCALED_OBJECT, name).await.unwrap();
        live["metadata"]["annotations"]["autoscaling.keda.sh/paused-replicas"].clone()
    };
    assert_eq!(paused(&stage, NAME).await, "0");
    assert_eq!(paused(&stage, "podinfo-primary").await, Value::Null);
    let copy = live(&stage, SCALED_OBJECT, "podinfo-primary").await.unwrap();
    let query = &copy["spec"]["triggers"][0]["metadata"]["query"];
    assert_eq!(*query, "sum(rate(http_requests_total{app=\"podinfo-primary\"}[2m]))");
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, std::time::Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    assert_eq!(paused(&stage, NAME).await, Value::Null);
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(paused(&stage, NAME).await, "0");
    assert_eq!(replicas(&stage, NAME).await, 0);
    stage.check_laws(NAME);
}
