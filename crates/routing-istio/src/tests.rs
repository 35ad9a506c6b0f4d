//! The laws, and each request as it is written.

mod adoption;
mod edits;
mod settings;

use serde_json::{Value, json};
use vexil_api::canary::{CanarySpec, MetadataBlock};
use vexil_object::{Kind, ObjectKey, Objects, Seen, Store};
use vexil_routing::{
    RouteError, RouteObject, RouteTarget, Router, Routes, SessionCookies, Weight,
    laws::{self, Case, Sample, Shared},
};

use crate::Istio;

fn kind() -> Kind {
    Istio.kinds()[0]
}

fn rules() -> Kind {
    Kind::namespaced("networking.istio.io", "v1beta1", "DestinationRule", "destinationrules")
}

fn key() -> ObjectKey {
    ObjectKey::new(kind(), "test", "podinfo")
}

/// A cluster with Istio's CRDs.
fn cluster() -> Store {
    let mut store = Store::default();
    for kind in [kind(), rules()] {
        store.put(kind.definition(), json!({"kind": "CustomResourceDefinition"}));
    }
    store
}

fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

/// The HTTP routes that name one of our Services or the apex.
fn ours(live: &Value) -> Vec<&Value> {
    let list = live.pointer("/spec/http").and_then(Value::as_array).into_iter().flatten();
    list.filter(|route| sum(route, "podinfo-primary") + sum(route, "podinfo-canary") >= 0.0).collect()
}

/// The weights of a host in a route; not a number where the route does not name it.
fn sum(route: &Value, host: &str) -> f64 {
    let of = |entry: &&Value| {
        let named = entry["destination"]["host"].as_str().unwrap_or_default();
        named == host || (named == "podinfo" && host == "podinfo-primary")
    };
    let list: Vec<&Value> = route["route"].as_array().into_iter().flatten().filter(of).collect();
    if list.is_empty() {
        return f64::NAN;
    }
    list.iter().map(|entry| entry["weight"].as_f64().unwrap_or(f64::NAN)).sum()
}

fn named(live: &Value, name: &str) -> Option<(i64, i64)> {
    ours(live).into_iter().find(|route| route["name"].as_str() == Some(name)).map(split_of)
}

fn split_of(route: &Value) -> (i64, i64) {
    (sum(route, "podinfo-primary") as i64, sum(route, "podinfo-canary") as i64)
}

/// The route that requests reach that meet no condition of ours.
fn base(live: &Value) -> Option<&Value> {
    let is_special = |route: &&&Value| {
        let name = route["name"].as_str().unwrap_or_default();
        name.starts_with("podinfo-") && (name.ends_with("-match") || name.ends_with("-session"))
    };
    ours(live).iter().find(|route| !is_special(route)).copied()
}

/// The weights as Istio applies them.
fn weights(live: &Value) -> Option<(i64, i64)> {
    base(live).map(split_of)
}

/// What Istio does beside weights.
fn other_routes(live: &Value) -> Option<Routes> {
    let share = |canary: i64| Weight::new(canary).unwrap();
    match (named(live, "podinfo-canary-match"), named(live, "podinfo-canary-session")) {
        (Some(_), _) => return Some(Routes::Matched),
        (None, Some(_)) => return Some(Routes::Sticky { canary: share(weights(live)?.1) }),
        (None, None) => {}
    }
    let base = base(live)?;
    if base["mirror"]["host"] != "podinfo-canary" {
        return None;
    }
    let percent = base.get("mirrorPercentage").map_or(100, |it| it["value"].as_f64().unwrap_or(0.0) as i64);
    Some(Routes::Mirrored { percent: share(percent) })
}

#[test]
fn keeps_the_laws_of_routers() {
    let mut sample = Sample::default();
    let labels = [("team".to_owned(), "blue".to_owned())].into();
    sample.spec.service.apex = Some(MetadataBlock { labels, ..MetadataBlock::default() });
    let apex = json!({"destination": {"host": "podinfo"}});
    let laws = laws::all(&Case {
        router: &Istio,
        target: sample.target(),
        cluster: cluster(),
        route: key(),
        owned: true,
        weights,
        other_routes: Some(other_routes),
        split: Some("/spec/http/0/route"),
        lists: &[Shared {
            pointer: "/spec/http/0/route",
            entry: || json!({"destination": {"host": "legacy"}, "weight": 5}),
        }],
        adoptable: &[
            json!({"spec": {"hosts": ["podinfo"], "http": [{"route": [apex]}]}}),
            json!({"spec": {"hosts": ["app.example.com"], "gateways": ["public"], "http": [
                {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new"}},
                {"name": "api", "match": [{"uri": {"prefix": "/api"}}, {"headers": {"x-api": {"exact": "1"}}}],
                 "fault": {"delay": {"fixedDelay": "1s"}}, "timeout": "5s", "route": [apex]},
                {"match": [{"uri": {"prefix": "/shop"}}], "route": [
                    {"destination": {"host": "shop"}, "weight": 90}, {"destination": {"host": "shop2"}, "weight": 10}]},
                {"route": [{"destination": {"host": "podinfo.test.svc.cluster.local", "port": {"number": 80}}}]},
            ]}}),
        ],
        foreign: &[],
        source: None,
    });
    laws.unwrap();
}

/// Writes `want` over what is in the store.
fn apply(target: &RouteTarget<'_>, store: &mut Store, want: Routes) -> Result<(), RouteError> {
    let mut have = Objects::default();
    loop {
        let needs = Istio.needs(target, &have);
        if needs.is_empty() {
            break;
        }
        needs.into_iter().for_each(|key| have.insert(key.clone(), store.look(&key)));
    }
    let changes = Istio.render(target, &want, &have)?;
    changes.iter().for_each(|change| store.apply(change).unwrap());
    Ok(())
}

/// The VirtualService after `want` is written over `live`, or as a new object.
fn write(target: &RouteTarget<'_>, live: Option<Value>, want: Routes) -> Value {
    let mut store = cluster();
    if let Some(live) = live {
        store.put(key(), live);
    }
    apply(target, &mut store, want).unwrap();
    store.get(&key()).unwrap().clone()
}

fn read(target: &RouteTarget<'_>, live: &Value) -> Result<Routes, String> {
    let mut have = Objects::from(&cluster());
    have.insert(key(), Seen::present(live.clone()));
    for name in ["podinfo-primary", "podinfo-canary"] {
        have.insert(ObjectKey::new(rules(), "test", name), Seen::Absent);
    }
    Istio.read(target, &have).map_err(|error| error.to_string())
}

/// A Canary with these parts of `service` and `analysis`.
fn sample(service: Value, analysis: Value) -> Sample {
    let mut service = service;
    service["port"] = json!(80);
    let spec = json!({"targetRef": {"kind": "Deployment", "name": "podinfo"}, "service": service, "analysis": analysis});
    Sample { spec: serde_json::from_value::<CanarySpec>(spec).unwrap(), ..Sample::default() }
}

fn to(host: &str, weight: u32) -> Value {
    json!({"destination": {"host": host}, "weight": weight})
}

fn both(canary: u32) -> Value {
    json!([to("podinfo-primary", 100 - canary), to("podinfo-canary", canary)])
}

/// As [`both`], in the order of routes with conditions.
fn reversed(canary: u32) -> Value {
    json!([to("podinfo-canary", canary), to("podinfo-primary", 100 - canary)])
}

#[test]
fn writes_what_flagger_wrote() {
    let given =
        sample(json!({"gateways": ["istio-system/public-gateway"], "hosts": ["app.example.com"]}), json!({}));
    let created = write(&given.target(), None, split(0));
    assert_eq!(
        created["spec"],
        json!({
            "hosts": ["app.example.com", "podinfo"],
            "gateways": ["istio-system/public-gateway"],
            "http": [{"route": both(0)}],
        })
    );
    assert_eq!(
        created["metadata"]["annotations"],
        json!({
            "helm.toolkit.fluxcd.io/driftDetection": "disabled",
            "kustomize.toolkit.fluxcd.io/reconcile": "disabled",
            "flagger.app/written-fields": "",
        })
    );
    assert_eq!(created["metadata"]["ownerReferences"], json!([given.owner.reference()]));
    for canary in [30, 100, 0] {
        let live = write(&given.target(), Some(created.clone()), split(canary));
        assert_eq!(live["spec"]["http"], json!([{"route": both(canary)}]));
    }
    let mirrored =
        write(&given.target(), Some(created.clone()), Routes::Mirrored { percent: Weight::clamped(50) });
    let mirror = json!({"host": "podinfo-canary"});
    assert_eq!(
        mirrored["spec"]["http"],
        json!([{"route": both(0), "mirror": mirror, "mirrorPercentage": {"value": 50}}])
    );
    assert_eq!(write(&given.target(), Some(mirrored), split(0))["spec"], created["spec"]);
}

#[test]
fn requests_that_match_get_a_route_of_their_own() {
    let given = sample(
        json!({"match": [{"uri": {"prefix": "/api"}}, {"headers": {"x-api": {"exact": "1"}}}], "timeout": "5s"}),
        json!({"match": [{"headers": {"x-canary": {"exact": "insider"}, "user": {"suffix": "@a.b"}}}]}),
    );
    let live = write(&given.target(), None, Routes::Matched);
    let user = json!({"regex": r".*@a\.b"});
    let service = json!([{"uri": {"prefix": "/api"}}, {"headers": {"x-api": {"exact": "1"}}}]);
    assert_eq!(
        live["spec"]["http"],
        json!([
            {"name": "podinfo-canary-match", "timeout": "5s", "route": reversed(100), "match": [
                {"uri": {"prefix": "/api"}, "headers": {"x-canary": {"exact": "insider"}, "user": user}},
                {"headers": {"x-api": {"exact": "1"}, "x-canary": {"exact": "insider"}, "user": user}},
            ]},
            {"timeout": "5s", "route": both(0), "match": service},
        ])
    );
    let after = write(&given.target(), Some(live), split(0));
    assert_eq!(after["spec"]["http"], json!([{"timeout": "5s", "route": both(0), "match": service}]));
}

#[test]
fn clients_with_a_cookie_get_routes_of_their_own() {
    let affinity = json!({"cookieName": "c", "maxAge": 60, "secure": true, "path": "/"});
    let primary = json!({"cookieName": "c", "primaryCookieName": "p"});
    let cookies = |primary| SessionCookies { canary: Some("c=new"), primary, previous: Some("c=old") };
    let want = Routes::Sticky { canary: Weight::clamped(10) };
    let with = |host: &str, weight: u32, cookie: &str| {
        let mut entry = to(host, weight);
        entry["headers"] = json!({"response": {"add": {"Set-Cookie": cookie}}});
        entry
    };
    let has = |cookie: &str| json!([{"headers": {"cookie": {"regex": format!("(.*; ?)?{cookie}(;.*)?")}}}]);
    let given = sample(json!({}), json!({"sessionAffinity": affinity}));
    let live = write(&RouteTarget { cookies: cookies(None), ..given.target() }, None, want);
    let new = with("podinfo-canary", 10, "c=new; Max-Age=60; Path=/; Secure");
    let old = with("podinfo-primary", 90, "c=old; Max-Age=0; Path=/; Secure");
    assert_eq!(
        live["spec"]["http"],
        json!([
            {"name": "podinfo-canary-session", "match": has("c=new"), "route": reversed(100)},
            {"name": "podinfo-previous-session", "match": has("c=old"), "route": [new, old]},
            {"route": [to("podinfo-primary", 90), new]},
        ])
    );
    let given = sample(json!({}), json!({"interval": "30s", "sessionAffinity": primary}));
    let live = write(&RouteTarget { cookies: cookies(Some("p=here")), ..given.target() }, None, want);
    let new = with("podinfo-canary", 10, "c=new; Max-Age=86400");
    assert_eq!(
        live["spec"]["http"],
        json!([
            {"name": "podinfo-canary-session", "match": has("c=new"), "route": reversed(100)},
            {"name": "podinfo-primary-session", "match": has("p=here"), "route": reversed(0)},
            {"name": "podinfo-previous-session", "match": has("c=old"), "route": [new, to("podinfo-primary", 90)]},
            {"route": [with("podinfo-primary", 90, "p=here; Max-Age=30"), new]},
        ])
    );
    let after = write(&given.target(), Some(live), split(0));
    assert_eq!(after["spec"]["http"], json!([{"route": both(0)}]));
}
