//! Edits of what traffic depends on that come together, during another migration, or while no operator runs; with
//! clients that never stop.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::{Load, Running};

use crate::cluster::{Stage, manifests};

const NAME: &str = "podinfo";
const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");

/// An initialised Canary beside two more Deployments, and its clients.
async fn initialised() -> (Stage, Running) {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[&json!({"spec": {"service": {"name": NAME}, "provider": "traefik"}})]).await;
    for other in ["other", "third"] {
        stage.cluster.apply_yaml(&manifests::target(other, 2)).await.unwrap();
    }
    stage.until_phase(NAME, "Initialized").await;
    let load = Load::of_site("podinfo.example.com").per_second(10).lasting(Duration::from_secs(3_600));
    let load = stage.cluster.load(load);
    (stage, load)
}

async fn in_mid_run() -> (Stage, Running) {
    let (mut stage, load) = initialised().await;
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    (stage, load)
}

async fn edit(stage: &Stage, spec: Value) {
    stage.cluster.merge(CANARY, ("test", NAME), &json!({ "spec": spec })).await.unwrap();
}

/// It ends on this primary, with nothing left of others and no failed request.
async fn check(stage: &mut Stage, load: &Running, primary: &str) {
    stage.pass(240.0).await;
    let (status, story) = (stage.canary(NAME).await["status"].clone(), stage.story(NAME));
    assert_eq!(load.tally().errors(), 0, "{}", story.text());
    assert!(matches!(status["phase"].as_str(), Some("Initialized" | "Succeeded")), "{}", story.text());
    assert_eq!(status["binding"]["primary"], primary, "{}", story.text());
    assert_eq!(status["previousBindings"], Value::Null, "nothing is left to be released: {}", story.text());
    for former in ["podinfo-primary", "other-primary", "third-primary"] {
        let live = stage.cluster.get("apps/v1", "Deployment", "test", former).await.unwrap();
        assert_eq!(live.is_some(), former == primary, "{former}: {}", story.text());
    }
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn target_provider_and_service_may_be_edited_at_once() {
    let (mut stage, load) = in_mid_run().await;
    edit(
        &stage,
        json!({"targetRef": {"name": "other"}, "provider": "kubernetes", "service": {"port": 8080}}),
    )
    .await;
    check(&mut stage, &load, "other-primary").await;
}

#[tokio::test(start_paused = true)]
async fn a_migration_may_be_overtaken_by_the_next_one() {
    for pause in [0.5, 2.0, 6.0, 14.0] {
        let (mut stage, load) = in_mid_run().await;
        edit(&stage, json!({"targetRef": {"name": "other"}})).await;
        stage.pass(pause).await;
        edit(&stage, json!({"targetRef": {"name": "third"}})).await;
        check(&mut stage, &load, "third-primary").await;
    }
}

#[tokio::test(start_paused = true)]
async fn edits_and_pushes_while_no_operator_runs_are_one_migration() {
    let (mut stage, load) = in_mid_run().await;
    stage.kill().await;
    edit(&stage, json!({"targetRef": {"name": "other"}})).await;
    stage.push(NAME, "6.0.2").await;
    stage.push("other", "6.0.3").await;
    stage.pass(60.0).await;
    stage.start();
    check(&mut stage, &load, "other-primary").await;
}

/// The new target has no pods that work, and the edit is taken back: the first primary has served all the time.
#[tokio::test(start_paused = true)]
async fn a_migration_to_a_broken_target_may_be_taken_back() {
    let (mut stage, load) = in_mid_run().await;
    stage.push("other", "missing-1").await;
    edit(&stage, json!({"targetRef": {"name": "other"}})).await;
    stage.pass(120.0).await;
    assert_eq!(load.tally().errors(), 0, "{}", stage.story(NAME).text());
    edit(&stage, json!({"targetRef": {"name": NAME}})).await;
    check(&mut stage, &load, "podinfo-primary").await;
}

/// The spec becomes invalid while Services move, and the operator is killed: clients keep what they have.
#[tokio::test(start_paused = true)]
async fn a_spec_that_becomes_invalid_in_a_migration_costs_no_request() {
    for pause in [1.0, 3.0, 8.0, 14.0] {
        let (mut stage, load) = in_mid_run().await;
        edit(&stage, json!({"targetRef": {"name": "other"}})).await;
        stage.pass(pause).await;
        edit(&stage, json!({"analysis": {"stepWeight": 0, "maxWeight": 0}})).await;
        stage.kill().await;
        stage.start();
        stage.pass(60.0).await;
        assert_eq!(load.tally().errors(), 0, "after {pause} s\n{}", stage.story(NAME).text());
        edit(&stage, json!({"analysis": {"stepWeight": 25, "maxWeight": 50}})).await;
        check(&mut stage, &load, "other-primary").await;
    }
}

/// Suspended in the middle, whichever way it goes on afterwards.
#[tokio::test(start_paused = true)]
async fn a_migration_that_is_suspended_goes_on_where_it_was() {
    for (pause, primary) in [(1.0, "other-primary"), (8.0, "other-primary"), (8.0, "podinfo-primary")] {
        let (mut stage, load) = in_mid_run().await;
        edit(&stage, json!({"targetRef": {"name": "other"}})).await;
        stage.pass(pause).await;
        edit(&stage, json!({"suspend": true})).await;
        stage.pass(60.0).await;
        let target = primary.trim_end_matches("-primary");
        edit(&stage, json!({"suspend": false, "targetRef": {"name": target}})).await;
        check(&mut stage, &load, primary).await;
    }
}
