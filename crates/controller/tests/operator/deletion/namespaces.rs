//! The namespace of a Canary is deleted in a rollout: nothing of the operator's keeps it, and a namespace of the same
//! name begins anew.

use std::time::Duration;

use serde_json::json;

use super::{NAME, PLACES, Place, SMI, apex, gone};
use crate::{
    cluster::{OPERATOR, Stage},
    pod_labels::apply,
};

const NAMESPACE: (&str, &str) = ("v1", "Namespace");

/// A Canary with a share of the traffic, whose namespace is deleted and empty afterwards.
async fn without_its_namespace(place: Place, reverts: bool) -> Stage {
    let what = format!("{}, revertOnDeletion: {reverts}", place.provider);
    let mut stage = place.initialised(json!({"spec": {"revertOnDeletion": reverts}})).await;
    stage.push(NAME, "6.0.1").await;
    let routed = |status: &serde_json::Value| status["canaryWeight"].as_u64() > Some(0);
    stage.until(NAME, Duration::from_secs(120), routed).await;
    assert!(stage.cluster.delete(NAMESPACE.0, NAMESPACE.1, "", "test").await.unwrap(), "{what}");
    gone(&mut stage, 60, &what).await;
    stage.pass(30.0).await;
    assert_eq!(stage.cluster.get(NAMESPACE.0, NAMESPACE.1, "", "test").await.unwrap(), None, "{what}");
    stage
}

async fn check(place: Place, reverts: bool) {
    let mut stage = without_its_namespace(place, reverts).await;
    let lines = |stage: &Stage| {
        let entries = stage.cluster.server().audit().of(OPERATOR);
        entries.iter().filter(|entry| entry.namespace == "test").count()
    };
    let before = lines(&stage);
    stage.pass(600.0).await;
    assert_eq!(lines(&stage), before, "{}: nothing is asked of a namespace that is gone", place.provider);
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn nothing_keeps_a_namespace_that_is_deleted_in_a_rollout() {
    for reverts in [false, true] {
        check(SMI, reverts).await;
        // Its route is outside of the namespace.
        check(PLACES[2], reverts).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_of_the_same_name_begins_anew() {
    let mut stage = without_its_namespace(SMI, true).await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "test"}});
    stage.cluster.apply_yaml(&namespace.to_string()).await.unwrap();
    apply(&stage, &apex()).await;
    stage.apply(NAME, &[&json!({"spec": {"provider": SMI.provider}})]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
}
