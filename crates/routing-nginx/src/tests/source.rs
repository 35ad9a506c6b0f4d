//! The user's Ingress is missing, leads elsewhere, or is not what the Canary names.

use serde_json::{Value, json};
use vexil_object::Store;
use vexil_routing::{Provider as _, RouteError, Router as _};

use super::{GENERATED, USERS, cluster, guide, key, look, path, render, rule, sample, split, users, weights};
use crate::Nginx;

#[test]
fn an_ingress_that_cannot_be_followed_is_reported_with_flaggers_text() {
    let refused = |users: Option<Value>, error: &str| {
        let mut store = Store::default();
        users.into_iter().for_each(|users| store.put(key(USERS), users));
        assert_eq!(render(&sample(), &mut store, &split(0)), Err(error.to_owned()));
        assert_eq!(Nginx::default().release(&sample().target(), &look(&store)), Ok(Vec::new()));
    };
    refused(
        None,
        "Canary podinfo.test: spec.ingressRef.name names an Ingress that does not exist: ingress shop.test get query \
         error: not found",
    );
    let no_path =
        "Ingress shop.test: spec.rules has no path to the apex: backend podinfo not found in ingress shop";
    refused(Some(users(json!({}), &[rule("a", &[path("/", "docs")])])), no_path);
    refused(Some(json!({"spec": {"defaultBackend": {"resource": {}}}})), no_path);
    refused(Some(json!({"spec": {"rules": 5}})), "Ingress shop.test: spec.rules is not a list");
    let mut elsewhere = path("/", "podinfo");
    elsewhere["backend"]["service"]["port"]["number"] = json!(9898);
    refused(
        Some(users(json!({}), &[rule("a", &[elsewhere])])),
        "Ingress shop.test: spec.rules[0].http.paths[0].backend.service.port.number is 9898, which Service podinfo \
         does not have; it has http (80)",
    );
    let mut taken = cluster(guide());
    taken.put(key(GENERATED), json!({"spec": {}}));
    let error = Nginx::default().render(&sample().target(), &split(0), &look(&taken)).unwrap_err();
    assert!(matches!(&error, RouteError::Foreign { .. }), "{error}");
}

#[test]
fn without_the_users_ingress_the_canarys_weight_can_only_be_reduced() {
    let check = |live: u32, want: u32, expect: Option<(i64, i64)>| {
        let (sample, mut store) = (sample(), cluster(guide()));
        render(&sample, &mut store, &split(live)).unwrap();
        store.remove(&key(USERS));
        let written = render(&sample, &mut store, &split(want));
        assert_eq!(written.ok().as_ref().and_then(weights), expect, "from {live} to {want}");
    };
    check(50, 50, Some((50, 50)));
    check(50, 20, Some((80, 20)));
    check(50, 0, Some((100, 0)));
    check(50, 60, None);
    check(0, 0, None);
}

#[test]
fn a_reference_that_cannot_be_followed_is_a_defect_of_the_canary() {
    let check = |reference: Value, defect: &str| {
        let spec = json!({"targetRef": {"name": "podinfo"}, "ingressRef": reference});
        let canary = vexil_api::parse(&json!({"metadata": {}, "spec": spec})).unwrap();
        let text: Vec<_> = Nginx::default().defects(&canary).iter().map(ToString::to_string).collect();
        assert_eq!(text, Vec::from_iter(Some(defect).filter(|defect| !defect.is_empty())));
    };
    let reference =
        |version: &str, kind: &str, name: &str| json!({"apiVersion": version, "kind": kind, "name": name});
    check(reference("networking.k8s.io/v1", "Ingress", USERS), "");
    check(reference("extensions/v1beta1", "Ingress", USERS), "");
    check(reference("", "", USERS), "");
    check(Value::Null, "spec.ingressRef.name: is missing: ingress selector is empty");
    check(
        reference("gateway.networking.k8s.io/v1", "Ingress", USERS),
        "spec.ingressRef.apiVersion: is \"gateway.networking.k8s.io/v1\", not one of networking.k8s.io, extensions",
    );
    check(reference("", "HTTPRoute", USERS), "spec.ingressRef.kind: is \"HTTPRoute\", not Ingress");
}

#[test]
fn a_generated_ingress_is_deleted_when_it_is_released_and_the_users_stays() {
    let (sample, mut store) = (sample(), cluster(guide()));
    render(&sample, &mut store, &split(0)).unwrap();
    let changes = Nginx::default().release(&sample.target(), &look(&store)).unwrap();
    assert_eq!(changes.iter().map(|change| &change.key).collect::<Vec<_>>(), [&key(GENERATED)]);
    changes.iter().for_each(|change| store.apply(change).unwrap());
    assert_eq!((store.get(&key(GENERATED)), store.get(&key(USERS)).is_some()), (None, true));
    // One that waits for a finalizer is not deleted again.
    render(&sample, &mut store, &split(0)).unwrap();
    let mut going = store.get(&key(GENERATED)).unwrap().clone();
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    store.put(key(GENERATED), going);
    assert_eq!(Nginx::default().release(&sample.target(), &look(&store)), Ok(Vec::new()));
}
