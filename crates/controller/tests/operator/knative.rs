//! Knative Services as targets: what is pushed gets no request before its analysis, and none is lost.

mod ownership;

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::{Load, Settings, System};

use crate::{
    cluster::{KillSwitch, Stage, manifests},
    guides,
    pod_labels::{apply, live},
};

const NAME: &str = "podinfo";
const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");
const SERVICE: (&str, &str) = ("serving.knative.dev/v1", "Service");
const REVISION: (&str, &str) = ("serving.knative.dev/v1", "Revision");
const FIRST: &str = "podinfo-00001";
const SECOND: &str = "podinfo-00002";
const THIRD: &str = "podinfo-00003";

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
    assert_eq!(primary(&stage).await, THIRD);
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
    push(&stage, "missing").await;
    stage.until_phase(NAME, "Failed").await;
    assert_eq!(shares(&stage).await, at_rest(FIRST));
    let said = stage.events_with(NAME, "Knative Revision podinfo-00002.test is not ready");
    assert!(!said.is_empty(), "{}", stage.story(NAME).text());
    assert_eq!(load.tally().errors(), 0, "{:?}", load.tally());
    stage.check_laws(NAME);
}

/// Pushes to the application of the example.
async fn set_image(stage: &Stage, tag: &str) {
    let live = live(stage, SERVICE, NAME).await;
    let mut container = live["spec"]["template"]["spec"]["containers"][0].clone();
    container["image"] = format!("ghcr.io/stefanprodan/podinfo:{tag}").into();
    let patch = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    stage.cluster.merge(SERVICE, ("test", NAME), &patch).await.unwrap();
}

/// The folder of the example, with the series of its own requests.
#[tokio::test(start_paused = true)]
async fn the_example_is_promoted_and_rolled_back() {
    let mut stage = Stage::with(Settings { system: System::Knative, ..Settings::default() }).await;
    stage.provider = "knative";
    stage.start();
    guides::apply(&stage, "knative").await;
    stage.until_phase(NAME, "Initialized").await;
    let load = stage.cluster.load(clients());
    set_image(&stage, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(600), |status| status["phase"] == "Succeeded").await;
    assert_eq!((primary(&stage).await, load.tally().errors()), (json!(SECOND), 0));
    set_image(&stage, "bad-6.0.2").await;
    stage.until(NAME, Duration::from_secs(600), |status| status["phase"] == "Failed").await;
    assert_eq!((shares(&stage).await, primary(&stage).await), (at_rest(SECOND).into(), json!(SECOND)));
    assert!(stage.reported(NAME, "advancement success rate") > 0, "{}", stage.story(NAME).text());
    stage.check_laws(NAME);
}
