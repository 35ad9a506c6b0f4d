//! The laws, objects as Flagger wrote them, and how the user's route is followed.

mod follow;
mod source;

use serde_json::{Value, json};
use vexil_api::canary::RouteRef;
use vexil_object::{ObjectKey, Objects, Seen, Store, meta};
use vexil_routing::{
    Feature, RouteError, Router, Routes, Weight,
    laws::{self, Case, Sample, Source},
};

use crate::{Apisix, source::ROUTE};

fn key(name: &str) -> ObjectKey {
    ObjectKey::new(ROUTE, "test", name)
}

const USERS: &str = "podinfo";
const GENERATED: &str = "podinfo-podinfo-canary";

/// The Canary of the guide.
fn sample() -> Sample {
    let mut sample = Sample::default();
    sample.spec.route_ref = Some(RouteRef {
        api_version: Some("apisix.apache.org/v2".to_owned()),
        kind: "ApisixRoute".to_owned(),
        name: USERS.to_owned(),
    });
    sample
}

/// The user's rule of the guide.
fn rule(name: &str, service: &str) -> Value {
    json!({
        "name": name,
        "match": {"hosts": ["app.example.com"], "methods": ["GET"], "paths": ["/*"]},
        "backends": [{"serviceName": service, "servicePort": 80}],
        "plugins": [{"name": "prometheus", "enable": true, "config": {"disable": false, "prefer_name": true}}],
    })
}

/// A cluster with a user's route.
fn cluster(users: Value) -> Store {
    let mut store = Store::default();
    store.put(ROUTE.definition(), json!({"kind": "CustomResourceDefinition"}));
    store.put(key(USERS), users);
    store
}

fn guide() -> Store {
    cluster(json!({"spec": {"http": [rule("method", "podinfo")]}}))
}

fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

/// The weights as APISIX applies them: all rules must have the same, and no other backend.
fn weights(live: &Value) -> Option<(i64, i64)> {
    let mut found = None;
    for rule in live["spec"]["http"].as_array()? {
        let backends = rule["backends"].as_array().map(Vec::as_slice).unwrap_or_default();
        let weight = |name: &str| backends.iter().find(|b| b["serviceName"] == name)?["weight"].as_i64();
        let split = (weight("podinfo-primary"), weight("podinfo-canary"));
        match (split, found) {
            ((None, None), _) => {}
            ((Some(primary), Some(canary)), None) if backends.len() == 2 => found = Some((primary, canary)),
            ((Some(primary), Some(canary)), Some(before)) if before == (primary, canary) => {}
            _ => return None,
        }
    }
    found
}

fn look(store: &Store) -> Objects {
    let mut have = Objects::from(store);
    [ROUTE.definition(), key(USERS), key(GENERATED)].into_iter().for_each(|key| {
        have.insert(key.clone(), store.look(&key));
    });
    have
}

/// Writes `want` and returns the generated route.
fn write(store: &mut Store, want: u32) -> Value {
    let changes = Apisix.render(&sample().target(), &split(want), &look(store)).unwrap();
    changes.iter().for_each(|change| store.apply(change).unwrap());
    store.get(&key(GENERATED)).unwrap().clone()
}

#[test]
fn keeps_the_laws_of_routers() {
    let sample = sample();
    let mut rule = rule("method", "podinfo");
    rule["upstreams"] = json!([{"name": "legacy", "weight": 3}]);
    let other = json!({"name": "other", "backends": [{"serviceName": "legacy", "servicePort": 80}]});
    laws::all(&Case {
        router: &Apisix,
        target: sample.target(),
        cluster: cluster(json!({"spec": {"http": [rule, other]}})),
        route: key(GENERATED),
        owned: true,
        weights,
        other_routes: None,
        split: Some("/spec/http/0/backends"),
        lists: &[],
        adoptable: &[],
        foreign: &[json!({"metadata": {"ownerReferences": null}})],
        source: Some(Source { key: key(USERS), pointer: "/spec/http/0" }),
    })
    .unwrap();
}

#[test]
fn writes_what_flagger_wrote_without_its_additions() {
    let backend = |name: &str, weight: u32| json!({"serviceName": name, "servicePort": 80, "weight": weight});
    let mut store = guide();
    for canary in [0, 25, 50, 100, 0] {
        let live = write(&mut store, canary);
        let mut expect = rule("method", "podinfo");
        expect["priority"] = json!(10_000);
        expect["backends"] =
            json!([backend("podinfo-primary", 100 - canary), backend("podinfo-canary", canary)]);
        assert_eq!(live["spec"], json!({"http": [expect]}));
        assert_eq!(live["metadata"]["ownerReferences"], json!([sample().owner.reference()]));
        assert_eq!(
            (&live["metadata"]["labels"], &live["metadata"]["annotations"]),
            (&Value::Null, &Value::Null)
        );
    }
}

#[test]
fn copies_each_rule_for_the_apex_with_all_its_fields() {
    let mut first = rule("first", "podinfo");
    first["priority"] = json!(20_000);
    first["plugin_config_namespace"] = json!("plugins");
    first["match"]["exprs"] =
        json!([{"subject": {"scope": "Header", "name": "x"}, "op": "In", "set": ["a"]}]);
    first["backends"][0]["subset"] = json!("blue");
    first["backends"][0]["weight"] = json!(7);
    let mut last = rule("last", "podinfo");
    last["priority"] = json!(-3);
    last["timeout"] = json!({"read": "5s"});
    let http = json!([first, rule("other", "elsewhere"), {"name": "nowhere"}, last]);
    let stream = json!([{"name": "tcp", "protocol": "TCP"}]);
    let spec = json!({"ingressClassName": "apisix", "http": http, "stream": stream, "later": {"a": [1]}});
    let mut store = cluster(json!({"spec": spec}));
    let live = write(&mut store, 30);
    let copy = |rule: &Value, priority: i64| {
        let mut copy = rule.clone();
        copy["priority"] = priority.into();
        let backends = [("podinfo-primary", 70), ("podinfo-canary", 30)].map(|(name, weight)| {
            let mut backend = rule["backends"][0].clone();
            backend["serviceName"] = name.into();
            backend["weight"] = weight.into();
            backend
        });
        copy["backends"] = json!(backends);
        copy
    };
    let rules = [copy(&first, 20_001), copy(&last, 10_000)];
    assert_eq!(live["spec"], json!({"ingressClassName": "apisix", "http": rules, "later": {"a": [1]}}));
    assert_eq!(store.get(&key(USERS)).unwrap()["spec"], spec, "the user's route is only read");
}

#[test]
fn a_copy_wins_over_its_rule_and_the_users_order_of_rules_is_kept() {
    let check = |own: &[Option<i64>], expect: &[i64]| {
        let rules = own.iter().enumerate().map(|(at, priority)| {
            let mut rule = rule(&format!("rule-{at}"), "podinfo");
            rule["priority"] = json!(priority);
            rule
        });
        let live = write(&mut cluster(json!({"spec": {"http": rules.collect::<Vec<_>>()}})), 0);
        let rules = live["spec"]["http"].as_array().unwrap().iter();
        let written: Vec<_> = rules.map(|rule| rule["priority"].as_i64().unwrap()).collect();
        assert_eq!(written, expect, "{own:?}");
    };
    check(&[None], &[10_000]);
    check(&[Some(9_998)], &[10_000]);
    check(&[Some(9_999)], &[10_000]);
    check(&[Some(10_000)], &[10_001]);
    check(&[Some(i64::MAX)], &[i64::MAX]);
    check(&[Some(5), None, Some(5), Some(1)], &[10_002, 10_000, 10_002, 10_001]);
    check(&[None, Some(20_000)], &[10_000, 20_001]);
}

#[test]
fn does_not_pass_for_something_that_a_tool_has_applied() {
    let metadata = json!({
        "labels": {"team": "blue", "app.kubernetes.io/instance": "shop", "kustomize.toolkit.fluxcd.io/name": "shop"},
        "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "argocd.argoproj.io/tracking-id": "shop:apisix.apache.org/ApisixRoute:test/podinfo",
            "meta.helm.sh/release-name": "shop",
            "note": "kept",
        },
    });
    let mut store = cluster(json!({"metadata": metadata, "spec": {"http": [rule("method", "podinfo")]}}));
    let expect = |live: &Value, note: &Value| {
        assert_eq!(live["metadata"]["labels"], json!({"team": "blue"}));
        assert_eq!(live["metadata"]["annotations"], *note);
    };
    let mut live = write(&mut store, 0);
    expect(&live, &json!({"note": "kept"}));
    // As Flagger copied it, and with a key of someone else's.
    live["metadata"]["labels"]["app.kubernetes.io/instance"] = json!("shop");
    live["metadata"]["annotations"]["seen-by"] = json!("a controller");
    store.put(key(GENERATED), live);
    expect(&write(&mut store, 10), &json!({"note": "kept", "seen-by": "a controller"}));
}

#[test]
fn drift_is_reported_and_corrected() {
    let check = |pointer: &str, edit: Value, read: Result<u32, &str>| {
        let mut store = guide();
        let mut live = write(&mut store, 10);
        let untouched = live["spec"].clone();
        match live.pointer_mut(pointer) {
            Some(place) => *place = edit.clone(),
            None => meta::set(&mut live, &pointer.split('/').skip(1).collect::<Vec<_>>(), edit.clone()),
        }
        store.put(key(GENERATED), live);
        let text = Apisix.read(&sample().target(), &look(&store)).map_err(|error| error.to_string());
        let expect = read.map(split).map_err(|how| format!("ApisixRoute {GENERATED}.test: spec{how}"));
        assert_eq!(text, expect, "{pointer} {edit}");
        assert_eq!(write(&mut store, 10)["spec"], untouched, "{pointer} {edit}");
    };
    let backends = ".http[0].backends";
    let third = json!([
        {"serviceName": "podinfo-primary", "weight": 90},
        {"serviceName": "podinfo-canary", "weight": 10},
        {"serviceName": "podinfo", "weight": 10},
    ]);
    check("/spec/http/0/backends", third, Err(&format!("{backends} names a Service that is not ours")));
    check("/spec/http", json!([]), Err(".http has no rule that sends traffic to our Services"));
    check("/spec/http", json!(1), Err(".http is not a list"));
    check("/spec", json!(1), Err(" is not an object"));
    check("/spec/http/0/priority", json!(1), Ok(10));
    check("/spec/http/0/match/paths", json!([]), Ok(10));
    check("/spec/stream", json!([]), Ok(10));
}

#[test]
fn a_name_that_is_taken_and_a_kind_that_is_missing_are_errors() {
    let mut store = guide();
    store.put(key(GENERATED), json!({"spec": {}}));
    let error = Apisix.render(&sample().target(), &split(0), &look(&store)).unwrap_err();
    assert!(matches!(&error, RouteError::Foreign { .. }), "{error}");
    let mut have = look(&guide());
    have.insert(ROUTE.definition(), Seen::Absent);
    assert_eq!(
        Apisix.read(&sample().target(), &have).unwrap_err().to_string(),
        "the cluster does not serve ApisixRoute of apisix.apache.org/v2; install the CRDs of APISIX's ingress \
         controller, or choose another provider"
    );
    let error =
        Apisix.render(&sample().target(), &Routes::Mirrored { percent: Weight::FULL }, &Objects::default());
    assert_eq!(error, Err(RouteError::Unsupported { provider: "apisix", feature: Feature::Mirroring }));
}
