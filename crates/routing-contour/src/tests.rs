//! The laws, objects as Flagger writes them, conditions, and what Contour reports.

mod users;

use serde_json::{Value, json};
use vexil_object::{Kind, ObjectKey, Objects, Store, meta};
use vexil_routing::{
    Acceptance, MARKERS, Provider as _, Router, Routes, Weight,
    laws::{self, Case, Sample, Shared},
};

use crate::{Contour, router::reported};

const HTTP_PROXY: Kind = Kind::namespaced("projectcontour.io", "v1", "HTTPProxy", "httpproxies");

fn key() -> ObjectKey {
    ObjectKey::new(HTTP_PROXY, "test", "podinfo")
}

fn cluster() -> Store {
    let mut store = Store::default();
    store.put(HTTP_PROXY.definition(), json!({"kind": "CustomResourceDefinition"}));
    store
}

fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

fn list(live: &Value) -> &[Value] {
    live.pointer("/spec/routes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

/// The shares of a route as Contour applies them: a mirror has none, and a weight that is missing is 0 beside others.
fn shares(route: &Value) -> Option<(i64, i64)> {
    let (mut sums, mut is_ours) = ((0, 0), false);
    for entry in route.get("services")?.as_array()?.iter().filter(|entry| entry["mirror"] != true) {
        let sum = match entry["name"].as_str() {
            Some("podinfo-primary" | "podinfo") => &mut sums.0,
            Some("podinfo-canary") => &mut sums.1,
            _ => continue,
        };
        *sum += entry["weight"].as_i64()?;
        is_ours = true;
    }
    is_ours.then_some(sums)
}

fn has_header(route: &Value) -> bool {
    let conditions = route.get("conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|one| one.get("header").is_some())
}

/// The shares of the route that a request without special headers meets.
fn weights(live: &Value) -> Option<(i64, i64)> {
    let mut plain = list(live).iter().filter(|route| !has_header(route)).filter_map(shares);
    let first = plain.next()?;
    plain.all(|other| other == first).then_some(first)
}

fn matched(live: &Value) -> Option<Routes> {
    let mut special = list(live).iter().filter(|route| has_header(route)).filter_map(shares).peekable();
    special.peek()?;
    (special.all(|share| share == (0, 100)) && weights(live) == Some((100, 0))).then_some(Routes::Matched)
}

#[test]
fn keeps_the_laws_of_routers() {
    let docs = || json!({"conditions": [{"prefix": "/docs"}], "services": [{"name": "docs", "port": 80}]});
    let mirror = || json!({"name": "copy", "port": 80, "mirror": true});
    let apex = json!({"conditions": [{"prefix": "/"}], "services": [{"name": "podinfo", "port": 80}]});
    let api = json!({
        "conditions": [{"prefix": "/api"}],
        "services": [{"name": "podinfo", "port": 80, "protocol": "h2c"}, {"name": "copy", "port": 80, "mirror": true}],
        "timeoutPolicy": {"response": "9s"},
    });
    for class in ["", "contour"] {
        let sample = Sample::default();
        laws::all(&Case {
            router: &Contour::new(class),
            target: sample.target(),
            cluster: cluster(),
            route: key(),
            owned: true,
            weights,
            other_routes: Some(matched),
            split: Some("/spec/routes/0/services"),
            lists: &[
                Shared { pointer: "/spec/routes", entry: docs },
                Shared { pointer: "/spec/routes/0/services", entry: mirror },
            ],
            adoptable: &[
                json!({"spec": {"routes": [docs(), apex]}}),
                json!({"metadata": {"labels": {"a": "b"}}, "spec": {"virtualhost": {"fqdn": "x.y"}, "routes": [api, apex]}}),
            ],
            foreign: &[],
            source: None,
        })
        .unwrap();
    }
}

/// Writes `want` over `live`, or a new object, and returns it.
fn write(sample: &Sample, live: Option<Value>, want: &Routes) -> Result<Value, String> {
    let mut store = cluster();
    live.into_iter().for_each(|live| store.put(key(), live));
    let mut have = Objects::from(&store);
    have.insert(key(), store.look(&key()));
    let changes = Contour::new("public").render(&sample.target(), want, &have);
    for change in changes.map_err(|error| error.to_string())? {
        store.apply(&change).unwrap();
    }
    Ok(store.get(&key()).unwrap().clone())
}

fn read(sample: &Sample, live: &Value) -> Result<Routes, String> {
    let mut store = cluster();
    store.put(key(), live.clone());
    let read = Contour::default().read(&sample.target(), &Objects::from(&store));
    read.map_err(|error| error.to_string())
}

/// An entry as Flagger writes it; it leaves out a weight of 0, which Contour reads as the same.
fn entry(side: &str, weight: u32) -> Value {
    let host = format!("podinfo-{side}.test.svc.cluster.local:80");
    json!({
        "name": format!("podinfo-{side}"), "port": 80, "weight": weight,
        "requestHeadersPolicy": {"set": [{"name": "l5d-dst-override", "value": host}]},
    })
}

fn sample(service: Value, analysis: Value) -> Sample {
    let mut sample = Sample::default();
    let mut spec = json!(sample.spec);
    service.as_object().unwrap().iter().for_each(|(field, value)| spec["service"][field] = value.clone());
    spec["analysis"] = analysis;
    sample.spec = serde_json::from_value(spec).unwrap();
    sample
}

#[test]
fn writes_what_flagger_writes() {
    let service = json!({
        "timeout": "15s",
        "retries": {"attempts": 3, "perTryTimeout": "1s", "retryOn": "gateway-error, connect-failure"},
        "match": [{"uri": {"prefix": "/shop"}}],
    });
    let sample = sample(service, json!({}));
    let created = write(&sample, None, &split(0)).unwrap();
    let route = |canary: u32| {
        json!({
            "conditions": [{"prefix": "/shop"}],
            "services": [entry("primary", 100 - canary), entry("canary", canary)],
            "timeoutPolicy": {"response": "15s", "idle": "5m"},
            "retryPolicy": {"count": 3, "perTryTimeout": "1s", "retryOn": ["gateway-error", "connect-failure"]},
        })
    };
    assert_eq!(created["spec"], json!({"ingressClassName": "public", "routes": [route(0)]}));
    assert_eq!(created["metadata"]["ownerReferences"], json!([sample.owner.reference()]));
    assert!(MARKERS.iter().all(|(key, value)| meta::annotation(&created, key) == Some(value)));
    let shifted = write(&sample, Some(created), &split(50)).unwrap();
    assert_eq!(shifted["spec"]["routes"], json!([route(50)]));
    assert_eq!(read(&sample, &shifted), Ok(split(50)));

    // What the Canary declares no longer is removed.
    let plain = write(&Sample::default(), Some(shifted), &split(50)).unwrap();
    let expect = json!([{"conditions": [{"prefix": "/"}], "services": route(50)["services"]}]);
    assert_eq!(plain["spec"]["routes"], expect);
    let mut users = plain.clone();
    users["spec"]["routes"][0]["timeoutPolicy"] = json!({"idle": "1m"});
    assert_eq!(write(&Sample::default(), Some(users.clone()), &split(50)).unwrap()["spec"], users["spec"]);
}

#[test]
fn each_entry_of_the_match_has_a_route_to_the_canary() {
    let check = |matches: Value, expect: &[Value]| {
        let sample = sample(json!({}), json!({"match": matches}));
        let live = write(&sample, None, &Routes::Matched).unwrap();
        let special = |conditions: &Value| json!({"conditions": conditions, "services": [entry("canary", 100), entry("primary", 0)]});
        let base =
            json!({"conditions": [{"prefix": "/"}], "services": [entry("primary", 100), entry("canary", 0)]});
        let routes: Vec<Value> = expect.iter().map(special).chain([base]).collect();
        assert_eq!(live["spec"]["routes"], json!(routes));
        assert_eq!(read(&sample, &live), Ok(Routes::Matched));
        let after = write(&sample, Some(live), &split(0)).unwrap();
        assert_eq!(list(&after).len(), 1, "{after}");
    };
    let header =
        |name: &str, condition: &str, value: &str| json!({"header": {"name": name, condition: value}});
    let all = json!({"prefix": "/"});
    check(
        json!([{"headers": {"x-canary": {"exact": "insider"}, "x-team": {"prefix": "a.b"}}}]),
        &[json!([all, header("x-canary", "exact", "insider"), header("x-team", "regex", r"a\.b.*")])],
    );
    let cookie = "^(.*?;)?(canary=always)(;.*)?$";
    check(
        json!([{"headers": {"cookie": {"regex": cookie}}}, {"headers": {"x-a": {"suffix": "+"}}}]),
        &[json!([all, header("cookie", "regex", cookie)]), json!([all, header("x-a", "regex", r".*\+")])],
    );
    check(
        json!([{"uri": {"prefix": "/v2"}, "queryParams": {"beta": {"exact": "1"}}}]),
        &[json!([{"prefix": "/v2"}, {"queryParameter": {"name": "beta", "exact": "1"}}])],
    );
    check(json!([{"headers": {"x-a": {}}}]), &[json!([all, {"header": {"name": "x-a", "present": true}}])]);
}

#[test]
fn conditions_that_contour_does_not_have_are_refused() {
    let check = |matches: Value, expect: &[&str]| {
        let spec = json!({"targetRef": {"name": "podinfo"}, "analysis": {"match": matches}});
        let canary = vexil_api::parse(&json!({"metadata": {}, "spec": spec})).unwrap();
        let defects: Vec<_> = Contour::default().defects(&canary).iter().map(ToString::to_string).collect();
        assert_eq!(defects, expect);
    };
    check(json!([{"headers": {"x-a": {"exact": "1"}}}]), &[]);
    check(
        json!([{"headers": {"x-a": {"exact": "1"}}, "method": {"exact": "GET"}}]),
        &["spec.analysis.match[0].method: is a condition that Contour does not have; remove it"],
    );
    check(
        json!([{}]),
        &["spec.analysis.match[0]: has no condition, so that every request would reach the canary"],
    );
}

#[test]
fn a_condition_that_the_crd_does_not_have_is_not_written() {
    let check = |field: &str, expect: bool| {
        let header = json!({"properties": {"name": {}, field: {}}});
        let conditions = json!({"items": {"properties": {"prefix": {}, "header": header}}});
        let routes = json!({"items": {"properties": {"conditions": conditions}}});
        let schema = json!({"properties": {"spec": {"properties": {"routes": routes}}}});
        let versions = json!([{"name": "v1", "served": true, "schema": {"openAPIV3Schema": schema}}]);
        let mut store = Store::default();
        store.put(HTTP_PROXY.definition(), json!({"spec": {"versions": versions}}));
        let mut have = Objects::from(&store);
        have.insert(key(), store.look(&key()));
        let sample = sample(json!({}), json!({"match": [{"headers": {"x-a": {"regex": "1|2"}}}]}));
        let changes = Contour::default().render(&sample.target(), &Routes::Matched, &have);
        assert_eq!(changes.is_ok(), expect, "{changes:?}");
        assert!(Contour::default().render(&sample.target(), &split(10), &have).is_ok());
    };
    check("regex", true);
    check("exact", false);
}

#[test]
fn a_step_waits_for_what_contour_reports() {
    let check = |status: Value, expect: Acceptance| {
        let live = json!({"metadata": {"generation": 3}, "status": status});
        assert_eq!(reported(&key(), &live), expect);
    };
    let valid = |status: &str, generation: i64, errors: Value| {
        let condition = json!({
            "type": "Valid", "status": status, "observedGeneration": generation, "reason": "ErrorPresent",
            "message": "At least one error present, see Errors for details", "errors": errors,
        });
        json!({"conditions": [condition]})
    };
    check(Value::Null, Acceptance::Accepted);
    check(valid("True", 3, json!([])), Acceptance::Accepted);
    let outdated = "Contour has not applied generation 3 of HTTPProxy podinfo.test yet";
    check(valid("True", 2, json!([])), Acceptance::Outdated(outdated.to_owned()));
    let orphaned = json!([{
        "type": "Orphaned", "reason": "Orphaned",
        "message": "this HTTPProxy is not part of a delegation chain from a root HTTPProxy",
    }]);
    let refused = "Contour does not apply HTTPProxy podinfo.test: Orphaned: this HTTPProxy is not part of a delegation \
                   chain from a root HTTPProxy";
    check(valid("False", 3, orphaned), Acceptance::Refused(refused.to_owned()));
}
