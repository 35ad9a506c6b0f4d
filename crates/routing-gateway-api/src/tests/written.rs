//! Routes as they are written: for a new route, over one that Flagger wrote, and in a route of the user.

use serde_json::{Value, json};
use vexil_routing::{RouteError, Router, Routes, SessionCookies, Weight, laws::Sample};

use super::{cluster, key, sample, write};
use crate::{
    GatewayApi,
    router::{GRPC, HTTP},
};

const NONE: SessionCookies<'_> = SessionCookies { canary: None, primary: None, previous: None };

fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

fn sticky(canary: u32) -> Routes {
    Routes::Sticky { canary: Weight::clamped(canary) }
}

fn entry(name: &str, weight: u32) -> Value {
    json!({"group": "", "kind": "Service", "name": format!("podinfo-{name}"), "port": 80, "weight": weight})
}

fn setting(cookie: &str) -> Value {
    let add = json!([{"name": "Set-Cookie", "value": cookie}]);
    json!([{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": add}}])
}

fn everything() -> Value {
    json!([{"path": {"type": "PathPrefix", "value": "/"}}])
}

fn cookie(pattern: &str) -> Value {
    let header = json!({"type": "RegularExpression", "name": "Cookie", "value": pattern});
    json!([{"path": {"type": "PathPrefix", "value": "/"}, "headers": [header]}])
}

fn with(service: Value, analysis: Value) -> Sample {
    let mut sample = sample(HTTP);
    let mut spec = serde_json::to_value(&sample.spec).unwrap();
    vexil_object::merge(&mut spec, &json!({"service": service, "analysis": analysis}));
    sample.spec = serde_json::from_value(spec).unwrap();
    sample
}

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

#[test]
fn a_b_testing_adds_a_rule_for_requests_that_meet_both_conditions() {
    let check = |service: Value, analysis: Value, expect: Value| {
        let sample = with(json!({"match": service}), json!({"match": analysis, "iterations": 2}));
        let live = write(&sample, NONE, None, Routes::Matched).unwrap();
        let rules = live["spec"]["rules"].as_array().unwrap();
        let (last, added) = rules.split_last().unwrap();
        assert_eq!(last["backendRefs"], json!([entry("primary", 100), entry("canary", 0)]));
        let added: Vec<_> = added
            .iter()
            .map(|rule| {
                assert_eq!(rule["backendRefs"], json!([entry("canary", 100)]));
                rule["matches"].clone()
            })
            .collect();
        assert_eq!(json!(added), json!([expect]));
    };
    let insider = json!([{"headers": {"x-user": {"exact": "insider"}}}]);
    let header = json!({"type": "Exact", "name": "x-user", "value": "insider"});
    let path = |kind: &str, value: &str| json!({"type": kind, "value": value});
    check(json!([]), insider.clone(), json!([{"path": path("PathPrefix", "/"), "headers": [header]}]));
    check(
        json!([{"uri": {"prefix": "/api"}, "headers": {"x-a": {"exact": "1"}}}]),
        insider.clone(),
        json!([{"path": path("PathPrefix", "/api"), "headers": [{"type": "Exact", "name": "x-a", "value": "1"}, header]}]),
    );
    check(
        json!([{"uri": {"prefix": "/api"}}, {"uri": {"exact": "/health"}}]),
        json!([{"uri": {"prefix": "/api/v2"}}]),
        json!([{"path": path("PathPrefix", "/api/v2")}]),
    );
    check(
        json!([{"uri": {"exact": "/a/b"}}]),
        json!([{"uri": {"prefix": "/a/"}}]),
        json!([{"path": path("Exact", "/a/b")}]),
    );
    check(
        json!([]),
        json!([{"headers": {"x-user": {"exact": "insider"}}}, {"headers": {"cookie": {"regex": "^(.*?;)?(canary=always)(;.*)?$"}}}]),
        json!([
            {"path": path("PathPrefix", "/"), "headers": [header]},
            {"path": path("PathPrefix", "/"), "headers": [
                {"type": "RegularExpression", "name": "cookie", "value": "^(.*?;)?(canary=always)(;.*)?$"},
            ]},
        ]),
    );
}

#[test]
fn session_affinity_sets_cookies_and_routes_by_them() {
    let affinity = json!({"cookieName": "flagger-cookie", "primaryCookieName": "primary", "maxAge": 60, "path": "/", "secure": true});
    let sample = with(json!({}), json!({"interval": "30s", "sessionAffinity": affinity}));
    let cookies =
        SessionCookies { canary: Some("flagger-cookie=abc"), primary: Some("primary=xyz"), previous: None };
    let live = write(&sample, cookies, None, sticky(10)).unwrap();
    let mut primary = entry("primary", 90);
    primary["filters"] = setting("primary=xyz; Max-Age=30; Path=/; Secure");
    let mut canary = entry("canary", 10);
    canary["filters"] = setting("flagger-cookie=abc; Max-Age=60; Path=/; Secure");
    assert_eq!(
        live["spec"]["rules"],
        json!([
            {"matches": cookie(".*flagger-cookie.*abc.*"), "backendRefs": [entry("canary", 100)]},
            {"matches": cookie(".*primary.*xyz.*"), "backendRefs": [entry("primary", 100)]},
            {"matches": everything(), "backendRefs": [primary, canary]},
        ])
    );
    // Afterwards the canary's cookie is deleted from clients.
    let ended = SessionCookies { canary: None, previous: Some("flagger-cookie=abc"), ..cookies };
    let mut deletes = entry("primary", 100);
    deletes["filters"] = setting("flagger-cookie=abc; Max-Age=-1; Path=/");
    let rest = json!({"matches": everything(), "backendRefs": [entry("primary", 100), entry("canary", 0)]});
    let live = write(&sample, ended, Some(live), split(0)).unwrap();
    assert_eq!(
        live["spec"]["rules"],
        json!([{"matches": cookie(".*flagger-cookie.*abc.*"), "backendRefs": [deletes]}, rest])
    );
    let next = SessionCookies { canary: Some("flagger-cookie=def"), ..ended };
    let live = write(&sample, next, Some(live), sticky(10)).unwrap();
    assert_eq!(live["spec"]["rules"].as_array().unwrap().len(), 3, "{live}");
    assert_eq!(live["spec"]["rules"][0]["matches"], cookie(".*flagger-cookie.*def.*"));
}

#[test]
fn takes_over_the_rules_that_flagger_wrote() {
    let analysis = json!({"match": [{"headers": {"x-user": {"exact": "insider"}}}], "iterations": 2,
                          "sessionAffinity": {"cookieName": "c"}});
    let sample = with(json!({}), analysis);
    let cookies = SessionCookies { canary: Some("c=abc"), ..NONE };
    let header = json!({"type": "Exact", "name": "x-user", "value": "insider"});
    let tested = json!([{"path": {"type": "PathPrefix", "value": "/"}, "headers": [header]}]);
    let mut canary = entry("canary", 20);
    canary["filters"] = setting("c=abc; Max-Age=86400");
    let flaggers = [
        (
            Routes::Matched,
            json!([
                {"matches": tested, "backendRefs": [entry("primary", 0), entry("canary", 100)]},
                {"matches": everything(), "backendRefs": [entry("primary", 100)]},
            ]),
        ),
        (
            sticky(20),
            json!([
                {"matches": cookie(".*c.*abc.*"), "backendRefs": [entry("primary", 0), entry("canary", 100)]},
                {"matches": everything(), "backendRefs": [entry("primary", 80), canary]},
            ]),
        ),
    ];
    for (want, rules) in flaggers {
        let owners = json!([sample.owner.reference()]);
        let live = json!({"metadata": {"ownerReferences": owners}, "spec": {"rules": rules}});
        let live = write(&sample, cookies, Some(live), want).unwrap();
        let fresh = write(&sample, cookies, None, want).unwrap();
        assert_eq!(live["spec"], fresh["spec"]);
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
