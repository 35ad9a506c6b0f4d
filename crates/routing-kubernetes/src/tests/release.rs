//! An apex of the user is released; every other one is left to the garbage collector or to its owner.

use serde_json::{Value, json};
use vexil_object::{Owner, Store};
use vexil_routing::Services;

use super::{apply, key, look, sample, settle, users};
use crate::KubernetesServices;

const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Adopts an apex, releases it twice and checks what is left.
fn check(annotations: Value, spec: Value, expect: Value) {
    let sample = sample(json!({"port": 80, "targetPort": 9898}));
    let mut store = users(json!({"annotations": annotations}), spec);
    settle(&sample, &mut store);
    let changes = KubernetesServices.release(&sample.target(), &look(&sample, &store));
    apply(&mut store, changes);
    assert_eq!(KubernetesServices.release(&sample.target(), &look(&sample, &store)), Ok(vec![]));
    let live = store.get(&key("podinfo")).unwrap();
    assert_eq!(live["spec"], expect);
    assert_eq!(live["metadata"]["annotations"], annotations);
}

#[test]
fn what_its_user_applied_is_restored() {
    let spec = json!({
        "selector": {"app": "podinfo", "tier": "web"},
        "ports": [{"name": "http", "port": 80, "targetPort": 8080}, {"port": 81, "name": "admin"}],
    });
    let live = json!({
        "selector": {"app": "podinfo", "tier": "web"},
        "ports": [
            {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"},
            {"name": "admin", "port": 81, "targetPort": 81, "protocol": "TCP"},
        ],
    });
    check(json!({APPLIED: json!({"spec": spec}).to_string()}), live.clone(), live);
}

#[test]
fn a_marker_that_its_user_applied_stays() {
    let marker = "kustomize.toolkit.fluxcd.io/reconcile";
    let live = json!({"selector": {"app": "podinfo"}, "ports": [{"name": "x", "port": 1, "targetPort": 1, "protocol": "TCP"}]});
    let applied = json!({"metadata": {"annotations": {marker: "disabled"}}, "spec": live});
    check(json!({APPLIED: applied.to_string(), marker: "disabled"}), live.clone(), live);
}

#[test]
fn without_a_record_of_it_the_targets_pods_are_selected() {
    let ports = json!([{"name": "http", "port": 80, "targetPort": 9898, "protocol": "TCP"}]);
    check(
        json!({"a": "b"}),
        json!({"selector": {"app": "web"}, "ports": [{"port": 81}]}),
        json!({"selector": {"app": "podinfo"}, "ports": [
            ports[0], {"name": "tcp-81", "port": 81, "targetPort": 81, "protocol": "TCP"},
        ]}),
    );
    check(
        json!({APPLIED: "{}"}),
        json!({"selector": {"app": "web"}}),
        json!({"selector": {"app": "podinfo"}, "ports": ports}),
    );
}

#[test]
fn a_record_that_cannot_be_read_is_an_error() {
    let sample = sample(json!({"port": 80}));
    let store = users(json!({"annotations": {APPLIED: "{"}}), json!({}));
    let error = KubernetesServices.release(&sample.target(), &look(&sample, &store)).unwrap_err().to_string();
    let path = "Service podinfo.test: metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]";
    assert!(error.starts_with(&format!("{path} is not JSON")), "{error}");
}

#[test]
fn there_is_nothing_to_release_in_what_is_ours_or_foreign_or_gone() {
    let sample = sample(json!({"port": 80}));
    let mut stores = vec![Store::default()];
    for uid in ["canary-uid", "another"] {
        let owner = Owner { name: "podinfo".to_owned(), uid: uid.to_owned() };
        stores.push(users(json!({"ownerReferences": [owner.reference()]}), json!({})));
    }
    for store in stores {
        assert_eq!(KubernetesServices.release(&sample.target(), &look(&sample, &store)), Ok(vec![]));
    }
}
