//! Names of generated objects that are too long, or that belong to something else: reported before traffic moves, and
//! what is there is left alone.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::Load;

use crate::{
    cluster::{Stage, manifests},
    pod_labels::{DEPLOYMENT, SERVICE, apply, deployment, live},
};

const NAME: &str = "podinfo";

/// A second Canary, for the Deployment `shop`.
async fn second(stage: &Stage, change: &Value) {
    stage.cluster.apply_yaml(&manifests::target("shop", 2)).await.unwrap();
    let mut canary = manifests::canary("shop");
    manifests::merge(&mut canary, change);
    apply(stage, &canary).await;
}

/// The apex of one Canary is the canary Service of another.
#[tokio::test(start_paused = true)]
async fn an_apex_that_is_a_service_of_another_canary_is_refused() {
    for name in ["podinfo-canary", "podinfo-primary"] {
        let mut stage = Stage::open().await;
        stage.answer_success(100.0);
        stage.start();
        stage.apply(NAME, &[]).await;
        stage.until_phase(NAME, "Initialized").await;
        let before = live(&stage, SERVICE, name).await;
        let load = Load::of_site("podinfo.example.com").per_second(10).lasting(Duration::from_secs(3_600));
        let load = stage.cluster.load(load);
        second(&stage, &json!({"spec": {"service": {"name": name}}})).await;
        stage.pass(60.0).await;
        stage.push(NAME, "6.0.1").await;
        stage.until_phase(NAME, "Succeeded").await;
        let (selector, story) =
            (live(&stage, SERVICE, name).await["spec"].clone(), stage.story("shop").text());
        assert_eq!(selector["selector"], before["spec"]["selector"], "{story}");
        assert_eq!(load.tally().errors(), 0, "{story}");
        assert_eq!(stage.reported("shop", name), 1, "{story}");
        assert_eq!(live(&stage, DEPLOYMENT, "shop").await["spec"]["replicas"], 2, "{story}");
    }
}

/// The value of the label by which pods are found has 63 characters at most, and the primary's is longer by eight.
#[tokio::test(start_paused = true)]
async fn a_label_that_is_too_long_for_the_primary_is_named() {
    let long = "a".repeat(60);
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    apply(&stage, &deployment(NAME, json!({"app": long}), "6.0.0")).await;
    stage.cluster.apply_yaml(&manifests::site(NAME)).await.unwrap();
    apply(&stage, &manifests::canary(NAME)).await;
    stage.pass(60.0).await;
    let story = stage.story(NAME).text();
    assert_eq!(stage.reported(NAME, "63"), 1, "{story}");
    assert_eq!(live(&stage, DEPLOYMENT, NAME).await["spec"]["replicas"], 2, "the target serves on: {story}");
    assert_eq!(live(&stage, DEPLOYMENT, "podinfo-primary").await, Value::Null, "{story}");
}

/// With its suffix the name of the Deployment is longer than a label may be, and no label has it.
#[tokio::test(start_paused = true)]
async fn a_long_name_needs_no_label_of_its_length() {
    let long = "a".repeat(58);
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    apply(&stage, &deployment(&long, json!({"app": "web"}), "6.0.0")).await;
    let mut canary = manifests::canary(NAME);
    manifests::merge(&mut canary, &json!({"spec": {"targetRef": {"name": long}, "service": {"name": NAME}}}));
    apply(&stage, &canary).await;
    stage.cluster.apply_yaml(&manifests::site(NAME)).await.unwrap();
    stage.pass(60.0).await;
    let phase = stage.canary(NAME).await["status"]["phase"].clone();
    let story = stage.story(NAME).text();
    assert_eq!(phase, "Initialized", "{story}");
}
