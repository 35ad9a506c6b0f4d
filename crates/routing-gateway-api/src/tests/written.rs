//! Routes as they are written: for a new route, and in a route of the user; what is refused.

use serde_json::{Value, json};
use vexil_routing::{RouteError, Router, Routes, Weight};

use super::{
    cluster, key,
    parts::{NONE, entry, everything, split, with},
    sample, write,
};
use crate::{
    GatewayApi,
    kinds::{GRPC, HTTP},
};

#[test]
fn writes_what_flagger_writes() {
    let created = write(&sample(HTTP), NONE, None, split(0)).unwrap();
    let rules = |canary: u32| json!([{"matches": everything(), "backendRefs": [entry("primary", 100 - canary), entry("canary", canary)]}]);
    let parent = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public", "namespace": "infra"});
    assert_eq!(
        created["spec"],
        json!({"parentRefs": [parent], "hostnames": ["app.example.com"], "rules": rules(0)})
    );
    let shifted = write(&sample(HTTP), NONE, Some(created.clone()), split(30)).unwrap();
    assert_eq!(shifted["spec"]["rules"], rules(30));
    assert_eq!(write(&sample(HTTP), NONE, Some(shifted), split(0)).unwrap()["spec"], created["spec"]);
}

#[test]
fn follows_the_service_of_the_canary() {
    let service = json!({
        "timeout": "10s", "backendTimeout": "2s",
        "match": [{"uri": {"prefix": "/api"}, "method": {"exact": "GET"}, "headers": {"x-a": {"regex": "b.*"}},
                   "queryParams": {"q": {"exact": "1"}}}, {"gateways": ["mesh"]}],
        "headers": {"request": {"set": {"x-b": "2", "x-a": "1"}, "remove": ["x-c"]}, "response": {"add": {"x-d": "3"}}},
        "rewrite": {"uri": "/", "authority": "inner", "type": "ReplacePrefixMatch"},
        "mirror": [{"backendRef": {"name": "audit", "port": 80}}],
        "corsPolicy": {"allowOrigin": ["https://a.test"], "allowMethods": ["GET"], "allowCredentials": false, "maxAge": "24h"},
    });
    let live = write(&with(service, json!({})), NONE, None, split(0)).unwrap();
    let rule = &live["spec"]["rules"][0];
    assert_eq!(
        rule["matches"],
        json!([{
            "path": {"type": "PathPrefix", "value": "/api"}, "method": "GET",
            "headers": [{"type": "RegularExpression", "name": "x-a", "value": "b.*"}],
            "queryParams": [{"type": "Exact", "name": "q", "value": "1"}],
        }])
    );
    assert_eq!(rule["timeouts"], json!({"request": "10s", "backendRequest": "2s"}));
    let set = json!([{"name": "x-a", "value": "1"}, {"name": "x-b", "value": "2"}]);
    let copy = json!({"backendRef": {"group": "", "kind": "Service", "name": "audit", "port": 80}});
    let prefix = json!({"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"});
    assert_eq!(
        rule["filters"],
        json!([
            {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": set, "remove": ["x-c"]}},
            {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "x-d", "value": "3"}]}},
            {"type": "URLRewrite", "urlRewrite": {"hostname": "inner", "path": prefix}},
            {"type": "RequestMirror", "requestMirror": copy},
            {"type": "CORS", "cors": {"allowOrigins": ["https://a.test"], "allowMethods": ["GET"], "maxAge": 86400}},
        ])
    );
    // What the Canary no longer says is removed.
    let bare = write(&sample(HTTP), NONE, Some(live), split(0)).unwrap();
    let rule = json!({"matches": everything(), "backendRefs": [entry("primary", 100), entry("canary", 0)]});
    assert_eq!(bare["spec"]["rules"], json!([rule]));
}

/// A condition without a path gets one from the API server, which is that of a rule without conditions.
#[test]
fn a_condition_that_the_canary_no_longer_has_is_removed() {
    let path = json!({"type": "PathPrefix", "value": "/"});
    for condition in [
        json!({"queryParams": {"q": {"exact": "1"}}}),
        json!({"headers": {"x-a": {"exact": "1"}}}),
        json!({"method": {"exact": "GET"}}),
    ] {
        let narrow = with(json!({"match": [condition]}), json!({}));
        let mut live = write(&narrow, NONE, None, split(0)).unwrap();
        live["spec"]["rules"][0]["matches"][0]["path"] = path.clone();
        // The path that the API server added is no drift.
        assert_eq!(write(&narrow, NONE, Some(live.clone()), split(0)).unwrap(), live);
        let bare = write(&sample(HTTP), NONE, Some(live), split(0)).unwrap();
        assert_eq!(bare["spec"]["rules"][0]["matches"], everything(), "{condition}");
    }
}

#[test]
fn a_route_of_the_user_is_split_in_place() {
    let modify = json!([{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "x", "value": "y"}]}}]);
    let redirect = json!({"matches": [{"path": {"type": "Exact", "value": "/old"}}],
                          "filters": [{"type": "RequestRedirect", "requestRedirect": {"statusCode": 301}}]});
    let apex = json!({"group": "", "kind": "Service", "name": "podinfo", "port": 8080, "weight": 1, "filters": modify});
    let direct = json!({"matches": [{"path": {"type": "PathPrefix", "value": "/canary"}}],
                        "backendRefs": [{"name": "podinfo-canary", "port": 80, "weight": 1}]});
    let rule = json!({"name": "main", "matches": everything(), "backendRefs": [apex], "timeouts": {"request": "3s"}});
    let found = json!({"spec": {"parentRefs": [{"name": "mine"}], "rules": [redirect, direct, rule]}});
    let sample = with(
        json!({"timeout": "10s"}),
        json!({"match": [{"headers": {"x-user": {"exact": "insider"}}}], "iterations": 2}),
    );
    let live = write(&sample, NONE, Some(found.clone()), Routes::Matched).unwrap();
    assert_eq!(live["spec"]["parentRefs"], found["spec"]["parentRefs"]);
    let rules = live["spec"]["rules"].as_array().unwrap();
    assert_eq!((rules.len(), &rules[0], &rules[1]), (4, &redirect, &direct));
    let backend = |name: &str, weight: u32| {
        let mut backend = rule["backendRefs"][0].clone();
        backend["name"] = name.into();
        backend["weight"] = weight.into();
        backend
    };
    assert_eq!(rules[2]["timeouts"], rule["timeouts"]);
    assert_eq!(rules[2].get("name"), None, "names of rules are unique");
    assert_eq!(rules[2]["backendRefs"], json!([backend("podinfo-canary", 100)]));
    assert_eq!(rules[3]["backendRefs"], json!([backend("podinfo", 100), backend("podinfo-canary", 0)]));
    assert_eq!(rules[3]["timeouts"], rule["timeouts"]);
}

#[test]
fn what_is_missing_is_named() {
    let text = |error: RouteError| error.to_string();
    let nowhere = json!({"spec": {"rules": [{"backendRefs": [{"name": "legacy", "port": 80}]}]}});
    assert_eq!(
        write(&sample(HTTP), NONE, Some(nowhere), split(0)).map_err(text).unwrap_err(),
        "HTTPRoute podinfo.test: spec.rules has no rule with Service podinfo among its backendRefs; add it to the rules \
         whose requests are to be split"
    );
    let mut unattached = sample(HTTP);
    unattached.spec.service.gateway_refs.clear();
    let error = write(&unattached, NONE, None, split(0)).map_err(text).unwrap_err();
    assert!(error.contains("GatewayRefs must be specified when using Gateway API as a provider"), "{error}");
}

#[test]
fn an_older_definition_cannot_mirror_a_part_of_the_requests() {
    let filter = json!({"properties": {"requestMirror": {"properties": {"backendRef": {}}}}});
    let rule = json!({"properties": {"filters": {"items": filter}}});
    let spec = json!({"properties": {"rules": {"items": rule}}});
    let schema = json!({"openAPIV3Schema": {"properties": {"spec": spec}}});
    let mut store = cluster(HTTP);
    store.put(
        HTTP.definition(),
        json!({"spec": {"versions": [{"name": "v1", "served": true, "schema": schema}]}}),
    );
    let mut have = vexil_object::Objects::from(&store);
    have.insert(key(HTTP), vexil_object::Seen::Absent);
    let sample = sample(HTTP);
    let render = |percent| {
        let want = Routes::Mirrored { percent: Weight::clamped(percent) };
        GatewayApi.render(&sample.target(), &want, &have).map(|changes| changes.len())
    };
    assert_eq!(render(100), Ok(1));
    let error = render(10).unwrap_err().to_string();
    assert!(error.contains("the CRD in the cluster has no field for it"), "{error}");
}

#[test]
fn the_kind_is_what_exists_then_what_the_protocol_says() {
    let check = |grpc: bool, served: &[vexil_object::Kind], existing: &[vexil_object::Kind], expect: &str| {
        let mut store = vexil_object::Store::default();
        for kind in [HTTP, GRPC] {
            if served.contains(&kind) {
                store.put(kind.definition(), json!({}));
            }
            if existing.contains(&kind) {
                store.put(key(kind), json!({"spec": {}}));
            }
        }
        let sample = sample(if grpc { GRPC } else { HTTP });
        let mut have = vexil_object::Objects::default();
        loop {
            let needs = GatewayApi.needs(&sample.target(), &have);
            if needs.is_empty() {
                break;
            }
            needs.into_iter().for_each(|key| have.insert(key.clone(), store.look(&key)));
        }
        let route = GatewayApi.route(&sample.target(), &have);
        assert_eq!(
            route.map(|key| key.kind().kind).unwrap_or_default(),
            expect,
            "{grpc} {served:?} {existing:?}"
        );
    };
    check(false, &[HTTP, GRPC], &[], "HTTPRoute");
    check(false, &[HTTP, GRPC], &[GRPC], "HTTPRoute");
    check(true, &[HTTP, GRPC], &[], "GRPCRoute");
    check(true, &[HTTP, GRPC], &[HTTP], "HTTPRoute");
    check(true, &[HTTP, GRPC], &[HTTP, GRPC], "GRPCRoute");
    check(true, &[HTTP], &[], "HTTPRoute");
    check(false, &[], &[], "");
}

#[test]
fn conditions_that_cannot_be_expressed_are_defects() {
    let check = |service: Value, analysis: Value, expect: &[&str]| {
        let sample = with(json!({"match": service}), json!({"match": analysis}));
        let found = crate::conditions::defects(&sample.spec);
        let found: Vec<_> = found.iter().map(|defect| defect.path.as_str()).collect();
        assert_eq!(found, expect);
    };
    check(json!([{"uri": {"suffix": "x"}}]), json!([]), &["spec.service.match[0].uri"]);
    check(
        json!([{"gateways": ["mesh"]}]),
        json!([{"gateways": ["mesh"]}]),
        &["spec.analysis.match[0].gateways"],
    );
    check(
        json!([]),
        json!([{"headers": {"a": {"exact": "1"}}}, {"headers": {"a": {"prefix": "1"}}, "sourceLabels": {"a": "b"}}]),
        &["spec.analysis.match[1].headers", "spec.analysis.match[1].sourceLabels"],
    );
}
