//! The laws, objects as Flagger wrote them, and the correction of drift.

mod options;

use serde_json::{Value, json};
use vexil_api::canary::MetadataBlock;
use vexil_object::{Action, ObjectKey, Objects, Seen, Store};
use vexil_routing::{
    Feature, RouteError, Router, Routes, Weight,
    laws::{self, Case, Sample, Shared},
};

use crate::{Group, Traefik};

const APEX: &str = "podinfo";
const MIRRORED: Routes = Routes::Mirrored { percent: Weight::FULL };

/// A cluster that serves these groups.
fn cluster(groups: &[Group]) -> Store {
    let mut store = Store::default();
    for group in groups {
        store.put(group.kind().definition(), json!({"kind": "CustomResourceDefinition"}));
    }
    store
}

fn key(group: Group) -> ObjectKey {
    ObjectKey::new(group.kind(), "test", APEX)
}

fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

/// The weights as Traefik applies them.
fn weights(live: &Value) -> Option<(i64, i64)> {
    let mut sums = (None, None);
    for entry in live.pointer("/spec/weighted/services")?.as_array()? {
        let is =
            |field: &str, value: &str| entry[field].is_null() || entry[field] == "" || entry[field] == value;
        if is("kind", "Service") && is("namespace", "test") {
            match entry["name"].as_str() {
                Some("podinfo-primary") => sums.0 = Some(sums.0.unwrap_or(0) + entry["weight"].as_i64()?),
                Some("podinfo-canary") => sums.1 = Some(sums.1.unwrap_or(0) + entry["weight"].as_i64()?),
                _ => {}
            }
        }
    }
    sums.0.or(sums.1)?;
    Some((sums.0.unwrap_or(0), sums.1.unwrap_or(0)))
}

#[test]
fn keeps_the_laws_of_routers() {
    let users = json!({"name": "legacy", "port": "http", "weight": 3, "sticky": {"cookie": {"name": "x"}}});
    let lookalike = json!({"name": "podinfo-primary", "kind": "TraefikService", "weight": 7});
    for group in [Group::Io, Group::Containo] {
        let mut sample = Sample::default();
        let labels = [("team".to_owned(), "blue".to_owned())].into();
        sample.spec.service.apex = Some(MetadataBlock { labels, ..MetadataBlock::default() });
        let laws = laws::all(&Case {
            router: &Traefik::new(None),
            target: sample.target(),
            cluster: cluster(&[group]),
            route: key(group),
            owned: true,
            weights,
            other_routes: None,
            split: Some("/spec/weighted/services"),
            lists: &[Shared {
                pointer: "/spec/weighted/services",
                entry: || json!({"name": "legacy", "kind": "TraefikService", "weight": 5}),
            }],
            adoptable: &[
                json!({"spec": {"weighted": {"services": [users, lookalike], "sticky": {"cookie": {}}}}}),
                json!({"metadata": {"labels": {"a": "b"}}, "spec": {"mirroring": {"name": "legacy"}}}),
                // The CRD requires a spec, so an empty one is the least there can be.
                json!({"metadata": {"annotations": {"a": "b"}}, "spec": {}}),
            ],
            foreign: &[],
            source: None,
        });
        laws.unwrap();
    }
}

/// Writes `want` over `live`, or a new object, and returns it.
fn write(sample: &Sample, live: Option<Value>, want: u32) -> Value {
    let mut store = cluster(&[Group::Io]);
    if let Some(live) = live {
        store.put(key(Group::Io), live);
    }
    let mut have = Objects::from(&store);
    have.insert(Group::Containo.kind().definition(), Seen::Absent);
    have.insert(key(Group::Io), store.look(&key(Group::Io)));
    let changes = Traefik::new(None).render(&sample.target(), &split(want), &have).unwrap();
    changes.iter().for_each(|change| store.apply(change).unwrap());
    store.get(&key(Group::Io)).unwrap().clone()
}

fn services(object: &Value) -> &Value {
    &object["spec"]["weighted"]["services"]
}

#[test]
fn writes_what_flagger_wrote() {
    let sample = Sample::default();
    let entry =
        |name: &str, weight: u32| json!({"name": name, "namespace": "test", "port": 80, "weight": weight});
    let primary = |weight| entry("podinfo-primary", weight);
    let created = write(&sample, None, 0);
    assert_eq!(created["spec"], json!({"weighted": {"services": [primary(100)]}}));
    assert_eq!(created["metadata"]["labels"], Value::Null);
    assert_eq!(
        created["metadata"]["annotations"],
        json!({
            "helm.toolkit.fluxcd.io/driftDetection": "disabled",
            "kustomize.toolkit.fluxcd.io/reconcile": "disabled",
        })
    );
    assert_eq!(created["metadata"]["ownerReferences"], json!([sample.owner.reference()]));

    let shifted = write(&sample, Some(created.clone()), 25);
    assert_eq!(services(&shifted), &json!([primary(75), entry("podinfo-canary", 25)]));
    let over = write(&sample, Some(shifted.clone()), 100);
    assert_eq!(services(&over), &json!([entry("podinfo-canary", 100)]));
    let back = write(&sample, Some(over), 0);
    assert_eq!(services(&back), services(&created));
}

#[test]
fn has_the_metadata_of_the_apex_but_not_its_selector_label() {
    let mut sample = Sample::default();
    let map = |value: &str| [("test".to_owned(), value.to_owned())].into();
    sample.spec.service.apex = Some(MetadataBlock { labels: map("test1"), annotations: map("test2") });
    let created = write(&sample, None, 0);
    assert_eq!(created["metadata"]["labels"], json!({"test": "test1"}));
    assert_eq!(created["metadata"]["annotations"]["test"], "test2");

    let users = write(&sample, Some(json!({"metadata": {"labels": {"mine": "1"}}})), 0);
    assert_eq!(users["metadata"]["labels"], json!({"mine": "1"}), "an adopted object keeps its labels");
    assert_eq!(users["metadata"]["ownerReferences"], Value::Null, "and gets no owner");
}

#[test]
fn a_new_canary_entry_is_a_copy_of_the_primarys() {
    let sample = Sample::default();
    let live = json!({"spec": {"weighted": {"services": [
        {"name": "legacy", "weight": 1},
        {"name": "podinfo-primary", "port": 80, "weight": 100, "scheme": "h2c"},
        {"name": "other", "weight": 1},
    ]}}});
    let shifted = write(&sample, Some(live), 10);
    assert_eq!(
        services(&shifted),
        &json!([
            {"name": "legacy", "weight": 1},
            {"name": "podinfo-primary", "port": 80, "weight": 90, "scheme": "h2c"},
            {"name": "podinfo-canary", "port": 80, "weight": 10, "scheme": "h2c"},
            {"name": "other", "weight": 1},
        ])
    );
}

/// The routes that are read from `spec.weighted.services`, and the list after rendering 90/10.
fn check(list: Value, read: Result<u32, &str>, rendered: &[(&str, i64)]) {
    let sample = Sample::default();
    let mut store = cluster(&[Group::Io]);
    store.put(key(Group::Io), json!({"spec": {"weighted": {"services": list}}}));
    let mut have = Objects::from(&store);
    have.insert(Group::Containo.kind().definition(), Seen::Absent);
    let router = Traefik::new(None);
    let routes = router.read(&sample.target(), &have).map_err(|error| error.to_string());
    let expected = read.map(split).map_err(|message| format!("TraefikService podinfo.test: {message}"));
    assert_eq!(routes, expected, "{list}");
    let changes = router.render(&sample.target(), &split(10), &have).unwrap();
    changes.iter().for_each(|change| store.apply(change).unwrap());
    let live = store.get(&key(Group::Io)).unwrap();
    let entries = services(live).as_array().unwrap().iter();
    let written: Vec<_> =
        entries.map(|e| (e["name"].as_str().unwrap(), e["weight"].as_i64().unwrap())).collect();
    assert_eq!(written, rendered, "{list}");
}

#[test]
fn an_entry_that_is_missing_counts_as_none_of_the_traffic() {
    let p = |weight: i64| json!({"name": "podinfo-primary", "port": 80, "weight": weight});
    let c =
        |weight: i64| json!({"name": "podinfo-canary", "namespace": "test", "port": 80, "weight": weight});
    let fixed = &[("podinfo-primary", 90), ("podinfo-canary", 10)][..];
    check(json!([p(90), c(10)]), Ok(10), fixed);
    check(json!([p(100), c(0)]), Ok(0), fixed);
    check(json!([p(100)]), Ok(0), fixed);
    check(json!([c(100)]), Ok(100), fixed);
    let sum = "spec.weighted.services has primary 90 and canary 0, which is not 100 in all";
    check(json!([p(90)]), Err(sum), fixed);
    let none = "spec.weighted.services has no entry for the primary and none for the canary";
    check(json!([]), Err(none), fixed);
    let missing = "spec.weighted.services[0].weight is missing";
    check(json!([{"name": "podinfo-primary", "port": 80}]), Err(missing), fixed);
}

#[test]
fn follows_the_group_that_the_cluster_serves() {
    let check = |forced, served: &[Group], expect: Result<Group, &str>| {
        let sample = Sample::default();
        let (router, store) = (Traefik::new(forced), cluster(served));
        let mut have = Objects::default();
        loop {
            let needs = router.needs(&sample.target(), &have);
            if needs.is_empty() {
                break;
            }
            needs.into_iter().for_each(|key| have.insert(key.clone(), store.look(&key)));
        }
        let changes = router.render(&sample.target(), &Routes::PRIMARY, &have);
        match (changes.as_deref(), expect) {
            (Ok([change]), Ok(group)) => {
                assert_eq!(change.key, key(group));
                assert!(
                    matches!(&change.action, Action::Create(object) if object["apiVersion"] == group.kind().api_version())
                );
            }
            (Err(error), Err(message)) => assert_eq!(error.to_string(), message),
            other => panic!("{other:?}"),
        }
    };
    let missing = |kinds: &str| {
        format!("the cluster does not serve {kinds}; install the CRDs of Traefik, or choose another provider")
    };
    check(None, &[Group::Io], Ok(Group::Io));
    check(None, &[Group::Containo], Ok(Group::Containo));
    check(None, &[Group::Containo, Group::Io], Ok(Group::Io));
    check(Some(Group::Containo), &[Group::Containo, Group::Io], Ok(Group::Containo));
    let both = missing("TraefikService of traefik.io/v1alpha1 or traefik.containo.us/v1alpha1");
    check(None, &[], Err(&both));
    check(Some(Group::Io), &[Group::Containo], Err(&missing("TraefikService of traefik.io/v1alpha1")));
}

#[test]
fn refuses_to_mirror() {
    let sample = Sample::default();
    let error = Traefik::new(None).render(&sample.target(), &MIRRORED, &Objects::default());
    assert_eq!(error, Err(RouteError::Unsupported { provider: "traefik", feature: Feature::Mirroring }));
}
