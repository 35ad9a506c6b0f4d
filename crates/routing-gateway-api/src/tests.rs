//! The laws, and routes as Flagger and users write them.

use serde_json::{Value, json};
use vexil_object::{Kind, ObjectKey, Objects, Store};
use vexil_routing::{
    RouteError, RouteTarget, Router, Routes, SessionCookies, Weight,
    laws::{self, Case, Sample, Shared},
};

mod accepted;
mod parts;
mod strategies;
mod written;

use crate::{
    GatewayApi,
    kinds::{GRPC, HTTP},
};

/// The Canary of the guide, with a route of this kind.
fn sample(kind: Kind) -> Sample {
    let mut sample = Sample::default();
    let parents = json!([{"name": "public", "namespace": "infra"}]);
    sample.spec.service.gateway_refs = serde_json::from_value(parents).unwrap();
    sample.spec.service.hosts = vec!["app.example.com".to_owned()];
    if kind == GRPC {
        sample.spec.service.app_protocol = Some("grpc".to_owned());
    }
    sample
}

fn cluster(kind: Kind) -> Store {
    let mut store = Store::default();
    store.put(kind.definition(), json!({"kind": "CustomResourceDefinition"}));
    store
}

fn key(kind: Kind) -> ObjectKey {
    ObjectKey::new(kind, "test", "podinfo")
}

/// What a rule does with its requests: the weights of primary and canary, and the share that it copies.
struct Seen {
    primary: Option<i64>,
    canary: Option<i64>,
    copies: Option<u32>,
    sticky: bool,
}

/// The rules that send requests to our Services, as a gateway reads them.
fn seen(live: &Value) -> Option<Vec<Seen>> {
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let mut rules = Vec::new();
    for object in live.pointer("/spec/rules")?.as_array()? {
        let refers = |reference: &Value, names: &[&str]| {
            let is = |field: &str, value: &str| {
                matches!(reference[field].as_str(), None | Some("")) || reference[field] == value
            };
            let is_service = is("kind", "Service") && is("group", "core") && is("namespace", "test");
            is_service && names.iter().any(|name| reference["name"] == *name)
        };
        let sum = |names: &[&str]| {
            let entries = list(&object["backendRefs"]);
            let weights =
                entries.iter().filter(|entry| refers(entry, names)).map(|entry| entry["weight"].as_i64());
            weights.reduce(|sum, weight| Some(sum? + weight?)).flatten()
        };
        let copies = list(&object["filters"]).iter().find_map(|filter| {
            let mirror = &filter["requestMirror"];
            refers(&mirror["backendRef"], &["podinfo-canary"])
                .then(|| mirror["percent"].as_u64().unwrap_or(100) as u32)
        });
        let headers = list(&object["matches"]).into_iter().flat_map(|of| list(&of["headers"]));
        let mut cookies = headers
            .filter(|header| header["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("cookie")));
        let sticky = cookies.any(|header| {
            header["value"] == ".*flagger-cookie.*a.*" || header["value"] == ".*flagger-cookie.*b.*"
        });
        let rule = Seen {
            primary: sum(&["podinfo-primary", "podinfo"]),
            canary: sum(&["podinfo-canary"]),
            copies,
            sticky,
        };
        // The rule for clients that stay with the primary.
        let is_kept = list(&object["matches"]).iter().any(|of| of.to_string().contains(".*primary-cookie.*"));
        if !is_kept && (rule.primary.is_some() || rule.canary.is_some()) {
            rules.push(rule);
        }
    }
    Some(rules)
}

fn weights(live: &Value) -> Option<(i64, i64)> {
    let rules = seen(live)?;
    let mut split = rules.iter().filter(|rule| rule.primary.is_some());
    let first = split.next()?;
    split.all(|rule| (rule.primary, rule.canary) == (first.primary, first.canary)).then_some(())?;
    Some((first.primary?, first.canary?))
}

fn other_routes(live: &Value) -> Option<Routes> {
    let rules = seen(live)?;
    let (_, canary) = weights(live)?;
    let canary = Weight::new(canary).ok()?;
    let added: Vec<&Seen> = rules.iter().filter(|rule| rule.primary.is_none()).collect();
    let copies = rules.iter().find_map(|rule| rule.copies);
    match (added.as_slice(), copies) {
        ([], Some(percent)) => Some(Routes::Mirrored { percent: Weight::clamped(percent) }),
        ([], None) => None,
        (added, _) if added.iter().all(|rule| rule.sticky) => Some(Routes::Sticky { canary }),
        _ => Some(Routes::Matched),
    }
}

/// Writes `want` over `live`, or a new route, and returns it.
fn write(
    sample: &Sample,
    cookies: SessionCookies<'_>,
    live: Option<Value>,
    want: Routes,
) -> Result<Value, RouteError> {
    let kind = if sample.spec.service.app_protocol.is_some() { GRPC } else { HTTP };
    let mut store = cluster(kind);
    if let Some(live) = live {
        store.put(key(kind), live);
    }
    let mut have = Objects::from(&store);
    for kind in [HTTP, GRPC] {
        have.insert(kind.definition(), store.look(&kind.definition()));
        have.insert(key(kind), store.look(&key(kind)));
    }
    let target = RouteTarget { cookies, ..sample.target() };
    for change in GatewayApi.render(&target, &want, &have)? {
        store.apply(&change).unwrap();
    }
    Ok(store.get(&key(kind)).unwrap().clone())
}

/// A rule of others.
fn others() -> Value {
    json!({
        "matches": [{"path": {"type": "PathPrefix", "value": "/legacy"}}],
        "backendRefs": [{"name": "legacy", "port": 80}],
    })
}

#[test]
fn keeps_the_laws_of_routers() {
    for kind in [HTTP, GRPC] {
        let sample = sample(kind);
        let users = json!([
            {"name": "legacy", "port": 80, "weight": 9},
            {"name": "podinfo", "port": 80, "weight": 90, "filters": [{"type": "ExtensionRef", "extensionRef": {"name": "x"}}]},
        ]);
        laws::all(&Case {
            router: &GatewayApi,
            target: sample.target(),
            cluster: cluster(kind),
            route: key(kind),
            owned: true,
            weights,
            other_routes: Some(other_routes),
            split: Some("/spec/rules/0/backendRefs"),
            lists: &[
                Shared { pointer: "/spec/rules", entry: others },
                Shared { pointer: "/spec/rules/0/backendRefs", entry: || json!({"name": "legacy", "weight": 5}) },
            ],
            adoptable: &[
                json!({"spec": {"parentRefs": [{"name": "mine"}], "rules": [
                    {"matches": [{"headers": [{"name": "x", "value": "y"}]}], "backendRefs": users},
                    others(),
                    {"filters": [{"type": "ExtensionRef"}], "backendRefs": [{"name": "podinfo", "port": 80, "weight": 1}]},
                ]}}),
                json!({"metadata": {"annotations": {"a": "b"}}, "spec": {"rules": [
                    {"name": "all", "backendRefs": [{"name": "podinfo", "port": 80}], "timeouts": {"request": "5s"}},
                ]}}),
            ],
            foreign: &[],
            source: None,
        })
        .unwrap();
    }
}
