//! Core Services as targets: the pods behind them are the user's, and an edit of the Service is a new revision.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::{Load, Settings, System};

use crate::{
    adoption::{Left, status},
    cluster::{KillSwitch, Stage, manifests},
    pod_labels::{SERVICE, apply, deployment, live},
};

const NAME: &str = "podinfo";
const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");

/// The user's Service, for the pods of one version.
fn service(version: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": NAME, "namespace": "test", "labels": {"team": "shop"}},
        "spec": {
            "selector": {"app": NAME, "version": version},
            "ports": [{"name": "http", "port": 80, "targetPort": 9898}],
        },
    })
}

fn canary(more: Value) -> Value {
    let mut canary = manifests::canary(NAME);
    let target = json!({"apiVersion": "v1", "kind": "Service"});
    manifests::merge(&mut canary, &json!({"spec": {"provider": "smi:v1alpha2", "targetRef": target}}));
    manifests::merge(&mut canary, &more);
    canary
}

/// An initialised Canary, with two versions of the pods behind it.
async fn initialised(more: Value) -> Stage {
    let system = System::SmiIstio(&["v1alpha2"]);
    let mut stage = Stage::with(Settings { system, ..Settings::default() }).await;
    stage.answer_success(100.0);
    stage.start();
    for (version, tag) in [("v1", "6.0.0"), ("v2", "6.0.1"), ("v3", "6.0.2")] {
        let labels = json!({"app": NAME, "version": version});
        apply(&stage, &deployment(&format!("podinfo-{version}"), labels, tag)).await;
    }
    apply(&stage, &service("v1")).await;
    stage.pass(3.0).await;
    apply(&stage, &canary(more)).await;
    stage.until_phase(NAME, "Initialized").await;
    stage
}

async fn selects(stage: &Stage, name: &str) -> Value {
    live(stage, SERVICE, name).await["spec"]["selector"]["version"].clone()
}

fn clients() -> Load {
    Load::new("http://podinfo.test/").host("podinfo.test").per_second(10).lasting(Duration::from_secs(3_600))
}

async fn push(stage: &Stage, version: &str) {
    stage.cluster.merge(SERVICE, ("test", NAME), &json!({"spec": service(version)["spec"]})).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_is_rolled_out_without_a_failed_request() {
    let mut stage = initialised(json!({})).await;
    let primary = live(&stage, SERVICE, "podinfo-primary").await;
    assert_eq!(primary["metadata"]["labels"], json!({"team": "shop"}));
    assert_eq!(primary["metadata"]["ownerReferences"][0]["kind"], "Canary");
    assert_ne!(primary["spec"]["clusterIP"], live(&stage, SERVICE, NAME).await["spec"]["clusterIP"]);
    let load = stage.cluster.load(clients());
    push(&stage, "v2").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    stage.pass(1.0).await;
    assert_eq!(
        (selects(&stage, "podinfo-canary").await, selects(&stage, "podinfo-primary").await),
        (json!("v2"), json!("v1"))
    );
    stage.until_phase(NAME, "Succeeded").await;
    let tally = load.tally();
    assert_eq!(tally.errors(), 0, "{tally:?}\n{}", stage.story(NAME).text());
    assert_eq!(selects(&stage, "podinfo-primary").await, "v2");
    let after = live(&stage, SERVICE, "podinfo-primary").await;
    assert_eq!(after["spec"]["clusterIP"], primary["spec"]["clusterIP"]);
    assert_eq!(after["metadata"]["ownerReferences"], primary["metadata"]["ownerReferences"]);
    stage.pass(300.0).await;
    assert_eq!(stage.canary(NAME).await["status"]["run"], 1);
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_its_checks_is_rolled_back() {
    let mut stage = initialised(json!({})).await;
    stage.answer_success(10.0);
    stage.kill().await;
    stage.start();
    let load = stage.cluster.load(clients());
    push(&stage, "v2").await;
    stage.until_phase(NAME, "Failed").await;
    stage.pass(30.0).await;
    assert_eq!(selects(&stage, "podinfo-primary").await, "v1");
    // Clients of the mesh still get the primary.
    let before = load.tally();
    stage.pass(30.0).await;
    let since = load.tally().since(&before);
    assert_eq!((since.errors(), since.by_version.get("6.0.1")), (0, None), "{since:?}");
    // Back to what the primary has: nothing is rolled out.
    push(&stage, "v1").await;
    stage.pass(60.0).await;
    assert_eq!(stage.canary(NAME).await["status"]["run"], 1);
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_push_during_a_rollout_of_a_service_starts_it_anew() {
    let mut stage = initialised(json!({})).await;
    push(&stage, "v2").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    push(&stage, "v3").await;
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(selects(&stage, "podinfo-primary").await, "v3");
    assert_eq!(stage.reported(NAME, "New revision detected! Restarting analysis"), 1);
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_rollout_of_a_service_survives_crashes_of_the_operator() {
    for writes in [1, 2, 5] {
        let mut stage = initialised(json!({})).await;
        stage.kill().await;
        stage.cut_again = Some(writes);
        stage.start_on(KillSwitch::new(Some(writes)));
        push(&stage, "v2").await;
        stage.until_phase(NAME, "Succeeded").await;
        assert_eq!(selects(&stage, "podinfo-primary").await, "v2");
        assert_eq!(stage.canary(NAME).await["status"]["run"], 1);
        stage.check_laws(NAME);
    }
}

#[tokio::test(start_paused = true)]
async fn clients_of_a_service_follow_it_when_the_canary_is_deleted() {
    let mut stage = initialised(json!({"spec": {"revertOnDeletion": true}})).await;
    push(&stage, "v2").await;
    stage.until_phase(NAME, "Succeeded").await;
    let load = stage.cluster.load(clients());
    stage.pass(5.0).await;
    assert!(stage.cluster.delete(CANARY.0, CANARY.1, "test", NAME).await.unwrap());
    stage.pass(60.0).await;
    assert_eq!(load.tally().errors(), 0, "{:?}\n{}", load.tally(), stage.story(NAME).text());
    assert_eq!(stage.canary(NAME).await, Value::Null);
    assert_eq!(live(&stage, SERVICE, "podinfo-primary").await, Value::Null);
    assert_eq!(live(&stage, SERVICE, NAME).await["spec"]["selector"]["version"], "v2");
}

/// What is wrong with a Canary for a Service is said, and nothing is made.
#[tokio::test(start_paused = true)]
async fn what_a_service_does_not_have_is_refused() {
    for (spec, text) in [
        (json!({"service": {"name": "shop"}}), "spec.service.name: must be podinfo or absent"),
        (
            json!({"autoscalerRef": {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": NAME}}),
            "spec.autoscalerRef: a Service has no replicas",
        ),
    ] {
        let mut stage = Stage::open().await;
        stage.start();
        apply(&stage, &service("v1")).await;
        let mut more = json!({ "spec": spec });
        manifests::merge(&mut more, &json!({"spec": {"provider": "traefik"}}));
        apply(&stage, &canary(more)).await;
        stage.pass(10.0).await;
        assert_eq!(stage.reported(NAME, text), 1, "{}", stage.story(NAME).text());
        assert_eq!(live(&stage, SERVICE, "podinfo-canary").await, Value::Null);
    }
}

/// Copies of a Service without pods would have no addresses; it is initialised when it gets a selector.
#[tokio::test(start_paused = true)]
async fn a_service_without_a_selector_is_not_initialised() {
    let mut stage = Stage::open().await;
    stage.start();
    apply(&stage, &deployment(NAME, json!({"app": NAME, "version": "v1"}), "6.0.0")).await;
    let mut target = service("v1");
    target["spec"].as_object_mut().unwrap().remove("selector");
    apply(&stage, &target).await;
    apply(&stage, &canary(json!({"spec": {"provider": "traefik"}}))).await;
    stage.pass(60.0).await;
    let text = "service podinfo.test has no spec.selector or is an ExternalName";
    assert_eq!(stage.reported(NAME, text), 1, "{}", stage.story(NAME).text());
    push(&stage, "v1").await;
    stage.until_phase(NAME, "Initialized").await;
    stage.check_laws(NAME);
}

/// Flagger's promotion removes the owner reference of `-primary`. Whose it is cannot be known, so it is reported, and
/// requests go on to it.
#[tokio::test(start_paused = true)]
async fn a_primary_that_flagger_left_without_owner_is_used_once_it_has_one() {
    let mut stage = initialised(json!({})).await;
    let load = stage.cluster.load(clients());
    stage.kill().await;
    stage.patch_status(NAME, &status(&Left::at("Succeeded"))).await;
    let unowned = json!({"metadata": {"ownerReferences": null}});
    stage.cluster.merge(SERVICE, ("test", "podinfo-primary"), &unowned).await.unwrap();
    stage.start();
    stage.pass(60.0).await;
    let text = "podinfo-primary.test has no owner reference to Canary podinfo";
    assert_eq!(stage.reported(NAME, text), 1, "{}", stage.story(NAME).text());
    let uid = stage.canary(NAME).await["metadata"]["uid"].clone();
    let owner = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": NAME, "uid": uid,
        "controller": true, "blockOwnerDeletion": true,
    });
    let owned = json!({"metadata": {"ownerReferences": [owner]}});
    stage.cluster.merge(SERVICE, ("test", "podinfo-primary"), &owned).await.unwrap();
    stage.pass(300.0).await;
    let status = stage.canary(NAME).await["status"].clone();
    let story = stage.story(NAME).text();
    assert_eq!((&status["phase"], &status["run"]), (&json!("Succeeded"), &json!(0)), "{story}");
    push(&stage, "v2").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(selects(&stage, "podinfo-primary").await, "v2");
    assert_eq!(load.tally().errors(), 0, "{:?}\n{}", load.tally(), stage.story(NAME).text());
    stage.check_laws(NAME);
}
