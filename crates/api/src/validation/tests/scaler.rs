//! References to scalers.

use serde_json::{Value, json};

use super::{ValidationContext, check_in, context, patch, reported};

/// A reference to the HPA of the guides, with this change, has these defects and remarks, reported under
/// `spec.autoscalerRef`.
#[track_caller]
fn check_with(change: Value, defects: &[&str], remarks: &[&str]) {
    let mut reference = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "podinfo",
    });
    patch(&mut reference, &change);
    let (found, remarked) = reported(&context(), json!({ "autoscalerRef": reference }));
    let inner = |all: Vec<String>| -> Vec<String> {
        all.iter().filter_map(|text| text.strip_prefix("autoscalerRef.")).map(str::to_owned).collect()
    };
    assert_eq!((inner(found), inner(remarked)), (owned(defects), owned(remarks)), "{change}");
}

#[track_caller]
fn check(change: Value, defects: &[&str]) {
    check_with(change, defects, &[]);
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A reference to a ScaledObject.
fn keda(change: Value) -> Value {
    let mut reference = json!({ "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject" });
    patch(&mut reference, &change);
    reference
}

#[test]
fn references_of_old_and_new_guides_have_no_defect() {
    check(json!({}), &[]);
    for version in ["v1", "v2beta1", "v2beta2", "v2"] {
        check(json!({ "apiVersion": format!("autoscaling/{version}") }), &[]);
    }
    check(json!({ "apiVersion": null }), &[]);
    check(json!({ "primaryScalerReplicas": {} }), &[]);
    check(json!({ "primaryScalerReplicas": { "minReplicas": 2, "maxReplicas": 15 } }), &[]);
    check(json!({ "primaryScalerReplicas": { "minReplicas": 3.0, "maxReplicas": 3 } }), &[]);
    check(keda(json!({})), &[]);
    check(keda(json!({ "primaryScalerQueries": { "requests": "sum(x)" } })), &[]);
    check(keda(json!({ "primaryScalerQueries": {} })), &[]);
}

#[test]
fn another_kind_or_group_is_refused_with_what_to_write() {
    check(json!({ "kind": null }), &["kind: is required"]);
    check(
        json!({ "kind": "VerticalPodAutoscaler" }),
        &["kind: unknown kind `VerticalPodAutoscaler`; there are HorizontalPodAutoscaler, ScaledObject"],
    );
    check(
        json!({ "apiVersion": "apps/v1" }),
        &["apiVersion: `apps/v1` has no HorizontalPodAutoscaler; write autoscaling/v2"],
    );
    check(
        json!({ "apiVersion": "v2" }),
        &["apiVersion: `v2` has no HorizontalPodAutoscaler; write autoscaling/v2"],
    );
    check(
        keda(json!({ "apiVersion": "keda.k8s.io/v1alpha1" })),
        &["apiVersion: `keda.k8s.io/v1alpha1` has no ScaledObject; write keda.sh/v1alpha1"],
    );
}

#[test]
fn names_that_no_scaler_can_have() {
    check(json!({ "name": null }), &["name: is required"]);
    check(
        json!({ "name": "Pod_Info" }),
        &["name: `Pod_Info` is no name of a Kubernetes object: lower-case letters, digits, `-` and `.`"],
    );
    let long = "a".repeat(56);
    check(json!({ "name": long }), &[]);
    let text = format!("name: `{long}-primary` would be longer than 63 characters");
    check(keda(json!({ "name": long })), &[&text]);
    let longer = "a".repeat(246);
    let text = format!("name: `{longer}-primary` would be longer than 253 characters");
    check(json!({ "name": longer }), &[&text]);
}

#[test]
fn bounds_that_exclude_each_other_or_every_pod() {
    let bounds =
        |min: i64, max: i64| json!({ "primaryScalerReplicas": { "minReplicas": min, "maxReplicas": max } });
    check(bounds(5, 3), &["primaryScalerReplicas.minReplicas: 5 is more than maxReplicas 3"]);
    check(bounds(-1, 3), &["primaryScalerReplicas.minReplicas: must be at least 1"]);
    check(
        bounds(0, 0),
        &[
            "primaryScalerReplicas.minReplicas: must be at least 1",
            "primaryScalerReplicas.maxReplicas: must be at least 1",
        ],
    );
    check(
        json!({ "primaryScalerReplicas": { "maxReplicas": -2 } }),
        &["primaryScalerReplicas.maxReplicas: must be at least 1"],
    );
}

#[test]
fn queries_for_a_scaler_that_has_none_are_remarked() {
    check_with(
        json!({ "primaryScalerQueries": { "requests": "sum(x)" } }),
        &[],
        &["primaryScalerQueries: has no effect: a HorizontalPodAutoscaler has no queries"],
    );
}

#[test]
fn a_kind_that_the_operator_adds_is_supported() {
    let more = || ValidationContext {
        target_kinds: &["Deployment", "Rollout"],
        scaler_kinds: &["HorizontalPodAutoscaler", "Timetable"],
        ..context()
    };
    let kinds = |target: &str, scaler: &str| {
        json!({
            "targetRef": { "kind": target },
            "autoscalerRef": { "apiVersion": "example.com/v1", "kind": scaler, "name": "podinfo" },
        })
    };
    check_in(more(), kinds("Rollout", "Timetable"), &[]);
    check_in(
        more(),
        kinds("StatefulSet", "VerticalPodAutoscaler"),
        &[
            "targetRef.kind: unknown kind `StatefulSet`; there are Deployment, DaemonSet, Service, Rollout",
            "autoscalerRef.kind: unknown kind `VerticalPodAutoscaler`; there are HorizontalPodAutoscaler, ScaledObject, \
             Timetable",
        ],
    );
}
