//! The laws, objects as Flagger writes them, conditions, and the user's Upstream.

use serde_json::{Value, json};
use vexil_object::{Kind, ObjectKey, Objects, Store};
use vexil_routing::{
    Provider as _, Router, Routes, Weight,
    laws::{self, Case, Sample, Shared},
};

use crate::Gloo;

const ROUTE_TABLE: Kind = Kind::namespaced("gateway.solo.io", "v1", "RouteTable", "routetables");
const UPSTREAM: Kind = Kind::namespaced("gloo.solo.io", "v1", "Upstream", "upstreams");
const PRIMARY: &str = "test-podinfo-primaryupstream-80";
const CANARY: &str = "test-podinfo-canaryupstream-80";

fn key() -> ObjectKey {
    ObjectKey::new(ROUTE_TABLE, "test", "podinfo")
}

fn cluster() -> Store {
    let mut store = Store::default();
    for kind in [ROUTE_TABLE, UPSTREAM] {
        store.put(kind.definition(), json!({"kind": "CustomResourceDefinition"}));
    }
    store
}

fn shares(route: &Value) -> Option<(i64, i64)> {
    let (mut sums, mut is_ours) = ((0, 0), false);
    for entry in route.pointer("/routeAction/multi/destinations")?.as_array()? {
        let upstream = &entry["destination"]["upstream"];
        let sum = match upstream["name"].as_str() {
            _ if upstream["namespace"] != "test" && !upstream["namespace"].is_null() => continue,
            Some(name) if name.starts_with("test-podinfo-primaryupstream-") => &mut sums.0,
            Some(name) if name.starts_with("test-podinfo-canaryupstream-") => &mut sums.1,
            _ => continue,
        };
        *sum += entry["weight"].as_i64()?;
        is_ours = true;
    }
    is_ours.then_some(sums)
}

fn has_matchers(route: &Value) -> bool {
    route.get("matchers").and_then(Value::as_array).is_some_and(|list| !list.is_empty())
}

fn list(live: &Value) -> &[Value] {
    live.pointer("/spec/routes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

/// The shares of the first route that a request of no condition meets.
fn weights(live: &Value) -> Option<(i64, i64)> {
    list(live).iter().filter(|route| !has_matchers(route)).find_map(shares)
}

fn matched(live: &Value) -> Option<Routes> {
    let first = list(live).iter().find(|route| shares(route).is_some())?;
    let is_matched = has_matchers(first) && shares(first) == Some((0, 100));
    (is_matched && weights(live) == Some((100, 0))).then_some(Routes::Matched)
}

#[test]
fn keeps_the_laws_of_routers() {
    let sample = Sample::default();
    laws::all(&Case {
        router: &Gloo,
        target: sample.target(),
        cluster: cluster(),
        route: key(),
        owned: true,
        weights,
        other_routes: Some(matched),
        split: Some("/spec/routes/0/routeAction/multi/destinations"),
        lists: &[Shared {
            pointer: "/spec/routes/0/routeAction/multi/destinations",
            entry: || json!({"destination": {"upstream": {"name": "docs", "namespace": "test"}}, "weight": 1}),
        }],
        adoptable: &[],
        foreign: &[json!({"metadata": {"ownerReferences": null}})],
        source: None,
    })
    .unwrap();
}

fn sample(analysis: Value) -> Sample {
    let mut sample = Sample::default();
    let mut spec = json!(sample.spec);
    spec["analysis"] = analysis;
    sample.spec = serde_json::from_value(spec).unwrap();
    sample
}

/// Observes, renders and applies.
fn write(sample: &Sample, store: &mut Store, want: &Routes) -> Result<(), String> {
    let mut have = Objects::default();
    loop {
        let needs = Gloo.needs(&sample.target(), &have);
        if needs.is_empty() {
            break;
        }
        needs.into_iter().for_each(|key| have.insert(key.clone(), store.look(&key)));
    }
    for change in Gloo.render(&sample.target(), want, &have).map_err(|error| error.to_string())? {
        store.apply(&change).unwrap();
    }
    Ok(())
}

fn entry(name: &str, weight: u32) -> Value {
    json!({"destination": {"upstream": {"name": name, "namespace": "test"}}, "weight": weight})
}

fn base(canary: u32) -> Value {
    let list = [entry(PRIMARY, 100 - canary), entry(CANARY, canary)];
    json!({"inheritablePathMatchers": true, "routeAction": {"multi": {"destinations": list}}})
}

#[test]
fn writes_what_flagger_writes() {
    let (sample, mut store) = (Sample::default(), cluster());
    for canary in [0, 30, 100, 0] {
        write(&sample, &mut store, &Routes::split(Weight::clamped(canary))).unwrap();
        let live = store.get(&key()).unwrap();
        assert_eq!(live["spec"], json!({"routes": [base(canary)]}));
        assert_eq!(live["metadata"]["ownerReferences"], json!([sample.owner.reference()]));
    }
    for (name, service) in [(PRIMARY, "podinfo-primary"), (CANARY, "podinfo-canary")] {
        let live = store.get(&ObjectKey::new(UPSTREAM, "test", name)).unwrap();
        let kube = json!({"serviceName": service, "serviceNamespace": "test", "servicePort": 80});
        assert_eq!(live["spec"], json!({"kube": kube}));
        assert_eq!(live["metadata"]["ownerReferences"], json!([sample.owner.reference()]));
    }
}

#[test]
fn each_entry_of_the_match_is_a_matcher_of_the_route_before() {
    let matches = json!([
        {"headers": {"x-a": {"exact": "1"}, "x-b": {"prefix": "a.b"}}, "method": {"exact": "GET"}},
        {"headers": {"x-c": {}}, "queryParams": {"beta": {"regex": "1|2"}}},
    ]);
    let (sample, mut store) = (sample(json!({"match": matches})), cluster());
    write(&sample, &mut store, &Routes::Matched).unwrap();
    let mut special = base(0);
    special["name"] = json!("podinfo-canary");
    special["routeAction"]["multi"]["destinations"] = json!([entry(CANARY, 100), entry(PRIMARY, 0)]);
    special["matchers"] = json!([
        {
            "headers": [{"name": "x-a", "value": "1"}, {"name": "x-b", "value": r"a\.b.*", "regex": true}],
            "methods": ["GET"],
        },
        {"headers": [{"name": "x-c"}], "queryParameters": [{"name": "beta", "value": "1|2", "regex": true}]},
    ]);
    assert_eq!(store.get(&key()).unwrap()["spec"]["routes"], json!([special, base(0)]));
    write(&sample, &mut store, &Routes::PRIMARY).unwrap();
    assert_eq!(store.get(&key()).unwrap()["spec"]["routes"], json!([base(0)]));
}

#[test]
fn conditions_that_a_route_table_does_not_have_are_refused() {
    let matches = json!([{"uri": {"prefix": "/v2"}}, {"method": {"prefix": "G"}}, {}]);
    let spec = json!({"targetRef": {"name": "podinfo"}, "analysis": {"match": matches}});
    let canary = vexil_api::parse(&json!({"metadata": {}, "spec": spec})).unwrap();
    let defects: Vec<_> = Gloo.defects(&canary).iter().map(ToString::to_string).collect();
    assert_eq!(
        defects,
        [
            "spec.analysis.match[0].uri: is a condition that a RouteTable does not have; remove it",
            "spec.analysis.match[1].method: needs an exact method",
            "spec.analysis.match[2]: has no condition, so that every request would reach the canary",
        ]
    );
}

#[test]
fn upstreams_have_the_settings_of_the_one_that_the_canary_names() {
    let mut sample = Sample::default();
    let reference =
        json!({"apiVersion": "gloo.solo.io/v1", "kind": "Upstream", "name": "config", "namespace": "gloo"});
    sample.spec.upstream_ref = Some(serde_json::from_value(reference).unwrap());
    let mut store = cluster();
    let missing =
        "Canary podinfo.test: spec.upstreamRef names an Upstream that does not exist: Upstream config.gloo";
    assert_eq!(write(&sample, &mut store, &Routes::PRIMARY), Err(missing.to_owned()));
    let users = |connections: u32| json!({"spec": {"kube": {"serviceName": "x"}, "connectionConfig": {"maxRequestsPerConnection": connections}}});
    for connections in [1, 2] {
        store.put(ObjectKey::new(UPSTREAM, "gloo", "config"), users(connections));
        write(&sample, &mut store, &Routes::PRIMARY).unwrap();
        for (name, service) in [(PRIMARY, "podinfo-primary"), (CANARY, "podinfo-canary")] {
            let live = store.get(&ObjectKey::new(UPSTREAM, "test", name)).unwrap();
            assert_eq!(live["spec"]["connectionConfig"], users(connections)["spec"]["connectionConfig"]);
            assert_eq!(live["spec"]["kube"]["serviceName"], service);
        }
    }
}
