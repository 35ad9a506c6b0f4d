//! What the generated route copies from the user's, at first and when that changes during a rollout.

use serde_json::{Value, json};
use vexil_routing::{Provider, Router};

use super::{GENERATED, USERS, cluster, key, look, rule, sample, split, weights, write};
use crate::Apisix;

/// A rule with a value for every field that APISIX documents, and with unknown fields at every depth.
fn full() -> Value {
    json!({
        "name": "method",
        "priority": 3,
        "timeout": {"connect": "10s", "read": "20s", "send": "30s", "x-idle": "40s"},
        "match": {
            "hosts": ["app.example.com", "*.example.org"],
            "methods": ["GET", "POST"],
            "paths": ["/*", "/api/*"],
            "remoteAddrs": ["10.0.0.0/8"],
            "filter_func": "function(vars) return vars['arg_name'] == 'json' end",
            "exprs": [
                {"subject": {"scope": "Header", "name": "X-Beta"}, "op": "Equal", "value": "1"},
                {"subject": {"scope": "Query", "name": "v"}, "op": "In", "set": ["1", "2"], "x-unknown": {"a": [null]}},
            ],
        },
        "backends": [{
            "serviceName": "podinfo", "servicePort": "http", "resolveGranularity": "service", "subset": "blue",
            "x-unknown": {"deep": [1, {"er": true}]},
        }],
        "upstreams": [{"name": "legacy", "weight": 10}],
        "websocket": true,
        "plugin_config_name": "shared",
        "plugin_config_namespace": "plugins",
        "plugins": [
            {"name": "prometheus", "enable": true, "config": {"prefer_name": true}},
            {"name": "limit-count", "enable": false, "secretRef": "limits", "config": {"count": 2, "rules": [{"a": {}}]}},
            {"name": "no-enable"},
        ],
        "authentication": {"enable": true, "type": "jwtAuth", "ldapAuth": {}, "jwtAuth": {"header": "X-Token"}},
        "x-unknown": {"deep": [{"er": null}]},
    })
}

/// The expected copy of a rule.
fn copied(rule: &Value, priority: i64, canary: u32) -> Value {
    let mut copy = rule.clone();
    let backend = |name: &str, weight: u32| {
        let mut backend = rule["backends"][0].clone();
        backend["serviceName"] = json!(name);
        backend["weight"] = json!(weight);
        backend
    };
    copy["priority"] = json!(priority);
    copy["backends"] = json!([backend("podinfo-primary", 100 - canary), backend("podinfo-canary", canary)]);
    copy
}

#[test]
fn a_rule_is_copied_with_every_field_it_has() {
    let spec = json!({"ingressClassName": "apisix", "http": [full()], "x-unknown": {"a": {"b": [1]}}});
    let mut store = cluster(json!({"spec": spec}));
    for canary in [0, 35, 100] {
        let live = write(&mut store, canary);
        let mut expect = spec.clone();
        expect["http"] = json!([copied(&full(), 10_000, canary)]);
        assert_eq!(live["spec"], expect);
    }
    assert_eq!(store.get(&key(USERS)).unwrap()["spec"], spec, "the user's route is only read");
}

#[test]
fn a_change_of_the_users_route_arrives_with_the_current_weights() {
    let check = |what: &str, change: fn(&mut Value), priorities: &[i64]| {
        let mut store = cluster(json!({"spec": {"http": [full()]}}));
        write(&mut store, 30);
        let mut users = store.get(&key(USERS)).unwrap().clone();
        change(&mut users["spec"]);
        store.put(key(USERS), users.clone());
        // The weights are still read: the change is not taken for drift of the generated route.
        assert_eq!(Apisix.read(&sample().target(), &look(&store)), Ok(split(30)), "{what}");
        let live = write(&mut store, 30);
        assert_eq!(weights(&live), Some((70, 30)), "{what}");
        let ours = users["spec"]["http"].as_array().unwrap().iter();
        let ours = ours.filter(|rule| rule["backends"][0]["serviceName"] == "podinfo");
        let expect: Vec<_> =
            ours.zip(priorities).map(|(rule, priority)| copied(rule, *priority, 30)).collect();
        assert_eq!(live["spec"]["http"], json!(expect), "{what}");
        assert_eq!(Apisix.render(&sample().target(), &split(30), &look(&store)), Ok(vec![]), "{what}");
    };
    check("nothing", |_| {}, &[10_000]);
    check("a plugin", |spec| spec["http"][0]["plugins"][1]["config"]["count"] = json!(9), &[10_000]);
    check("no plugins", |spec| spec["http"][0]["plugins"] = json!([]), &[10_000]);
    check("a path", |spec| spec["http"][0]["match"]["paths"] = json!(["/v2/*"]), &[10_000]);
    check("a timeout", |spec| spec["http"][0]["timeout"]["read"] = json!("1s"), &[10_000]);
    check("an upstream", |spec| spec["http"][0]["upstreams"][0]["weight"] = json!(1), &[10_000]);
    check("the port", |spec| spec["http"][0]["backends"][0]["servicePort"] = json!("http"), &[10_000]);
    check("an unknown field", |spec| spec["http"][0]["x-new"] = json!({"a": 1}), &[10_000]);
    check("the priority", |spec| spec["http"][0]["priority"] = json!(12_000), &[12_001]);
    check("the name", |spec| spec["http"][0]["name"] = json!("renamed"), &[10_000]);
    check(
        "a rule before it",
        |spec| spec["http"] = json!([rule("other", "elsewhere"), spec["http"][0], rule("more", "podinfo")]),
        &[10_001, 10_000],
    );
    check(
        "its order",
        |spec| spec["http"] = json!([rule("more", "podinfo"), spec["http"][0]]),
        &[10_000, 10_001],
    );
}

#[test]
fn rules_and_backends_are_found_by_name_at_any_position() {
    let mut store = cluster(json!({"spec": {"http": [rule("first", "podinfo"), rule("second", "podinfo")]}}));
    let untouched = write(&mut store, 30);
    let mut live = untouched.clone();
    let rules = live["spec"]["http"].as_array_mut().unwrap();
    rules.reverse();
    rules.insert(0, rule("another's", "elsewhere"));
    for rule in rules.iter_mut() {
        rule["backends"].as_array_mut().unwrap().reverse();
    }
    store.put(key(GENERATED), live);
    assert_eq!(Apisix.read(&sample().target(), &look(&store)), Ok(split(30)));
    assert_eq!(write(&mut store, 30)["spec"], untouched["spec"]);
}

#[test]
fn a_route_ref_that_cannot_be_followed_is_a_defect_of_the_canary() {
    let check = |reference: Value, defect: &str| {
        let spec = json!({"targetRef": {"name": "podinfo"}, "routeRef": reference});
        let canary = vexil_api::parse(&json!({"metadata": {}, "spec": spec})).unwrap();
        let text: Vec<_> = Apisix.defects(&canary).iter().map(ToString::to_string).collect();
        assert_eq!(text, Vec::from_iter(Some(defect).filter(|defect| !defect.is_empty())));
    };
    let reference =
        |version: &str, kind: &str, name: &str| json!({"apiVersion": version, "kind": kind, "name": name});
    check(reference("apisix.apache.org/v2", "ApisixRoute", "podinfo"), "");
    check(reference("", "", "podinfo"), "");
    check(Value::Null, "spec.routeRef.name: is missing: apisix route selector is empty");
    // Validation of every Canary reports that already.
    check(reference("apisix.apache.org/v2", "ApisixRoute", ""), "");
    check(
        reference("gateway.networking.k8s.io/v1", "HTTPRoute", "podinfo"),
        "spec.routeRef.apiVersion: is \"gateway.networking.k8s.io/v1\", not one of apisix.apache.org",
    );
    check(
        reference("apisix.apache.org/v2", "ApisixTls", "podinfo"),
        "spec.routeRef.kind: is \"ApisixTls\", not ApisixRoute",
    );
    let (fits, long) = ("r".repeat(238), "r".repeat(239));
    check(reference("", "", &fits), "");
    let text = format!(
        "spec.routeRef.name: is too long: the generated {long}-podinfo-canary would be longer than 253 characters"
    );
    check(reference("", "", &long), &text);
}
