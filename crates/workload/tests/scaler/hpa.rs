//! HorizontalPodAutoscalers.

use serde_json::{Value, json};
use vexil_object::{Action, Store};

use crate::fixture::{Scene, guides_hpa, hpa as scene};

/// A scene whose source has this spec besides.
fn with(spec: Value) -> Scene {
    let mut scene = scene();
    scene.edit(&scene.source_key(), json!({"spec": spec}));
    scene
}

#[test]
fn the_primarys_scaler_is_the_targets_but_for_what_it_scales() {
    let changes = scene().wants().unwrap();
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    let Action::Create(object) = &change.action else { panic!("{change:?}") };
    let mut spec = guides_hpa()["spec"].clone();
    spec["scaleTargetRef"]["name"] = json!("podinfo-primary");
    let written = &object["metadata"]["annotations"]["flagger.app/written-spec"];
    assert!(written.as_str().unwrap().starts_with("v1-"), "{written}");
    let expected = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {
            "name": "podinfo-primary", "namespace": "test",
            "labels": {"app": "podinfo", "team": "blue"},
            "annotations": {"flagger.app/written-spec": written},
            "ownerReferences": [{
                "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "podinfo", "uid": "canary-uid",
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": spec,
    });
    assert_eq!(*object, expected);
}

#[test]
fn a_change_of_the_targets_scaler_reaches_the_primarys_at_once() {
    let check = |patch: Value, pointer: &str, expect: Value| {
        let mut scene = scene();
        scene.settled();
        scene.edit(&scene.source_key(), patch);
        let primary = scene.settled();
        assert_eq!(primary.pointer(pointer).cloned().unwrap_or_default(), expect, "{pointer}");
        assert_eq!(primary["spec"]["scaleTargetRef"]["name"], "podinfo-primary");
    };
    let metrics =
        json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 50}}}]);
    check(
        json!({"spec": {"metrics": metrics, "maxReplicas": 10}}),
        "/spec/metrics/0/resource/target/averageUtilization",
        json!(50),
    );
    check(json!({"spec": {"maxReplicas": 10}}), "/spec/maxReplicas", json!(10));
    check(json!({"spec": {"behavior": null}}), "/spec/behavior", Value::Null);
    check(
        json!({"spec": {"behavior": {"scaleUp": {"selectPolicy": null}}}}),
        "/spec/behavior/scaleUp/selectPolicy",
        Value::Null,
    );
    check(json!({"spec": {"aFieldOfTomorrow": {"a": [1]}}}), "/spec/aFieldOfTomorrow/a", json!([1]));
}

#[test]
fn a_field_that_others_fill_in_is_left_alone_and_what_they_change_is_put_back() {
    let check = |patch: Value, kept: Value| {
        let mut scene = scene();
        let before = scene.settled();
        scene.edit(&scene.primary_key(), json!({"spec": patch}));
        let after = scene.settled();
        let mut expect = before["spec"].clone();
        vexil_object::merge(&mut expect, &kept);
        assert_eq!(after["spec"], expect, "{patch}");
    };
    let tolerance = json!({"behavior": {"scaleUp": {"tolerance": "5%"}}});
    check(tolerance.clone(), tolerance);
    check(json!({"minReplicas": 7}), json!({}));
    check(json!({"scaleTargetRef": {"name": "podinfo"}}), json!({}));
    check(json!({"metrics": []}), json!({}));
    check(json!({"maxReplicas": null}), json!({}));
}

#[test]
fn a_copy_that_another_operator_made_is_taken_over_without_a_write_when_it_is_right() {
    let mut scene = scene();
    scene.settled();
    let forget = json!({"metadata": {"annotations": {"flagger.app/written-spec": null}}});
    scene.edit(&scene.primary_key(), forget);
    assert_eq!(scene.wants(), Ok(vec![]));
    scene.edit(&scene.primary_key(), json!({"spec": {"more": 1}}));
    assert!(scene.settled()["spec"].get("more").is_none());
}

#[test]
fn labels_annotations_and_status_of_the_copy_are_everybodys() {
    let mut scene = scene();
    scene.settled();
    let theirs = json!({
        "metadata": {"labels": {"cost-centre": "7", "team": null}, "annotations": {"note": "mine"}},
        "status": {"currentReplicas": 3},
    });
    scene.edit(&scene.primary_key(), theirs);
    assert_eq!(scene.wants(), Ok(vec![]));
    scene
        .edit(&scene.source_key(), json!({"spec": {"maxReplicas": 9}, "metadata": {"labels": {"new": "x"}}}));
    let primary = scene.settled();
    assert_eq!(primary["metadata"]["labels"], json!({"app": "podinfo", "cost-centre": "7"}));
    assert_eq!(primary["metadata"]["annotations"]["note"], "mine");
    assert_eq!(primary["status"], json!({"currentReplicas": 3}));
    assert_eq!(primary["spec"]["maxReplicas"], 9);
}

#[test]
fn the_canary_may_give_the_primary_other_bounds() {
    let check = |min, max, expect: Result<(i64, i64), &str>| {
        let mut scene = scene().bounded(min, max);
        let found = scene.wants().map(|_| {
            let spec = &scene.settled()["spec"];
            (spec["minReplicas"].as_i64().unwrap(), spec["maxReplicas"].as_i64().unwrap())
        });
        assert_eq!(found, expect.map_err(str::to_owned));
    };
    check(Some(2), Some(15), Ok((2, 15)));
    check(Some(3), None, Ok((3, 4)));
    check(None, Some(15), Ok((2, 15)));
    check(None, None, Ok((2, 4)));
    check(Some(4), Some(4), Ok((4, 4)));
    let wrong = "HorizontalPodAutoscaler podinfo-primary.test: at least 5 and at most 4 pods cannot be; correct \
                 spec.autoscalerRef.primaryScalerReplicas, or the bounds of HorizontalPodAutoscaler podinfo.test";
    check(Some(5), None, Err(wrong));
    let wrong = "HorizontalPodAutoscaler podinfo-primary.test: at least 2 and at most 1 pods cannot be; correct \
                 spec.autoscalerRef.primaryScalerReplicas, or the bounds of HorizontalPodAutoscaler podinfo.test";
    check(None, Some(1), Err(wrong));
}

#[test]
fn what_stands_in_the_way_is_reported_and_nothing_is_written() {
    let check = |scene: Scene, expect: &str| assert_eq!(scene.wants(), Err(expect.to_owned()));
    check(
        Scene { store: Store::default(), ..scene() },
        "HorizontalPodAutoscaler podinfo.test get query error: horizontalpodautoscalers.autoscaling \"podinfo\" not \
         found",
    );
    let other = |found: &str| {
        format!(
            "HorizontalPodAutoscaler podinfo.test: spec.scaleTargetRef names {found}, which is not the target \
             Deployment podinfo; name the target there, or in spec.autoscalerRef the scaler of the target"
        )
    };
    check(with(json!({"scaleTargetRef": {"name": "shop"}})), &other("Deployment shop"));
    check(with(json!({"scaleTargetRef": {"kind": "StatefulSet"}})), &other("StatefulSet podinfo"));
    check(
        with(json!({"scaleTargetRef": {"apiVersion": "example.com/v1"}})),
        &other("Deployment podinfo of example.com/v1"),
    );
    check(with(json!({"scaleTargetRef": null})), &other("nothing"));

    let mut foreign = scene();
    foreign.store.put(foreign.primary_key(), guides_hpa());
    check(
        foreign,
        "HorizontalPodAutoscaler podinfo-primary.test is controlled by no Canary and is left alone; remove or rename \
         it once nothing uses it, or, if it was restored from a backup, add an owner reference to Canary podinfo with its uid and \
         controller: true",
    );
    let long = "a".repeat(250);
    let mut source = guides_hpa();
    source["metadata"]["name"] = json!(long);
    check(
        Scene::with("HorizontalPodAutoscaler", source),
        &format!(
            "name of the primary's scaler {long}-primary has 258 characters, more than the 253 that Kubernetes \
             allows; shorten it"
        ),
    );
}

#[test]
fn nothing_is_made_or_judged_of_what_is_not_known() {
    let scene = scene();
    let check = |name: &str| {
        let have = scene.not_knowing(&scene.key(name));
        let error = format!("HorizontalPodAutoscaler {name}.test is not known yet");
        assert_eq!(scene.wants_having(&have), Err(error));
    };
    check("podinfo");
    check("podinfo-primary");
    let have = scene.not_knowing(&scene.source_key());
    assert!(scene.scaler().least(&scene.subject(), &scene.reference, &have).is_err());
}

#[test]
fn an_old_version_of_the_target_and_a_copy_that_is_going_are_no_trouble() {
    let mut scene = with(json!({"scaleTargetRef": {"apiVersion": "extensions/v1beta1"}}));
    assert_eq!(scene.settled()["spec"]["scaleTargetRef"]["apiVersion"], "extensions/v1beta1");
    scene.edit(&scene.primary_key(), json!({"metadata": {"deletionTimestamp": "2026-11-21T09:00:00Z"}}));
    scene.edit(&scene.source_key(), json!({"spec": {"maxReplicas": 9}}));
    assert_eq!(scene.wants(), Ok(vec![]));
}

#[test]
fn a_rollout_begins_with_the_minimum_of_the_targets_scaler() {
    let check = |scene: Scene, expect: i64| assert_eq!(scene.least(), expect);
    check(scene(), 2);
    check(with(json!({"minReplicas": 5})), 5);
    check(with(json!({"minReplicas": 0})), 1);
    check(with(json!({"minReplicas": null})), 1);
    check(with(json!({"scaleTargetRef": {"name": "shop"}})), 1);
    check(Scene { store: Store::default(), ..scene() }, 1);
    check(scene().bounded(Some(3), None), 2);
}

#[test]
fn it_needs_no_pausing() {
    let scene = scene();
    let (scaler, subject, have) = (scene.scaler(), scene.subject(), scene.have());
    assert_eq!(scaler.pause(&subject, &scene.reference, &have), Ok(None));
    assert_eq!(scaler.resume(&subject, &scene.reference, &have), Ok(None));
}
