//! VirtualServices that users wrote: what is changed of them, what is refused, and what is given back.

use serde_json::{Value, json};
use vexil_object::{Change, Objects, Seen, Store};
use vexil_routing::{RouteTarget, Router as _, Routes};

use super::{Istio, both, cluster, key, read, rules, sample, split, to, write};

fn users(http: Value) -> Value {
    json!({"spec": {"hosts": ["app.example.com"], "gateways": ["public"], "http": http}})
}

fn released(target: &RouteTarget<'_>, live: Value) -> Value {
    let mut store: Store = cluster();
    store.put(key(), live);
    let mut have = Objects::from(&store);
    for name in ["podinfo-primary", "podinfo-canary"] {
        have.insert(vexil_object::ObjectKey::new(rules(), "test", name), Seen::Absent);
    }
    let changes: Vec<Change> = Istio.release(target, &have).unwrap();
    changes.iter().for_each(|change| store.apply(change).unwrap());
    store.get(&key()).unwrap().clone()
}

#[test]
fn the_routes_to_the_apex_get_weights_and_nothing_else_changes() {
    let given = sample(
        json!({"hosts": ["other"], "timeout": "9s"}),
        json!({"match": [{"headers": {"x": {"exact": "1"}}}]}),
    );
    let target = given.target();
    let shop = json!({"match": [{"uri": {"prefix": "/shop"}}], "route": [to("shop", 100)]});
    let api = json!([{"uri": {"prefix": "/api"}}]);
    let found = users(json!([
        shop,
        {"name": "api", "match": api, "timeout": "2s", "route": [{"destination": {"host": "podinfo"}}]},
    ]));
    let live = write(&target, Some(found.clone()), split(30));
    assert_eq!(live["metadata"]["ownerReferences"], Value::Null);
    let halves = json!([to("podinfo", 70), to("podinfo-canary", 30)]);
    let expect = |http: Value| users(http)["spec"].clone();
    assert_eq!(
        live["spec"],
        expect(json!([shop, {"name": "api", "match": api, "timeout": "2s", "route": halves}]))
    );
    assert_eq!(read(&target, &live), Ok(split(30)));

    let matched = write(&target, Some(live), Routes::Matched);
    let condition = json!([{"uri": {"prefix": "/api"}, "headers": {"x": {"exact": "1"}}}]);
    assert_eq!(
        matched["spec"],
        expect(json!([
            shop,
            {"name": "podinfo-canary-match", "match": condition, "timeout": "2s",
             "route": [to("podinfo-canary", 100), to("podinfo-primary", 0)]},
            {"name": "api", "match": api, "timeout": "2s", "route": [to("podinfo", 100), to("podinfo-canary", 0)]},
        ]))
    );
    assert_eq!(released(&target, matched)["spec"], found["spec"]);
}

#[test]
fn a_route_that_flagger_replaced_is_given_back_as_flagger_kept_it() {
    let given = sample(json!({}), json!({}));
    let original = json!({"hosts": ["podinfo"], "http": [{"route": [{"destination": {"host": "podinfo"}}]}]});
    let mut live = users(json!([{"route": both(0)}]));
    assert_eq!(
        released(&given.target(), live.clone())["spec"]["http"],
        json!([{"route": [{"destination": {"host": "podinfo"}}]}]),
        "without the original, the apex is put in the place of the primary"
    );
    live["metadata"] =
        json!({"annotations": {"flagger.kubernetes.io/original-configuration": original.to_string()}});
    let after = released(&given.target(), live);
    assert_eq!(after["spec"], original);
    assert_eq!(after["metadata"]["annotations"].as_object().map(|all| all.len()), Some(0));
}

fn refused(analysis: Value, http: Value, expect: &str) {
    let given = sample(json!({}), analysis);
    let error = read(&given.target(), &users(http.clone())).unwrap_err();
    assert_eq!(error, format!("VirtualService podinfo.test: {expect}"), "{http}");
}

#[test]
fn a_route_in_which_weights_mean_something_else_is_refused() {
    let apex = json!({"destination": {"host": "podinfo"}});
    refused(
        json!({}),
        json!([{"route": [to("shop", 100)]}]),
        "spec.http has no route to podinfo: add one to the host podinfo",
    );
    refused(
        json!({}),
        json!([{"route": [to("podinfo", 90), to("legacy", 10)]}]),
        "spec.http[0].route has other hosts beside podinfo: give podinfo a route of its own, or remove them",
    );
    refused(
        json!({}),
        json!([{"route": [{"destination": {"host": "podinfo", "subset": "v1"}}]}]),
        "spec.http[0].route names a subset, which primary and canary do not have: remove it",
    );
    refused(
        json!({"mirror": true}),
        json!([{"route": [apex], "mirror": {"host": "shadow"}}]),
        "spec.http[0].mirror is where requests are copied to already: remove it, or analysis.mirror of the Canary",
    );
}
