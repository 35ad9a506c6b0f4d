//! The laws, objects as Flagger writes them, and how the user's Ingress is followed.

use serde_json::{Value, json};
use vexil_api::canary::IngressRef;
use vexil_object::{ObjectKey, Objects, Store, meta};
use vexil_routing::{
    INGRESS, MARKERS, Provider as _, Router as _, Routes, Weight,
    laws::{self, Case, Sample, Source},
};

use crate::Skipper;

const USERS: &str = "shop";
const GENERATED: &str = "shop-canary";
const WEIGHTS: &str = "zalando.org/backend-weights";
const PREDICATE: &str = "zalando.org/skipper-predicate";

fn key(name: &str) -> ObjectKey {
    ObjectKey::new(INGRESS, "test", name)
}

fn sample() -> Sample {
    let mut sample = Sample::default();
    sample.spec.ingress_ref =
        Some(IngressRef { api_version: None, kind: "Ingress".to_owned(), name: USERS.to_owned() });
    sample
}

fn path(path: &str, service: &str) -> Value {
    let backend = json!({"service": {"name": service, "port": {"number": 80}}});
    json!({"path": path, "pathType": "Prefix", "backend": backend})
}

/// The user's Ingress of Flagger's documentation, with these annotations.
fn users(annotations: Value, paths: &[Value]) -> Value {
    json!({
        "metadata": {"labels": {"team": "blue"}, "annotations": annotations},
        "spec": {"rules": [{"host": "app.example.com", "http": {"paths": paths}}]},
    })
}

fn cluster(annotations: Value) -> Store {
    let mut store = Store::default();
    store.put(key(USERS), users(annotations, &[path("/", "podinfo")]));
    store
}

fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

fn look(store: &Store) -> Objects {
    [key(USERS), key(GENERATED)].into_iter().map(|key| (key.clone(), store.look(&key))).collect()
}

fn read(store: &Store) -> Result<Routes, String> {
    Skipper.read(&sample().target(), &look(store)).map_err(|error| error.to_string())
}

fn render(store: &mut Store, want: u32) -> Result<Value, String> {
    let changes = Skipper.render(&sample().target(), &split(want), &look(store));
    for change in changes.map_err(|error| error.to_string())? {
        store.apply(&change).unwrap();
    }
    Ok(store.get(&key(GENERATED)).unwrap().clone())
}

/// The shares as Skipper applies them: those of the generated Ingress, unless its paths are switched off.
fn weights(live: &Value) -> Option<(i64, i64)> {
    let mut services = Vec::new();
    for rule in live["spec"]["rules"].as_array()? {
        for path in rule["http"]["paths"].as_array().into_iter().flatten() {
            services.push(path["backend"]["service"]["name"].as_str()?);
        }
    }
    let pairs = services.chunks(2).all(|pair| pair == ["podinfo-primary", "podinfo-canary"]);
    let annotation = |key| live["metadata"]["annotations"][key].as_str();
    let shares: Value = serde_json::from_str(annotation(WEIGHTS)?).ok()?;
    let (primary, canary) = (shares["podinfo-primary"].as_i64()?, shares["podinfo-canary"].as_i64()?);
    let first = annotation(PREDICATE)?.split(" && ").next()?.to_owned();
    let as_switched = first == if canary == 0 { "False()" } else { "Weight(100)" };
    let is_split = pairs && !services.is_empty() && as_switched && primary + canary == 100;
    (is_split && primary >= 0 && canary >= 0).then_some((primary, canary))
}

#[test]
fn keeps_the_laws_of_routers() {
    let sample = sample();
    laws::all(&Case {
        router: &Skipper,
        target: sample.target(),
        cluster: cluster(json!({PREDICATE: "Method(\"GET\")"})),
        route: key(GENERATED),
        owned: true,
        weights,
        other_routes: None,
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
    let check = |predicate: Option<&str>, canary: u32, expect: &str| {
        let mut store = cluster(json!({PREDICATE: predicate}));
        let live = render(&mut store, canary).unwrap();
        let paths = [path("/", "podinfo-primary"), path("/", "podinfo-canary")];
        assert_eq!(live["spec"], users(json!({}), &paths)["spec"]);
        let shares: Value = serde_json::from_str(meta::annotation(&live, WEIGHTS).unwrap()).unwrap();
        assert_eq!(shares, json!({"podinfo-primary": 100 - canary, "podinfo-canary": canary}));
        assert_eq!(meta::annotation(&live, PREDICATE), Some(expect));
        assert!(MARKERS.iter().all(|(key, value)| meta::annotation(&live, key) == Some(value)));
        assert_eq!(live["metadata"]["labels"], json!({"team": "blue"}));
        assert_eq!(live["metadata"]["ownerReferences"], json!([sample().owner.reference()]));
    };
    check(None, 0, "False()");
    check(None, 30, "Weight(100)");
    check(Some("Method(\"GET\")"), 0, "False() && Method(\"GET\")");
    check(Some("Method(\"GET\") && Host(/^a$/)"), 100, "Weight(100) && Method(\"GET\") && Host(/^a$/)");
}

#[test]
fn skippers_annotations_follow_the_users_but_for_further_routes() {
    let filter = "zalando.org/skipper-filter";
    let theirs = json!({filter: "compress()", "zalando.org/skipper-routes": "*", "note": "kept"});
    let mut store = cluster(theirs);
    let live = render(&mut store, 30).unwrap();
    let of = |live: &Value, key| meta::annotation(live, key).map(str::to_owned);
    assert_eq!(of(&live, filter).as_deref(), Some("compress()"));
    assert_eq!(of(&live, "zalando.org/skipper-routes"), None);
    let mut users = store.get(&key(USERS)).unwrap().clone();
    users["metadata"]["annotations"] = json!({PREDICATE: "Method(\"GET\")"});
    store.put(key(USERS), users);
    assert_eq!(read(&store), Ok(split(30)), "a change of the user's is no drift");
    let live = render(&mut store, 30).unwrap();
    assert_eq!(of(&live, filter), None);
    assert_eq!(of(&live, PREDICATE).as_deref(), Some("Weight(100) && Method(\"GET\")"));
    assert_eq!(of(&live, "note").as_deref(), Some("kept"));
}

#[test]
fn drift_is_reported_and_corrected() {
    let check = |steps: &[&str], edit: Value, expect: &str| {
        let mut store = cluster(json!({}));
        let untouched = render(&mut store, 10).unwrap();
        let mut live = untouched.clone();
        meta::set(&mut live, steps, edit);
        store.put(key(GENERATED), live);
        assert_eq!(read(&store), Err(format!("Ingress {GENERATED}.test: {expect}")));
        let corrected = render(&mut store, 10).unwrap();
        assert_eq!(corrected["spec"], untouched["spec"]);
        assert_eq!(corrected["metadata"]["annotations"], untouched["metadata"]["annotations"]);
    };
    let weights = ["metadata", "annotations", WEIGHTS];
    let shares = |text: &str| {
        format!(
            "metadata.annotations.{WEIGHTS} is {text:?}, not the shares of the primary and the canary, 100 in all"
        )
    };
    check(&weights, json!("x"), &shares("x"));
    let short = r#"{"podinfo-primary":90}"#;
    check(&weights, json!(short), &shares(short));
    let more = r#"{"podinfo-primary":90,"podinfo-canary":20}"#;
    check(&weights, json!(more), &shares(more));
    let third = r#"{"podinfo-primary":90,"podinfo-canary":10,"docs":5}"#;
    check(
        &weights,
        json!(third),
        &format!("metadata.annotations.{WEIGHTS} is {third:?}, with other Services than ours"),
    );
    check(
        &["metadata", "annotations", PREDICATE],
        json!("False()"),
        &format!("metadata.annotations.{PREDICATE} is \"False()\", which does not begin with Weight(100)"),
    );
    let alone = json!([{"http": {"paths": [path("/", "podinfo-primary")]}}]);
    check(&["spec", "rules"], alone, "spec.rules has a path without an entry for each of our Services");
    check(&["spec", "rules"], json!([]), "spec.rules has no path that leads to our Services");
}

#[test]
fn an_ingress_that_cannot_be_followed_is_reported_with_flaggers_text() {
    let refused = |users: Option<Value>, error: &str| {
        let mut store = Store::default();
        users.into_iter().for_each(|users| store.put(key(USERS), users));
        assert_eq!(render(&mut store, 0), Err(error.to_owned()));
        assert_eq!(Skipper.release(&sample().target(), &look(&store)), Ok(Vec::new()));
    };
    refused(
        None,
        "Canary podinfo.test: spec.ingressRef.name names an Ingress that does not exist: ingress shop.test get query \
         error: not found",
    );
    let no_path =
        "Ingress shop.test: spec.rules has no path to the apex: backend podinfo not found in ingress shop";
    refused(Some(users(json!({}), &[path("/", "docs")])), no_path);
    // A default backend has no path that could be split.
    let default = json!({"defaultBackend": {"service": {"name": "podinfo", "port": {"number": 80}}}});
    refused(Some(json!({"spec": default})), no_path);
    let canary = json!({"metadata": {}, "spec": {"targetRef": {"name": "podinfo"}}});
    let defects = Skipper.defects(&vexil_api::parse(&canary).unwrap());
    let texts: Vec<_> = defects.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["spec.ingressRef.name: is missing: ingress selector is empty"]);
}

#[test]
fn without_the_users_ingress_the_canarys_weight_can_only_be_reduced() {
    let check = |live: u32, want: u32, expect: Option<(i64, i64)>, predicate: &str| {
        let mut store = cluster(json!({PREDICATE: "Method(\"GET\")"}));
        render(&mut store, live).unwrap();
        store.remove(&key(USERS));
        assert_eq!(render(&mut store, want).ok().as_ref().and_then(weights), expect, "{live} to {want}");
        let live = store.get(&key(GENERATED)).unwrap();
        assert_eq!(meta::annotation(live, PREDICATE), Some(predicate));
    };
    check(50, 20, Some((80, 20)), "Weight(100) && Method(\"GET\")");
    check(50, 0, Some((100, 0)), "False() && Method(\"GET\")");
    check(50, 60, None, "Weight(100) && Method(\"GET\")");
}
