//! Pods, clocks and rights that stay as they should not be: each wait is reported once and ends, and clients notice
//! nothing.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_apiserver::{Fault, FaultAction, Matcher};
use vexil_testbed_cluster::{Load, Running};

use crate::{
    cluster::{OPERATOR, Stage, manifests},
    pod_labels::{DEPLOYMENT, live},
};

const NAME: &str = "podinfo";
const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");

async fn initialised(change: Value) -> (Stage, Running) {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[&change]).await;
    stage.until_phase(NAME, "Initialized").await;
    let load = Load::of_site("podinfo.example.com").per_second(10).lasting(Duration::from_secs(36_000));
    let load = stage.cluster.load(load);
    (stage, load)
}

async fn at_first_weight(stage: &mut Stage) {
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
}

/// A Deployment that is paused is not rolled out by its controller: its pods are of the revision before.
#[tokio::test(start_paused = true)]
async fn a_paused_target_is_reported_and_ends_at_the_deadline() {
    let (mut stage, load) = initialised(json!({})).await;
    stage.change(NAME, &json!({"spec": {"paused": true}})).await;
    stage.push(NAME, "6.0.1").await;
    stage.pass(180.0).await;
    let story = stage.story(NAME).text();
    assert_eq!(stage.canary(NAME).await["status"]["phase"], "Failed", "{story}");
    assert_eq!(load.tally().errors(), 0, "{story}");
    stage.change(NAME, &json!({"spec": {"paused": false}})).await;
    stage.push(NAME, "6.0.2").await;
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(load.tally().errors(), 0, "{}", stage.story(NAME).text());
    stage.check_laws(NAME);
}

/// The target is deleted and made again while no operator runs, in the middle of its rollout.
#[tokio::test(start_paused = true)]
async fn a_target_that_is_another_one_when_the_operator_is_back_is_rolled_out() {
    for image in ["6.0.0", "6.0.1", "6.0.2"] {
        let (mut stage, load) = initialised(json!({})).await;
        at_first_weight(&mut stage).await;
        // Until the operator is back, requests to the canary fail.
        stage.cluster.delete("apps/v1", "Deployment", "test", NAME).await.unwrap();
        stage.kill().await;
        let target = manifests::target(NAME, 2).replace("6.0.0", image);
        stage.cluster.apply_yaml(&target).await.unwrap();
        stage.start();
        stage.pass(5.0).await;
        let lost = load.tally().errors();
        stage.pass(200.0).await;
        let story = stage.story(NAME).text();
        let primary = live(&stage, DEPLOYMENT, "podinfo-primary").await;
        let runs = primary["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
        assert!(runs.ends_with(image), "{image} {runs} {story}");
        assert_eq!(load.tally().errors(), lost, "{image} {story}");
        stage.check_laws(NAME);
    }
}

/// A user scales the target to nothing in the middle of its rollout.
#[tokio::test(start_paused = true)]
async fn a_target_that_is_scaled_to_zero_in_mid_run_loses_its_traffic_and_gets_its_pods_back() {
    let (mut stage, load) = initialised(json!({})).await;
    at_first_weight(&mut stage).await;
    stage.change(NAME, &json!({"spec": {"replicas": 0}})).await;
    stage.pass(5.0).await;
    let lost = load.tally().errors();
    stage.until(NAME, Duration::from_secs(200), |status| status["phase"] != "Progressing").await;
    stage.pass(120.0).await;
    let story = stage.story(NAME).text();
    assert!(
        matches!(stage.canary(NAME).await["status"]["phase"].as_str(), Some("Succeeded" | "Failed")),
        "{story}"
    );
    assert_eq!(load.tally().errors(), lost, "{story}");
    // The laws would blame the operator for what the user did.
    assert_eq!(
        live(&stage, DEPLOYMENT, NAME).await["spec"]["replicas"],
        0,
        "scaled down at the end: {story}"
    );
}

/// Leaders whose clocks differ by an hour take turns every seven seconds, of which no step is an hour early or late.
#[tokio::test(start_paused = true)]
async fn leaders_with_clocks_an_hour_apart_take_turns() {
    let (mut stage, load) = initialised(json!({})).await;
    stage.push(NAME, "6.0.1").await;
    let begin = tokio::time::Instant::now();
    let (mut ahead, mut ended) = (false, None);
    for _ in 0..60 {
        stage.kill().await;
        stage.clock.jump(if ahead { -3_600_000 } else { 3_600_000 });
        ahead = !ahead;
        stage.start();
        stage.pass(7.0).await;
        if stage.canary(NAME).await["status"]["phase"] == "Succeeded" {
            ended = Some(begin.elapsed().as_secs());
            break;
        }
    }
    let story = stage.story(NAME).text();
    assert!(ended.is_some_and(|seconds| (20..300).contains(&seconds)), "{ended:?} {story}");
    assert_eq!(load.tally().errors(), 0, "{story}");
    stage.check_laws(NAME);
}

fn refused(resource: &str) -> Fault {
    let matcher = Matcher {
        resource: Some(resource.to_owned()),
        user_agent: Some(OPERATOR.to_owned()),
        ..Matcher::writes()
    };
    Fault::once(matcher, FaultAction::Answer { code: 403, retry_after: None }).times(100_000)
}

/// Routes may not be written any more while a rollout has to end: reported, nothing is scaled down, and it ends when
/// the right is back.
#[tokio::test(start_paused = true)]
async fn a_rollback_that_may_not_write_the_route_is_reported_and_keeps_the_canarys_pods() {
    let (mut stage, load) = initialised(json!({})).await;
    at_first_weight(&mut stage).await;
    stage.cluster.server().faults().push(refused("traefikservices"));
    stage.answer_success(10.0);
    stage.kill().await;
    stage.start();
    stage.pass(600.0).await;
    let story = stage.story(NAME).text();
    assert_eq!(live(&stage, DEPLOYMENT, NAME).await["spec"]["replicas"], 2, "{story}");
    assert_eq!(load.tally().errors(), 0, "{story}");
    assert_eq!(
        stage.events_with(NAME, "TraefikService podinfo.test could not be written").len(),
        1,
        "{story}"
    );
    stage.cluster.server().faults().clear();
    stage.until_phase(NAME, "Failed").await;
    assert_eq!(load.tally().errors(), 0, "{}", stage.story(NAME).text());
    stage.check_laws(NAME);
}

/// The target is deleted while the rollout of its revision waits for approval.
#[tokio::test(start_paused = true)]
async fn a_target_that_is_deleted_at_a_closed_gate_is_reported() {
    let gate = json!({"name": "gate", "type": "confirm-rollout", "url": "http://hooks.test/gate"});
    let (mut stage, load) = initialised(json!({"spec": {"analysis": {"webhooks": [gate]}}})).await;
    stage.hooks.lock().unwrap().push(("gate".to_owned(), 403));
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Waiting").await;
    stage.cluster.delete("apps/v1", "Deployment", "test", NAME).await.unwrap();
    stage.pass(60.0).await;
    let story = stage.story(NAME).text();
    assert!(
        stage
            .story(NAME)
            .events
            .iter()
            .any(|(text, _)| text.contains("not found") || text.contains("deleted")),
        "{story}"
    );
    stage.cluster.apply_yaml(&manifests::target(NAME, 2).replace("6.0.0", "6.0.2")).await.unwrap();
    stage.hooks.lock().unwrap().push(("gate".to_owned(), 200));
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(load.tally().errors(), 0, "{}", stage.story(NAME).text());
    stage.check_laws(NAME);
}

/// A template that the analysis needs is deleted in the middle, and is there again later.
#[tokio::test(start_paused = true)]
async fn a_metric_template_that_is_deleted_in_mid_run_ends_no_later_rollout() {
    let template = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate",
        "metadata": {"name": "errors", "namespace": "test"},
        "spec": {"provider": {"type": "prometheus", "address": "http://metrics.test"}, "query": "vector(1)"},
    });
    let metric = json!({"name": "errors", "templateRef": {"name": "errors"}, "thresholdRange": {"max": 5}});
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.cluster.apply_yaml(&template.to_string()).await.unwrap();
    stage.apply(NAME, &[&json!({"spec": {"analysis": {"metrics": [metric]}}})]).await;
    stage.until_phase(NAME, "Initialized").await;
    at_first_weight(&mut stage).await;
    stage.cluster.delete("flagger.app/v1beta1", "MetricTemplate", "test", "errors").await.unwrap();
    stage.pass(200.0).await;
    let story = stage.story(NAME).text();
    assert_ne!(stage.canary(NAME).await["status"]["canaryWeight"], 50, "{story}");
    assert!(stage.story(NAME).events.iter().any(|(text, _)| text.contains("errors")), "{story}");
    stage.cluster.apply_yaml(&template.to_string()).await.unwrap();
    stage.push(NAME, "6.0.2").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.check_laws(NAME);
}

/// A mistake and `suspend` together, and then the Canary is deleted with `revertOnDeletion`.
#[tokio::test(start_paused = true)]
async fn a_suspended_canary_with_an_invalid_spec_is_reverted() {
    let (mut stage, _load) = initialised(json!({"spec": {"revertOnDeletion": true}})).await;
    at_first_weight(&mut stage).await;
    let edit = json!({"spec": {"suspend": true, "analysis": {"stepWeight": 0, "maxWeight": 0}}});
    stage.cluster.merge(CANARY, ("test", NAME), &edit).await.unwrap();
    stage.pass(20.0).await;
    assert!(stage.cluster.delete(CANARY.0, CANARY.1, "test", NAME).await.unwrap());
    stage.pass(120.0).await;
    assert!(stage.canary(NAME).await.is_null(), "{}", stage.story(NAME).text());
    assert_eq!(live(&stage, DEPLOYMENT, NAME).await["spec"]["replicas"], 2);
    stage.check_laws(NAME);
}
