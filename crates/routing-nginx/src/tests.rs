//! The laws, objects as Flagger writes them, and how the user's Ingress is followed.

mod source;

use serde_json::{Value, json};
use vexil_api::canary::IngressRef;
use vexil_object::{ObjectKey, Objects, Store, meta};
use vexil_routing::{
    INGRESS, MARKERS, Router as _, Routes, Weight,
    laws::{self, Case, Sample, Source},
};

use crate::Nginx;

const USERS: &str = "shop";
const GENERATED: &str = "shop-canary";

fn key(name: &str) -> ObjectKey {
    ObjectKey::new(INGRESS, "test", name)
}

fn sample() -> Sample {
    let mut sample = Sample::default();
    sample.spec.ingress_ref =
        Some(IngressRef { api_version: None, kind: "Ingress".to_owned(), name: USERS.to_owned() });
    sample
}

fn ab_sample(matches: Value) -> Sample {
    let mut sample = sample();
    sample.spec.analysis = serde_json::from_value(json!({"match": matches})).unwrap();
    sample
}

fn path(path: &str, service: &str) -> Value {
    let backend = json!({"service": {"name": service, "port": {"number": 80}}});
    json!({"path": path, "pathType": "Prefix", "backend": backend})
}

fn rule(host: &str, paths: &[Value]) -> Value {
    json!({"host": host, "http": {"paths": paths}})
}

fn users(annotations: Value, rules: &[Value]) -> Value {
    let tls = json!([{"hosts": ["app.example.com"], "secretName": "tls"}]);
    json!({
        "metadata": {"labels": {"team": "blue"}, "annotations": annotations},
        "spec": {"ingressClassName": "nginx", "tls": tls, "rules": rules},
    })
}

/// The user's Ingress of Flagger's documentation.
fn guide() -> Value {
    users(
        json!({"kubernetes.io/ingress.class": "nginx"}),
        &[rule("app.example.com", &[path("/", "podinfo")])],
    )
}

fn cluster(users: Value) -> Store {
    let mut store = Store::default();
    store.put(key(USERS), users);
    store
}

fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

fn look(store: &Store) -> Objects {
    [key(USERS), key(GENERATED)].into_iter().map(|key| (key.clone(), store.look(&key))).collect()
}

fn read(sample: &Sample, store: &Store) -> Result<Routes, String> {
    Nginx::default().read(&sample.target(), &look(store)).map_err(|error| error.to_string())
}

fn render(sample: &Sample, store: &mut Store, want: &Routes) -> Result<Value, String> {
    let changes = Nginx::default().render(&sample.target(), want, &look(store));
    for change in changes.map_err(|error| error.to_string())? {
        store.apply(&change).unwrap();
    }
    Ok(store.get(&key(GENERATED)).unwrap().clone())
}

/// The annotations of ingress-nginx, without the prefix.
fn of_nginx(live: &Value) -> Value {
    let all = live["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    let named = |(key, value): (String, Value)| {
        Some((key.strip_prefix("nginx.ingress.kubernetes.io/")?.to_owned(), value))
    };
    all.into_iter().filter_map(named).collect()
}

/// Whether the path of the canary leads to the canary, as an Ingress that is a canary at all.
fn is_canary(live: &Value) -> Option<Value> {
    let annotations = of_nginx(live);
    let rules = live["spec"]["rules"].as_array()?;
    let mut paths = rules.iter().filter_map(|rule| rule["http"]["paths"].as_array()).flatten().peekable();
    paths.peek()?;
    let ours = paths.all(|path| path["backend"]["service"]["name"] == "podinfo-canary");
    Some(annotations).filter(|annotations| ours && annotations["canary"] == "true")
}

fn conditions(annotations: &Value) -> Option<Vec<String>> {
    let keys = annotations.as_object()?.keys().filter(|key| key.starts_with("canary-"));
    Some(keys.filter(|key| *key != "canary-weight").cloned().collect())
}

/// The weights as ingress-nginx applies them.
fn weights(live: &Value) -> Option<(i64, i64)> {
    let annotations = is_canary(live).filter(|annotations| conditions(annotations) == Some(Vec::new()))?;
    let canary: i64 = annotations["canary-weight"].as_str()?.parse().ok()?;
    (0..=100).contains(&canary).then_some((100 - canary, canary))
}

/// A/B testing as ingress-nginx does it.
fn matched(live: &Value) -> Option<Routes> {
    let annotations = is_canary(live)?;
    let by_value = ["canary-by-header", "canary-by-header-value"].map(str::to_owned);
    (conditions(&annotations)? == by_value && annotations["canary-weight"] == "0").then_some(Routes::Matched)
}

#[test]
fn keeps_the_laws_of_routers() {
    let sample = sample();
    laws::all(&Case {
        router: &Nginx::default(),
        target: sample.target(),
        cluster: cluster(guide()),
        route: key(GENERATED),
        owned: true,
        weights,
        other_routes: Some(matched),
        split: None,
        lists: &[],
        adoptable: &[],
        foreign: &[json!({"metadata": {"ownerReferences": null}})],
        source: Some(Source { key: key(USERS), pointer: "/spec/rules/0" }),
    })
    .unwrap();
}

#[test]
fn writes_what_flagger_writes() {
    let mut store = cluster(guide());
    for canary in [0, 30, 50, 100, 0] {
        let live = render(&sample(), &mut store, &split(canary)).unwrap();
        let mut expect = guide();
        expect["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] =
            json!("podinfo-canary");
        assert_eq!(live["spec"], expect["spec"]);
        let mut annotations = json!({
            "kubernetes.io/ingress.class": "nginx",
            "nginx.ingress.kubernetes.io/canary": "true",
            "nginx.ingress.kubernetes.io/canary-weight": canary.to_string(),
        });
        MARKERS.iter().for_each(|(key, value)| annotations[*key] = json!(value));
        assert_eq!(live["metadata"]["annotations"], annotations);
        assert_eq!(live["metadata"]["labels"], json!({"team": "blue"}));
        assert_eq!(live["metadata"]["ownerReferences"], json!([sample().owner.reference()]));
        assert_eq!(store.get(&key(USERS)).unwrap()["spec"], guide()["spec"], "the user's is only read");
    }
}

#[test]
fn a_header_and_a_cookie_choose_the_canary_in_ab_testing() {
    let sample = ab_sample(json!([
        {"headers": {"x-canary": {"exact": "insider"}}}, {"headers": {"cookie": {"exact": "canary"}}},
    ]));
    let mut store = cluster(guide());
    let live = render(&sample, &mut store, &Routes::Matched).unwrap();
    let matched = json!({
        "canary": "true", "canary-weight": "0", "canary-by-header": "x-canary",
        "canary-by-header-value": "insider", "canary-by-cookie": "canary",
    });
    assert_eq!(of_nginx(&live), matched);
    assert_eq!(read(&sample, &store), Ok(Routes::Matched));
    let live = render(&sample, &mut store, &split(0)).unwrap();
    assert_eq!(of_nginx(&live), json!({"canary": "true", "canary-weight": "0"}));
}

#[test]
fn another_prefix_is_that_of_the_flag() {
    let (router, sample, mut store) = (Nginx::new("custom.example.com"), sample(), cluster(guide()));
    for change in router.render(&sample.target(), &split(0), &look(&store)).unwrap() {
        store.apply(&change).unwrap();
    }
    let live = store.get(&key(GENERATED)).unwrap();
    assert_eq!(meta::annotation(live, "custom.example.com/canary"), Some("true"));
    assert_eq!(meta::annotation(live, "custom.example.com/canary-weight"), Some("0"));
    assert_eq!(of_nginx(live), json!({}));
}

#[test]
fn only_paths_to_the_apex_are_copied_with_all_their_fields() {
    let mut named = path("/v2", "podinfo");
    named["backend"]["service"]["port"] = json!({"name": "http"});
    named["x-unknown"] = json!({"a": [1]});
    let rules = [
        rule("app.example.com", &[path("/", "podinfo"), path("/docs", "docs"), named]),
        rule("docs.example.com", &[path("/", "docs")]),
        json!({"host": "empty.example.com"}),
    ];
    let mut users = users(json!({}), &rules);
    users["spec"]["defaultBackend"] = json!({"service": {"name": "podinfo", "port": {"number": 80}}});
    let live = render(&sample(), &mut cluster(users), &split(10)).unwrap();
    let paths = [path("/", "podinfo-canary"), path("/v2", "podinfo-canary")];
    let mut expect = rule("app.example.com", &paths);
    expect["http"]["paths"][1]["backend"]["service"]["port"] = json!({"name": "http"});
    expect["http"]["paths"][1]["x-unknown"] = json!({"a": [1]});
    assert_eq!(live["spec"]["rules"], json!([expect]));
    assert_eq!(live["spec"]["defaultBackend"]["service"]["name"], "podinfo-canary");
}

#[test]
fn annotations_of_ingress_nginx_follow_the_users() {
    let affinity = "nginx.ingress.kubernetes.io/affinity";
    let theirs = json!({
        affinity: "cookie", "nginx.ingress.kubernetes.io/canary-weight-total": "1000", "note": "kept",
        "cert-manager.io/cluster-issuer": "letsencrypt", "argocd.argoproj.io/tracking-id": "shop",
    });
    let (sample, mut store) = (sample(), cluster(users(theirs, &[rule("a", &[path("/", "podinfo")])])));
    let live = render(&sample, &mut store, &split(30)).unwrap();
    assert_eq!(of_nginx(&live), json!({"affinity": "cookie", "canary": "true", "canary-weight": "30"}));
    let others = ["note", "cert-manager.io/cluster-issuer", "argocd.argoproj.io/tracking-id"];
    assert_eq!(others.map(|key| meta::annotation(&live, key)), [Some("kept"), None, None]);
    let mut users = store.get(&key(USERS)).unwrap().clone();
    users["metadata"]["annotations"] = json!({"nginx.ingress.kubernetes.io/load-balance": "ewma"});
    store.put(key(USERS), users);
    assert_eq!(read(&sample, &store), Ok(split(30)), "a change of the user's is no drift");
    let live = render(&sample, &mut store, &split(30)).unwrap();
    assert_eq!(of_nginx(&live), json!({"load-balance": "ewma", "canary": "true", "canary-weight": "30"}));
    assert_eq!(meta::annotation(&live, "note"), Some("kept"), "others are copied once");
}

#[test]
fn drift_is_reported_and_corrected() {
    let check = |pointer: &str, edit: Value, expect: &str| {
        let (sample, mut store) = (sample(), cluster(guide()));
        let untouched = render(&sample, &mut store, &split(10)).unwrap();
        let mut live = untouched.clone();
        let steps: Vec<_> = pointer.split(' ').collect();
        meta::set(&mut live, &steps, edit);
        store.put(key(GENERATED), live);
        assert_eq!(read(&sample, &store), Err(format!("Ingress {GENERATED}.test: {expect}")));
        let corrected = render(&sample, &mut store, &split(10)).unwrap();
        assert_eq!(corrected["spec"], untouched["spec"]);
        assert_eq!(corrected["metadata"]["annotations"], untouched["metadata"]["annotations"]);
    };
    let annotation = |name: &str| format!("metadata annotations nginx.ingress.kubernetes.io/{name}");
    let said = |text: &str| format!("metadata.annotations.nginx.ingress.kubernetes.io/{text}");
    check(&annotation("canary"), json!("false"), &said("canary is \"false\", not \"true\""));
    check(
        &annotation("canary-weight"),
        json!("110"),
        &said("canary-weight is \"110\", not an integer from 0 to 100"),
    );
    check(
        &annotation("canary-by-cookie"),
        json!("x"),
        &said("canary-by-cookie is a condition that the Canary does not have"),
    );
    check("spec rules", json!([]), "spec.rules has no path that leads to our Services");
    check("spec rules", json!(1), "spec.rules is not a list");
    check(
        "spec rules",
        json!([rule("a", &[path("/", "docs")])]),
        "spec.rules[0].http.paths[0].backend names a Service that is not ours",
    );
}
