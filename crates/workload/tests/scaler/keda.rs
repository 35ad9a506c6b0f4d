//! KEDA's ScaledObjects.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vexil_object::{Action, Store};

use crate::fixture::{Scene, guides_scaled_object, keda};

/// A scene whose source has this spec besides.
fn with(spec: Value) -> Scene {
    let mut scene = keda();
    scene.edit(&scene.source_key(), json!({"spec": spec}));
    scene
}

/// The primary's first query.
fn query(primary: &Value) -> &str {
    primary["spec"]["triggers"][0]["metadata"]["query"].as_str().unwrap()
}

#[test]
fn the_primarys_scaler_asks_about_the_primary_and_names_its_own_hpa() {
    let changes = keda().wants().unwrap();
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    let Action::Create(object) = &change.action else { panic!("{change:?}") };
    let mut spec = guides_scaled_object()["spec"].clone();
    spec["scaleTargetRef"]["name"] = json!("podinfo-primary");
    spec["advanced"]["horizontalPodAutoscalerConfig"]["name"] = json!("podinfo-primary");
    spec["triggers"][0]["metadata"]["query"] =
        json!("sum(rate(http_requests_total{ app=\"podinfo-primary\" }[30s]))");
    let expected = json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
        "metadata": {
            "name": "podinfo-so-primary", "namespace": "test", "labels": {"app": "podinfo"},
            "annotations": {
                "flagger.app/written-spec": object["metadata"]["annotations"]["flagger.app/written-spec"],
                "scaledobject.keda.sh/transfer-hpa-ownership": "true",
            },
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
    let mut scene = keda();
    scene.settled();
    let mut triggers = guides_scaled_object()["spec"]["triggers"].clone();
    triggers[0]["metadata"]["query"] = json!("sum(rate(r{app=\"podinfo-canary\"}[1m]))");
    let patch = json!({"spec": {"pollingInterval": 20, "triggers": triggers, "fallback": null, "tomorrow": {"a": 1}}});
    scene.edit(&scene.source_key(), patch);
    let primary = scene.settled();
    assert_eq!(primary["spec"]["pollingInterval"], 20);
    assert_eq!(query(&primary), "sum(rate(r{app=\"podinfo-primary\"}[1m]))");
    assert_eq!(primary["spec"].get("fallback"), None);
    assert_eq!(primary["spec"]["tomorrow"], json!({"a": 1}));
}

#[test]
fn the_canarys_own_queries_take_the_place_of_the_targets() {
    let trigger = |name: Option<&str>, metadata: Value| {
        let mut trigger = json!({"type": "prometheus", "metadata": metadata});
        if let Some(name) = name {
            trigger["name"] = json!(name);
        }
        trigger
    };
    let asked = json!({"query": "r{app=\"podinfo\"}", "threshold": "1"});
    let triggers = json!([
        trigger(Some("one"), asked.clone()),
        trigger(Some("two"), asked.clone()),
        trigger(Some("three"), asked.clone()),
        trigger(Some("bare"), Value::Null),
        trigger(None, asked),
    ]);
    let check = |queries: Option<&[(&str, &str)]>, expect: [Option<&str>; 5]| {
        let mut scene = with(json!({"triggers": triggers}));
        scene.reference.primary_scaler_queries = queries.map(|queries| {
            let owned = |(name, query): &(&str, &str)| ((*name).to_owned(), (*query).to_owned());
            queries.iter().map(owned).collect::<BTreeMap<_, _>>()
        });
        let primary = scene.settled();
        let found = [0, 1, 2, 3, 4].map(|at| primary["spec"]["triggers"][at]["metadata"]["query"].as_str());
        assert_eq!(found, expect, "{queries:?}");
    };
    let (own, ours) = (Some("r{app=\"podinfo\"}"), Some("r{app=\"podinfo-primary\"}"));
    check(None, [ours, ours, ours, None, ours]);
    check(Some(&[("one", "a"), ("two", "b")]), [Some("a"), Some("b"), own, None, own]);
    check(Some(&[("bare", "c")]), [own, own, own, Some("c"), own]);
    check(Some(&[]), [own, own, own, None, own]);
}

#[test]
fn only_queries_are_rewritten_each_in_its_own_language() {
    let check = |kind: &str, metadata: Value, expect: Value| {
        let mut scene = with(json!({"triggers": [{"type": kind, "metadata": metadata}]}));
        assert_eq!(scene.settled()["spec"]["triggers"][0]["metadata"], expect);
    };
    check(
        "datadog",
        json!({"query": "sum:h{service:podinfo}"}),
        json!({"query": "sum:h{service:podinfo-primary}"}),
    );
    check("prometheus", json!({"query": "sum(podinfo)"}), json!({"query": "sum(podinfo)"}));
    check("rabbitmq", json!({"queueName": "podinfo"}), json!({"queueName": "podinfo"}));
    check("cron", json!({}), json!({}));
}

#[test]
fn the_canary_may_give_the_primary_other_bounds() {
    let check = |spec: Value, min, max, expect: Result<(i64, i64), &str>| {
        let mut scene = with(spec).bounded(min, max);
        let found = scene.wants().map(|_| {
            let spec = &scene.settled()["spec"];
            (spec["minReplicaCount"].as_i64().unwrap_or(-1), spec["maxReplicaCount"].as_i64().unwrap_or(-1))
        });
        assert_eq!(found, expect.map_err(str::to_owned));
    };
    check(json!({}), Some(2), Some(15), Ok((2, 15)));
    check(json!({}), None, None, Ok((1, 3)));
    let unset = json!({"minReplicaCount": null, "maxReplicaCount": null});
    check(unset.clone(), None, None, Ok((-1, -1)));
    check(unset.clone(), None, Some(1), Ok((-1, 1)));
    check(
        unset,
        Some(101),
        None,
        Err("ScaledObject podinfo-so-primary.test: at least 101 and at most 100 pods cannot be; correct \
             spec.autoscalerRef.primaryScalerReplicas, or the bounds of ScaledObject podinfo-so.test"),
    );
}

#[test]
fn what_stands_in_the_way_is_reported_and_nothing_is_written() {
    let check = |scene: Scene, expect: &str| assert_eq!(scene.wants(), Err(expect.to_owned()));
    check(
        Scene::with("ScaledObject", guides_scaled_object()),
        "the cluster does not serve ScaledObject (keda.sh); install KEDA, or name another scaler in \
         spec.autoscalerRef",
    );
    let mut missing = keda();
    missing.store.remove(&missing.source_key());
    check(
        missing,
        "Keda ScaledObject podinfo-so.test get query error: scaledobjects.keda.sh \"podinfo-so\" not found",
    );
    let other = |found: &str| {
        format!(
            "ScaledObject podinfo-so.test: spec.scaleTargetRef names {found}, which is not the target Deployment \
             podinfo; name the target there, or in spec.autoscalerRef the scaler of the target"
        )
    };
    check(with(json!({"scaleTargetRef": {"name": "shop"}})), &other("Deployment shop"));
    check(with(json!({"scaleTargetRef": {"kind": "StatefulSet"}})), &other("StatefulSet podinfo"));
    check(with(json!({"scaleTargetRef": null})), &other("nothing"));

    let long = "a".repeat(56);
    let mut source = guides_scaled_object();
    source["metadata"]["name"] = json!(long);
    let mut scene = keda();
    scene.reference.name = long.clone();
    scene.store.put(scene.source_key(), source);
    check(
        scene,
        &format!(
            "name of the primary's scaler {long}-primary has 64 characters, more than the 63 that Kubernetes allows; \
             shorten it"
        ),
    );
}

#[test]
fn nothing_is_made_of_what_is_not_known() {
    let scene = keda();
    let definition = scene.kind().definition();
    for (key, expect) in [
        (definition.clone(), "CustomResourceDefinition scaledobjects.keda.sh is not known yet"),
        (scene.source_key(), "ScaledObject podinfo-so.test is not known yet"),
        (scene.primary_key(), "ScaledObject podinfo-so-primary.test is not known yet"),
    ] {
        assert_eq!(scene.wants_having(&scene.not_knowing(&key)), Err(expect.to_owned()));
    }
    let needs = |have| scene.scaler().needs(&scene.subject(), &scene.reference, &have);
    assert_eq!(needs(vexil_object::Objects::default()), std::slice::from_ref(&definition));
    let without = Scene { store: Store::default(), ..keda() };
    assert!(without.have().has(&definition) && !without.have().has(&without.source_key()));
}

#[test]
fn a_rollout_begins_with_the_minimum_of_the_targets_scaler() {
    let check = |scene: Scene, expect: i64| assert_eq!(scene.least(), expect);
    check(with(json!({"minReplicaCount": 4})), 4);
    check(with(json!({"minReplicaCount": 0, "idleReplicaCount": 0})), 1);
    check(with(json!({"minReplicaCount": null})), 1);
    check(Scene::with("ScaledObject", guides_scaled_object()), 1);
    check(Scene { store: Store::default(), ..keda() }, 1);
}
