//! Knative Services as targets: what is pushed gets no request before its analysis, and none is lost.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::{Load, Settings, System};

use crate::{
    adoption::{Left, status},
    cluster::{KillSwitch, Stage, manifests},
    pod_labels::{apply, live},
};

const NAME: &str = "podinfo";
const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");
const SERVICE: (&str, &str) = ("serving.knative.dev/v1", "Service");
const REVISION: (&str, &str) = ("serving.knative.dev/v1", "Revision");
const FIRST: &str = "podinfo-00001";
const SECOND: &str = "podinfo-00002";

/// The user's Service with an image of this tag.
fn service(tag: &str) -> Value {
    let image = format!("stefanprodan/podinfo:{tag}");
    let container = json!({"name": "podinfod", "image": image, "ports": [{"containerPort": 9898}]});
    json!({
        "apiVersion": SERVICE.0, "kind": SERVICE.1, "metadata": {"name": NAME, "namespace": "test"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    })
}

fn canary(more: &Value) -> Value {
    let mut canary = manifests::canary(NAME);
    let target = json!({"apiVersion": SERVICE.0, "kind": SERVICE.1});
    let spec = json!({"provider": "knative", "targetRef": target, "service": null});
    manifests::merge(&mut canary, &json!({"spec": spec}));
    manifests::merge(&mut canary, more);
    canary
}

/// A Service whose first Revision serves.
async fn serving() -> Stage {
    let mut stage = Stage::with(Settings { system: System::Knative, ..Settings::default() }).await;
    stage.answer_success(100.0);
    apply(&stage, &service("6.0.0")).await;
    stage.pass(15.0).await;
    assert_eq!(shares(&stage).await, [("latest".to_owned(), 100)]);
    stage
}

/// An initialised Canary.
async fn initialised(more: Value) -> Stage {
    let mut stage = serving().await;
    stage.start();
    apply(&stage, &canary(&more)).await;
    stage.until_phase(NAME, "Initialized").await;
    stage
}

/// The Revisions of the traffic, with their shares.
async fn shares(stage: &Stage) -> Vec<(String, i64)> {
    let service = live(stage, SERVICE, NAME).await;
    let entries = service["spec"]["traffic"].as_array().cloned().unwrap_or_default();
    let share = |entry: &Value| {
        let name = entry["revisionName"].as_str().unwrap_or("latest");
        (name.to_owned(), entry["percent"].as_i64().unwrap_or(0))
    };
    entries.iter().map(share).collect()
}

fn at_rest(primary: &str) -> [(String, i64); 2] {
    [("latest".to_owned(), 0), (primary.to_owned(), 100)]
}

async fn primary(stage: &Stage) -> Value {
    live(stage, SERVICE, NAME).await["metadata"]["annotations"]["flagger.app/primary-revision"].clone()
}

async fn push(stage: &Stage, tag: &str) {
    let template = service(tag)["spec"].clone();
    stage.cluster.merge(SERVICE, ("test", NAME), &json!({"spec": template})).await.unwrap();
}

fn clients() -> Load {
    let url = "http://kourier.kourier-system/";
    Load::new(url).host("podinfo.test.example.com").per_second(10).lasting(Duration::from_secs(3_600))
}

#[tokio::test(start_paused = true)]
async fn a_revision_is_rolled_out_without_a_failed_request() {
    let mut stage = serving().await;
    let load = stage.cluster.load(clients());
    stage.start();
    apply(&stage, &canary(&json!({}))).await;
    stage.until_phase(NAME, "Initialized").await;
    assert_eq!((shares(&stage).await, primary(&stage).await), (at_rest(FIRST).into(), json!(FIRST)));
    for name in ["podinfo-primary", "podinfo-canary"] {
        assert_eq!(live(&stage, ("v1", "Service"), name).await, Value::Null, "{name}");
    }
    push(&stage, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(90), |status| status["canaryWeight"] == 25).await;
    let before = load.tally();
    assert_eq!(before.by_version.get("6.0.1"), None, "{before:?}");
    stage.pass(1.0).await;
    assert_eq!(shares(&stage).await, [(SECOND.to_owned(), 25), (FIRST.to_owned(), 75)]);
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!((shares(&stage).await, primary(&stage).await), (at_rest(SECOND).into(), json!(SECOND)));
    stage.pass(60.0).await;
    let tally = load.tally();
    assert_eq!(tally.errors(), 0, "{tally:?}\n{}", stage.story(NAME).text());
    assert_eq!(stage.canary(NAME).await["status"]["run"], 1);
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_fails_its_checks_is_rolled_back() {
    let mut stage = initialised(json!({})).await;
    stage.answer_success(10.0);
    stage.kill().await;
    stage.start();
    let load = stage.cluster.load(clients());
    push(&stage, "6.0.1").await;
    stage.until_phase(NAME, "Failed").await;
    stage.pass(5.0).await;
    assert_eq!((shares(&stage).await, primary(&stage).await), (at_rest(FIRST).into(), json!(FIRST)));
    let before = load.tally();
    stage.pass(30.0).await;
    let since = load.tally().since(&before);
    assert_eq!((load.tally().errors(), since.by_version.get("6.0.1")), (0, None), "{since:?}");
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn what_is_pushed_during_a_rollout_gets_no_request_before_its_own_analysis() {
    let mut stage = initialised(json!({})).await;
    push(&stage, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(90), |status| status["canaryWeight"] == 25).await;
    let load = stage.cluster.load(clients());
    push(&stage, "6.0.2").await;
    let restarted = |status: &Value| status["canaryWeight"] == 0;
    stage.until(NAME, Duration::from_secs(60), restarted).await;
    stage.until(NAME, Duration::from_secs(90), |status| status["canaryWeight"] == 25).await;
    let tally = load.tally();
    assert_eq!((tally.errors(), tally.by_version.get("6.0.2")), (0, None), "{tally:?}");
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(primary(&stage).await, "podinfo-00003");
    assert_eq!(stage.reported(NAME, "New revision detected! Restarting analysis"), 1);
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn what_is_pushed_between_rollouts_while_no_operator_runs_gets_no_request() {
    let mut stage = initialised(json!({})).await;
    stage.kill().await;
    let load = stage.cluster.load(clients());
    push(&stage, "6.0.1").await;
    stage.pass(60.0).await;
    let tally = load.tally();
    assert_eq!((tally.errors(), tally.by_version.get("6.0.1")), (0, None), "{tally:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rollout_of_a_revision_survives_crashes_of_the_operator() {
    for writes in [1, 2, 3, 5] {
        let mut stage = initialised(json!({})).await;
        stage.kill().await;
        stage.cut_again = Some(writes);
        stage.start_on(KillSwitch::new(Some(writes)));
        let load = stage.cluster.load(clients());
        push(&stage, "6.0.1").await;
        stage.until_phase(NAME, "Succeeded").await;
        assert_eq!(primary(&stage).await, SECOND);
        assert_eq!(load.tally().errors(), 0, "{:?}", load.tally());
        assert_eq!(stage.canary(NAME).await["status"]["run"], 1);
        stage.check_laws(NAME);
    }
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_never_becomes_ready_gets_nothing() {
    let mut stage = initialised(json!({})).await;
    let load = stage.cluster.load(clients());
    push(&stage, "does-not-exist").await;
    stage.until_phase(NAME, "Failed").await;
    assert_eq!(shares(&stage).await, at_rest(FIRST));
    let said = stage.events_with(NAME, "Knative Revision podinfo-00002.test is not ready");
    assert!(!said.is_empty(), "{}", stage.story(NAME).text());
    assert_eq!(load.tally().errors(), 0, "{:?}", load.tally());
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn tags_of_the_user_stay() {
    let mut stage = serving().await;
    let tag = json!({"tag": "next", "latestRevision": true, "percent": 0});
    let traffic = json!([{"latestRevision": true, "percent": 100}, tag]);
    stage.cluster.merge(SERVICE, ("test", NAME), &json!({"spec": {"traffic": traffic}})).await.unwrap();
    stage.start();
    apply(&stage, &canary(&json!({}))).await;
    stage.until_phase(NAME, "Initialized").await;
    push(&stage, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    let live = live(&stage, SERVICE, NAME).await;
    assert!(live["spec"]["traffic"].as_array().unwrap().contains(&tag), "{live}");
}

/// A user has held the last push back before there was a Canary.
#[tokio::test(start_paused = true)]
async fn a_revision_that_has_the_traffic_becomes_the_primary_and_a_later_one_is_analysed() {
    let mut stage = serving().await;
    let traffic = json!([{"revisionName": FIRST, "percent": 100}]);
    stage.cluster.merge(SERVICE, ("test", NAME), &json!({"spec": {"traffic": traffic}})).await.unwrap();
    push(&stage, "6.0.1").await;
    stage.pass(15.0).await;
    let load = stage.cluster.load(clients());
    stage.start();
    apply(&stage, &canary(&json!({}))).await;
    stage.until(NAME, Duration::from_secs(90), |status| status["canaryWeight"] == 25).await;
    assert_eq!(primary(&stage).await, FIRST);
    assert_eq!(load.tally().by_version.get("6.0.1"), None);
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!((primary(&stage).await, load.tally().errors()), (json!(SECOND), 0));
    stage.check_laws(NAME);
}

/// As `kubectl replace` does with a manifest that has neither.
#[tokio::test(start_paused = true)]
async fn an_edit_of_annotation_and_traffic_is_undone() {
    let mut stage = initialised(json!({})).await;
    let traffic = json!({"spec": {"traffic": [{"latestRevision": true, "percent": 100}]}});
    stage.cluster.merge(SERVICE, ("test", NAME), &traffic).await.unwrap();
    stage.pass(10.0).await;
    assert_eq!(shares(&stage).await, at_rest(FIRST));
    assert_eq!(stage.reported(NAME, "leads to the latest Revision"), 1, "{}", stage.story(NAME).text());
    let annotations = json!({"metadata": {"annotations": {"flagger.app/primary-revision": null}}});
    stage.cluster.merge(SERVICE, ("test", NAME), &annotations).await.unwrap();
    stage.pass(10.0).await;
    assert_eq!((shares(&stage).await, primary(&stage).await), (at_rest(FIRST).into(), json!(FIRST)));
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_primary_whose_revision_was_deleted_is_reported_and_the_next_push_heals() {
    let mut stage = initialised(json!({})).await;
    push(&stage, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    assert!(stage.cluster.delete(REVISION.0, REVISION.1, "test", SECOND).await.unwrap());
    stage.pass(60.0).await;
    let story = stage.story(NAME).text();
    assert_eq!(stage.reported(NAME, "\"podinfo-00002\" not found"), 1, "{story}");
    push(&stage, "6.0.2").await;
    stage.until(NAME, Duration::from_secs(300), |status| status["run"] == 2 && status["phase"] == "Succeeded").await;
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_leaves_traffic_that_leads_somewhere() {
    for (fails, expect) in [(false, vec![("latest".to_owned(), 100)]), (true, vec![(FIRST.to_owned(), 100)])] {
        let mut stage = initialised(json!({"spec": {"revertOnDeletion": true}})).await;
        stage.answer_success(if fails { 10.0 } else { 100.0 });
        stage.kill().await;
        stage.start();
        push(&stage, "6.0.1").await;
        stage.until_phase(NAME, if fails { "Failed" } else { "Succeeded" }).await;
        let load = stage.cluster.load(clients());
        assert!(stage.cluster.delete(CANARY.0, CANARY.1, "test", NAME).await.unwrap());
        stage.pass(60.0).await;
        assert_eq!(load.tally().errors(), 0, "{:?}\n{}", load.tally(), stage.story(NAME).text());
        assert_eq!(stage.canary(NAME).await, Value::Null);
        assert_eq!((shares(&stage).await, primary(&stage).await), (expect, Value::Null));
    }
}

/// Flagger's annotation and traffic are adopted, in the middle of a rollout too.
#[tokio::test(start_paused = true)]
async fn a_canary_of_flagger_is_taken_over() {
    for (phase, weight) in [("Succeeded", 0), ("Progressing", 30)] {
        let mut stage = serving().await;
        let traffic = json!([
            {"latestRevision": true, "percent": weight}, {"revisionName": FIRST, "percent": 100 - weight},
        ]);
        let annotations = json!({"flagger.app/primary-revision": FIRST});
        let flaggers = json!({"metadata": {"annotations": annotations}, "spec": {"traffic": traffic}});
        stage.cluster.merge(SERVICE, ("test", NAME), &flaggers).await.unwrap();
        if weight > 0 {
            push(&stage, "6.0.1").await;
        }
        stage.pass(15.0).await;
        apply(&stage, &canary(&json!({}))).await;
        stage.patch_status(NAME, &status(&Left { weight, ..Left::at(phase) })).await;
        let load = stage.cluster.load(clients());
        stage.start();
        stage.pass(5.0).await;
        if weight > 0 {
            assert_eq!(shares(&stage).await, [(SECOND.to_owned(), 30), (FIRST.to_owned(), 70)]);
            stage.until_phase(NAME, "Succeeded").await;
        } else {
            assert_eq!(shares(&stage).await, at_rest(FIRST));
            stage.pass(60.0).await;
            assert_eq!(stage.canary(NAME).await["status"]["run"], 0);
        }
        assert_eq!(load.tally().errors(), 0, "{:?}\n{}", load.tally(), stage.story(NAME).text());
        stage.check_laws(NAME);
    }
}
