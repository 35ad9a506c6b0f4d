//! Other scalers around a Canary: those it left behind, and those that would be second writers.

use serde_json::{Value, json};
use vexil_api::canary::ScalerRef;
use vexil_object::{Action, ObjectKey, Store, merge};
use vexil_workload::{abandoned, rivals};

use crate::fixture::{Scene, guides_hpa, guides_scaled_object, hpa, keda};

/// Everything in the store that is a scaler, as the controller lists it.
fn listed(store: &Store, keys: &[ObjectKey]) -> Vec<(ObjectKey, Value)> {
    keys.iter().filter_map(|key| Some((key.clone(), store.get(key)?.clone()))).collect()
}

fn borrowed(all: &[(ObjectKey, Value)]) -> Vec<(ObjectKey, &Value)> {
    all.iter().map(|(key, object)| (key.clone(), object)).collect()
}

/// A copy of an object under another name, with a patch.
fn another(object: Value, name: &str, patch: Value) -> Value {
    let mut object = object;
    object["metadata"]["name"] = json!(name);
    merge(&mut object, &patch);
    object
}

#[test]
fn copies_that_the_canary_no_longer_names_are_removed() {
    let (mut of_hpa, mut of_keda) = (hpa(), keda());
    of_hpa.settled();
    of_keda.settled();
    let mut all = listed(&of_hpa.store, &[of_hpa.source_key(), of_hpa.primary_key()]);
    all.extend(listed(&of_keda.store, &[of_keda.source_key(), of_keda.primary_key()]));
    let theirs = another(guides_hpa(), "shop-primary", json!({}));
    all.push((of_hpa.key("shop-primary"), theirs));
    let check = |reference: Option<&ScalerRef>, gone: &[&str]| {
        let changes = abandoned(&of_hpa.subject(), reference, &borrowed(&all));
        assert!(changes.iter().all(|change| matches!(change.action, Action::Delete(_))));
        let found: Vec<_> = changes.iter().map(|change| change.key.to_string()).collect();
        assert_eq!(found, gone);
    };
    let (hpas, scaled) =
        ("HorizontalPodAutoscaler podinfo-primary.test", "ScaledObject podinfo-so-primary.test");
    check(None, &[hpas, scaled]);
    check(Some(&of_hpa.reference), &[scaled]);
    check(Some(&of_keda.reference), &[hpas]);
    let renamed = ScalerRef { name: "podinfo-2".to_owned(), ..of_hpa.reference.clone() };
    check(Some(&renamed), &[hpas, scaled]);
    let unknown = ScalerRef { kind: "VerticalPodAutoscaler".to_owned(), ..of_hpa.reference.clone() };
    check(Some(&unknown), &[]);
}

#[test]
fn a_copy_that_is_going_or_somebody_elses_is_not_removed() {
    let mut scene = hpa();
    scene.settled();
    let check = |patch: Value| {
        let mut object = scene.primary();
        merge(&mut object, &patch);
        assert_eq!(abandoned(&scene.subject(), None, &[(scene.primary_key(), &object)]), []);
    };
    check(json!({"metadata": {"deletionTimestamp": "2026-11-21T09:00:00Z"}}));
    check(json!({"metadata": {"ownerReferences": null}}));
    let mut theirs = scene.primary();
    theirs["metadata"]["ownerReferences"][0]["uid"] = json!("another-canary");
    check(json!({"metadata": {"ownerReferences": theirs["metadata"]["ownerReferences"]}}));
}

#[test]
fn second_writers_are_told_with_what_to_do() {
    let check = |scene: &Scene, named: bool, object: Value, expect: Option<&str>| {
        let key = scene.key(object["metadata"]["name"].as_str().unwrap());
        let mut all = listed(&scene.store, &[scene.source_key(), scene.primary_key()]);
        if !named {
            all.clear();
        }
        all.push((key, object));
        let reported = rivals(&scene.subject(), named.then_some(&scene.reference), &borrowed(&all));
        assert_eq!(reported, expect.map(str::to_owned).into_iter().collect::<Vec<_>>());
    };
    let mut scene = hpa();
    scene.settled();
    let to = |name: &str| json!({"spec": {"scaleTargetRef": {"name": name}}});
    check(&scene, true, another(guides_hpa(), "shop", to("shop")), None);
    check(
        &scene,
        true,
        another(guides_hpa(), "second", json!({})),
        Some(
            "HorizontalPodAutoscaler second.test scales Deployment podinfo, whose replicas this Canary writes too: \
             delete it, or name it in spec.autoscalerRef in place of HorizontalPodAutoscaler podinfo",
        ),
    );
    check(
        &scene,
        false,
        another(guides_hpa(), "podinfo", json!({})),
        Some(
            "HorizontalPodAutoscaler podinfo.test scales Deployment podinfo, whose replicas this Canary writes too: \
             name it in spec.autoscalerRef or delete it",
        ),
    );
    let reported = "HorizontalPodAutoscaler by-hand.test scales Deployment podinfo-primary, whose replicas this Canary \
                writes too: delete it; the primary's scaler is made from the one in spec.autoscalerRef";
    let left = "HorizontalPodAutoscaler by-hand.test scales Deployment podinfo-primary, whose replicas are left to it; \
                to have the primary's scaler made from the target's, name that in spec.autoscalerRef and delete this \
                one";
    for (named, reported) in [(true, reported), (false, left)] {
        check(&scene, named, another(guides_hpa(), "by-hand", to("podinfo-primary")), Some(reported));
    }
    let made =
        json!({"metadata": {"ownerReferences": [{"kind": "ScaledObject", "uid": "x", "controller": true}]}});
    check(&scene, true, another(guides_hpa(), "keda-hpa-podinfo", made), None);
    let of_a_set = json!({"spec": {"scaleTargetRef": {"kind": "StatefulSet"}}});
    check(&scene, true, another(guides_hpa(), "set", of_a_set), None);
}

#[test]
fn a_query_that_names_the_target_in_an_unknown_form_is_reported() {
    let check = |query: &str, name: Value, expect: &[&str]| {
        let mut object = guides_scaled_object();
        let mut trigger = json!({"type": "prometheus", "metadata": {"query": query}});
        merge(&mut trigger, &json!({"name": name}));
        object["spec"]["triggers"] = json!([trigger]);
        let scene = keda();
        let reported = rivals(&scene.subject(), Some(&scene.reference), &[(scene.source_key(), &object)]);
        let reported: Vec<_> =
            reported.iter().map(|text| text.split(" of ScaledObject").next().unwrap()).collect();
        assert_eq!(reported, expect, "{query}");
    };
    check("sum(rate(r{app=\"podinfo\"}[2m]))", json!("rate"), &[]);
    check("r{service=~\"test-podinfo-canary-.*\"}", json!("rate"), &[]);
    check("r{app=\"podinfo-primary\"}", json!("rate"), &[]);
    check("up", json!("rate"), &[]);
    check("podinfo_requests", json!("rate"), &["the query of trigger rate"]);
    check("r{route=~\"test_x-podinfo-canary_.+\"}", Value::Null, &["the query of trigger 0 (prometheus)"]);
}

#[test]
fn what_the_users_scaledobject_says_in_vain_is_reported() {
    let check = |annotations: Value, queries: &[&str], expect: &[&str]| {
        let mut object = guides_scaled_object();
        merge(&mut object, &json!({"metadata": {"annotations": annotations}}));
        let mut scene = keda();
        let asked = queries.iter().map(|name| ((*name).to_owned(), "q".to_owned()));
        scene.reference.primary_scaler_queries = Some(asked.collect());
        let reported = rivals(&scene.subject(), Some(&scene.reference), &[(scene.source_key(), &object)]);
        assert_eq!(reported, expect);
    };
    check(json!({"autoscaling.keda.sh/paused-replicas": "0"}), &["requests"], &[]);
    check(
        json!({"autoscaling.keda.sh/paused-replicas": "5"}),
        &[],
        &[
            "ScaledObject podinfo-so.test holds Deployment podinfo at 5 pods (autoscaling.keda.sh/paused-replicas), \
           also between rollouts; take that annotation off to let the target rest",
        ],
    );
    check(
        json!({}),
        &["requests", "latency"],
        &["primaryScalerQueries has a query for latency, but ScaledObject podinfo-so.test has no \
           trigger of that name"],
    );
}
