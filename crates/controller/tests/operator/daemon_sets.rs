//! Whole rollouts of DaemonSets.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::Load;

use crate::{
    cluster::{Stage, manifests},
    pod_labels::{apply, live},
};

const NAME: &str = "podinfo";
const DAEMON_SET: (&str, &str) = ("apps/v1", "DaemonSet");

fn daemon_set(tag: &str) -> Value {
    let labels = json!({"app": NAME});
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": NAME, "namespace": "test", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels}, "minReadySeconds": 0,
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{
                    "name": "podinfod", "image": format!("stefanprodan/podinfo:{tag}"),
                    "ports": [{"name": "http", "containerPort": 9898}],
                }]},
            },
        },
    })
}

/// An initialised Canary with a DaemonSet as target.
async fn initialised(target: &Value) -> Stage {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    apply(&stage, target).await;
    stage.cluster.apply_yaml(&manifests::site(NAME)).await.unwrap();
    let mut canary = manifests::canary(NAME);
    manifests::merge(&mut canary, &json!({"spec": {"targetRef": {"kind": "DaemonSet"}}}));
    apply(&stage, &canary).await;
    stage.until_phase(NAME, "Initialized").await;
    stage
}

async fn push(stage: &Stage, tag: &str) {
    let image = json!([{"name": "podinfod", "image": format!("stefanprodan/podinfo:{tag}"), "ports": [{"name": "http", "containerPort": 9898}]}]);
    let change = json!({"spec": {"template": {"spec": {"containers": image}}}});
    stage.cluster.merge(DAEMON_SET, ("test", NAME), &change).await.unwrap();
}

fn image(object: &Value) -> &str {
    object["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap_or_default()
}

fn at_zero(object: &Value) -> bool {
    object["spec"]["template"]["spec"]["nodeSelector"]["flagger.app/scale-to-zero"] == "true"
}

#[tokio::test(start_paused = true)]
async fn a_daemon_set_is_rolled_out_without_a_failed_request() {
    let mut stage = initialised(&daemon_set("6.0.0")).await;
    let (target, primary) =
        (live(&stage, DAEMON_SET, NAME).await, live(&stage, DAEMON_SET, "podinfo-primary").await);
    assert!(at_zero(&target) && !at_zero(&primary));
    assert_eq!(target["status"]["desiredNumberScheduled"], 0);
    assert_eq!(primary["spec"]["selector"]["matchLabels"], json!({"app": "podinfo-primary"}));
    let load = stage
        .cluster
        .load(Load::of_site("podinfo.example.com").per_second(5).lasting(Duration::from_secs(3_600)));
    push(&stage, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    assert!(!at_zero(&live(&stage, DAEMON_SET, NAME).await));
    stage.until_phase(NAME, "Succeeded").await;
    let tally = load.tally();
    assert_eq!(tally.errors(), 0, "{tally:?}");
    let (target, primary) =
        (live(&stage, DAEMON_SET, NAME).await, live(&stage, DAEMON_SET, "podinfo-primary").await);
    assert_eq!(image(&primary), "stefanprodan/podinfo:6.0.1");
    assert!(at_zero(&target) && !at_zero(&primary));
    stage.pass(300.0).await;
    assert_eq!(stage.canary(NAME).await["status"]["run"], 1, "the node selector is no revision");
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_set_that_fails_its_checks_is_rolled_back() {
    let mut stage = initialised(&daemon_set("6.0.0")).await;
    stage.answer_success(10.0);
    stage.kill().await;
    stage.start();
    push(&stage, "6.0.1").await;
    stage.until_phase(NAME, "Failed").await;
    stage.pass(30.0).await;
    assert_eq!(image(&live(&stage, DAEMON_SET, "podinfo-primary").await), "stefanprodan/podinfo:6.0.0");
    assert!(at_zero(&live(&stage, DAEMON_SET, NAME).await));
    // The revision that the primary has is no new one; the next is.
    push(&stage, "6.0.0").await;
    stage.pass(60.0).await;
    assert_eq!(stage.canary(NAME).await["status"]["run"], 1);
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_set_that_replaces_no_pods_itself_is_refused() {
    let mut stage = Stage::open().await;
    stage.start();
    let mut target = daemon_set("6.0.0");
    target["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    apply(&stage, &target).await;
    let mut canary = manifests::canary(NAME);
    manifests::merge(&mut canary, &json!({"spec": {"targetRef": {"kind": "DaemonSet"}}}));
    apply(&stage, &canary).await;
    stage.pass(60.0).await;
    let text = "daemonset podinfo.test must have RollingUpdate strategy but have OnDelete";
    assert_eq!(stage.reported(NAME, text), 1, "{}", stage.story(NAME).text());
    assert_eq!(live(&stage, DAEMON_SET, "podinfo-primary").await, Value::Null);
}

fn for_pool(pool: Value) -> Value {
    json!({"spec": {"template": {"spec": {"nodeSelector": {"pool": pool}}}}})
}

/// Nothing scales up a DaemonSet that no node fits, so it is not asleep.
#[tokio::test(start_paused = true)]
async fn a_daemon_set_that_no_node_fits_is_waited_for_until_another_is_pushed() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    let mut target = daemon_set("6.0.0");
    manifests::merge(&mut target, &for_pool("gone".into()));
    apply(&stage, &target).await;
    let mut canary = manifests::canary(NAME);
    manifests::merge(&mut canary, &json!({"spec": {"targetRef": {"kind": "DaemonSet"}}}));
    apply(&stage, &canary).await;
    stage.pass(120.0).await;
    let text = "primary daemonset podinfo-primary.test not ready: no node is selected";
    assert_eq!(stage.reported(NAME, text), 1, "{}", stage.story(NAME).text());
    assert_eq!(stage.canary(NAME).await["status"]["phase"], "Initializing");
    stage.cluster.merge(DAEMON_SET, ("test", NAME), &for_pool(Value::Null)).await.unwrap();
    stage.until_phase(NAME, "Initialized").await;
    let primary = live(&stage, DAEMON_SET, "podinfo-primary").await;
    assert_eq!(primary["status"]["numberAvailable"], 2, "{primary}");
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_fits_no_node_any_more_gets_no_requests() {
    let mut stage = initialised(&daemon_set("6.0.0")).await;
    push(&stage, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    stage.cluster.merge(DAEMON_SET, ("test", "podinfo-primary"), &for_pool("gone".into())).await.unwrap();
    stage.pass(10.0).await;
    let load = stage
        .cluster
        .load(Load::of_site("podinfo.example.com").per_second(5).lasting(Duration::from_secs(3_600)));
    stage.pass(10.0).await;
    let tally = load.tally();
    assert_eq!(tally.errors(), 0, "{tally:?} {}", stage.story(NAME).text());
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(image(&live(&stage, DAEMON_SET, "podinfo-primary").await), "stefanprodan/podinfo:6.0.1");
    assert_eq!(load.tally().errors(), 0, "{:?} {}", load.tally(), stage.story(NAME).text());
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_rollout_of_a_daemon_set_survives_crashes_of_the_operator() {
    for writes in [1, 2, 3, 5] {
        let mut stage = initialised(&daemon_set("6.0.0")).await;
        stage.kill().await;
        stage.cut_again = Some(writes);
        stage.start_on(crate::cluster::KillSwitch::new(Some(writes)));
        push(&stage, "6.0.1").await;
        stage.until_phase(NAME, "Succeeded").await;
        assert_eq!(image(&live(&stage, DAEMON_SET, "podinfo-primary").await), "stefanprodan/podinfo:6.0.1");
        assert_eq!(stage.canary(NAME).await["status"]["run"], 1);
        stage.check_laws(NAME);
    }
}

/// The pods of the primary crash while the last requests to the canary are awaited, and then a revision is pushed: it
/// gets no traffic before its analysis once the primary serves again.
#[tokio::test(start_paused = true)]
async fn a_primary_that_is_back_after_its_promotion_keeps_traffic_from_what_is_pushed() {
    let mut stage = initialised(&daemon_set("6.0.0")).await;
    push(&stage, "6.0.1").await;
    stage.until_phase(NAME, "Finalising").await;
    stage.pass(8.0).await;
    stage.cluster.crash_pods("test", &[("app", "podinfo-primary")]);
    stage.pass(3.0).await;
    push(&stage, "6.0.2").await;
    stage.until(NAME, Duration::from_secs(5), |status| status["canaryWeight"] == 100).await;
    stage.until(NAME, Duration::from_secs(20), |status| status["canaryWeight"] == 0).await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.check_laws(NAME);
}
