//! The rules that A/B testing and session affinity add, also over those that Flagger wrote.

use serde_json::{Value, json};
use vexil_routing::{Routes, SessionCookies};

use super::{
    parts::{NONE, cookie, entry, everything, setting, split, sticky, with},
    write,
};

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
