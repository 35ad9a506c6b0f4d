//! Edits and pushes at moments when something else is under way: they take effect at once.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;
use vexil_testbed_cluster::{FromFn, plain};

use crate::cluster::Stage;

const NAME: &str = "podinfo";

/// A rollout whose pre-rollout hook takes ten minutes to answer, ten seconds after it was called.
async fn during_a_hook() -> Stage {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    let slow = FromFn(|_| async {
        sleep(Duration::from_secs(600)).await;
        plain(StatusCode::OK, "")
    });
    stage.cluster.network().register("gate.test", Arc::new(slow));
    stage.start();
    let hook = json!({"name": "gate", "type": "pre-rollout", "url": "http://gate.test/", "timeout": "15m"});
    stage.apply(NAME, &[&json!({"spec": {"analysis": {"webhooks": [hook]}}})]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Progressing").await;
    stage.pass(20.0).await;
    stage
}

async fn edit(stage: &Stage, change: &Value) {
    let canary = ("flagger.app/v1beta1", "Canary");
    stage.cluster.merge(canary, ("test", NAME), change).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn suspend_takes_effect_at_once() {
    let mut stage = during_a_hook().await;
    edit(&stage, &json!({"spec": {"suspend": true}})).await;
    stage.pass(1.0).await;
    let said = |stage: &Stage| {
        let events = stage.story(NAME).events;
        events.iter().filter(|(text, _)| text.contains("skipping canary run as object is suspended")).count()
    };
    assert_eq!(said(&stage), 1, "{}", stage.story(NAME).text());
    // The answer comes, and moves nothing.
    stage.pass(900.0).await;
    let status = &stage.canary(NAME).await["status"];
    assert_eq!((&status["phase"], &status["canaryWeight"]), (&json!("Progressing"), &json!(0)));
    edit(&stage, &json!({"spec": {"suspend": false, "analysis": {"webhooks": null}}})).await;
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(said(&stage), 1, "{}", stage.story(NAME).text());
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn another_analysis_takes_effect_at_once() {
    let mut stage = during_a_hook().await;
    edit(&stage, &json!({"spec": {"analysis": {"webhooks": null}}})).await;
    stage.until(NAME, Duration::from_secs(15), |status| status["canaryWeight"] == 25).await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_canary_is_let_go_at_once() {
    let mut stage = during_a_hook().await;
    assert!(stage.cluster.delete("flagger.app/v1beta1", "Canary", "test", NAME).await.unwrap());
    stage.pass(1.0).await;
    assert!(stage.canary(NAME).await.is_null());
    let reconciles = stage.reconciles();
    stage.pass(900.0).await;
    assert_eq!(stage.reconciles(), reconciles, "nothing is done for a Canary that is gone");
}

/// The first image is replaced before its pods are ready, by one whose pods never are: the old pods of the primary
/// have no clients, so the next push restarts the initialisation.
#[tokio::test(start_paused = true)]
async fn a_push_is_the_way_out_of_an_initialisation_that_is_stuck_half_way() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.push(NAME, "broken-1").await;
    stage.pass(60.0).await;
    assert_eq!(stage.canary(NAME).await["status"]["phase"], "Initializing");
    stage.push(NAME, "6.0.3").await;
    stage.until_phase(NAME, "Initialized").await;
    let primary =
        stage.cluster.get("apps/v1", "Deployment", "test", "podinfo-primary").await.unwrap().unwrap();
    let image = primary.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str);
    assert_eq!(image, Some("stefanprodan/podinfo:6.0.3"), "{}", stage.story(NAME).text());
    stage.check_laws(NAME);
}

/// The canary has all traffic because the primary crashed, and then a revision is pushed that never becomes ready: the
/// primary has its traffic again as soon as it serves.
#[tokio::test(start_paused = true)]
async fn a_primary_that_is_back_has_its_traffic_at_once_whatever_the_canary_waits_for() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    stage.pass(2.0).await;
    stage.cluster.crash_pods("test", &[("app", "podinfo-primary")]);
    stage.until(NAME, Duration::from_secs(5), |status| status["canaryWeight"] == 100).await;
    stage.push(NAME, "missing-1").await;
    stage.until(NAME, Duration::from_secs(20), |status| status["canaryWeight"] == 0).await;
    stage.push(NAME, "6.0.2").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.check_laws(NAME);
}
