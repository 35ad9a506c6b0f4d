//! Whose the traffic of a Knative Service is: before there is a Canary, beside it, after it, and Flagger's.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    CANARY, FIRST, NAME, REVISION, SECOND, SERVICE, THIRD, at_rest, canary, clients, initialised, primary,
    push, serving, shares,
};
use crate::{
    adoption::{Left, status},
    pod_labels::{apply, live},
};

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

/// The last Revision was rolled back, and that of the primary is deleted: Knative does not make it anew.
#[tokio::test(start_paused = true)]
async fn a_primary_whose_revision_was_deleted_is_reported_and_the_next_push_heals() {
    let mut stage = initialised(json!({})).await;
    push(&stage, "missing").await;
    stage.until_phase(NAME, "Failed").await;
    assert!(stage.cluster.delete(REVISION.0, REVISION.1, "test", FIRST).await.unwrap());
    stage.pass(30.0).await;
    let story = stage.story(NAME).text();
    assert_eq!(stage.reported(NAME, "podinfo-primary.test is gone"), 1, "{story}");
    assert_eq!(primary(&stage).await, FIRST);
    push(&stage, "6.0.2").await;
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!((shares(&stage).await, primary(&stage).await), (at_rest(THIRD).into(), json!(THIRD)));
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_leaves_traffic_that_leads_somewhere() {
    for (fails, expect) in [(false, vec![("latest".to_owned(), 100)]), (true, vec![(FIRST.to_owned(), 100)])]
    {
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
            let named: Vec<String> = shares(&stage).await.into_iter().map(|(name, _)| name).collect();
            assert_eq!(named, [SECOND, FIRST], "the canary is named");
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
