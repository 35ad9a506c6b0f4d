//! The three Services as Flagger creates them, and what is not changed.

mod identity;
mod ports;
mod release;

use serde_json::{Value, json};
use vexil_object::{Action, Change, ObjectKey, Objects, Owner, Seen, Store, kinds};
use vexil_routing::{RouteError, Services, laws::Sample};

use crate::KubernetesServices;

pub(crate) fn key(name: &str) -> ObjectKey {
    ObjectKey::new(kinds::SERVICE, "test", name)
}

/// The Canary `podinfo` with this `spec.service`.
pub(crate) fn sample(service: Value) -> Sample {
    let mut sample = Sample::default();
    sample.spec.service = serde_json::from_value(service).unwrap();
    sample
}

pub(crate) fn look(sample: &Sample, store: &Store) -> Objects {
    let needs = KubernetesServices.needs(&sample.target());
    needs.into_iter().map(|key| (key.clone(), store.look(&key))).collect()
}

pub(crate) fn apply(store: &mut Store, changes: Result<Vec<Change>, RouteError>) {
    changes.unwrap().iter().for_each(|change| store.apply(change).unwrap());
}

/// Reconciles all three Services and checks that they are not changed again.
pub(crate) fn settle(sample: &Sample, store: &mut Store) {
    let target = sample.target();
    let have = look(sample, store);
    apply(store, KubernetesServices.backends(&target, &have));
    apply(store, KubernetesServices.apex(&target, &have));
    let have = look(sample, store);
    assert_eq!(KubernetesServices.backends(&target, &have), Ok(vec![]));
    assert_eq!(KubernetesServices.apex(&target, &have), Ok(vec![]));
}

/// A Service of the user, without a controller.
pub(crate) fn users(metadata: Value, spec: Value) -> Store {
    let mut store = Store::default();
    store.put(
        key("podinfo"),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}),
    );
    store
}

#[test]
fn creates_the_services_of_the_guide() {
    let sample = sample(json!({"port": 80, "targetPort": 9898}));
    let mut store = Store::default();
    settle(&sample, &mut store);
    for (name, pods) in [
        ("podinfo", "podinfo-primary"),
        ("podinfo-primary", "podinfo-primary"),
        ("podinfo-canary", "podinfo"),
    ] {
        let mut live = store.get(&key(name)).unwrap().clone();
        live["metadata"]
            .as_object_mut()
            .unwrap()
            .retain(|field, _| field != "uid" && field != "resourceVersion");
        let expect = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": name,
                "namespace": "test",
                "labels": {"app": name},
                "annotations": {
                    "kustomize.toolkit.fluxcd.io/reconcile": "disabled",
                    "helm.toolkit.fluxcd.io/driftDetection": "disabled",
                },
                "ownerReferences": [sample.owner.reference()],
            },
            "spec": {
                "type": "ClusterIP",
                "selector": {"app": pods},
                "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": 9898}],
            },
        });
        assert_eq!(live, expect);
    }
}

/// Recorded at a Kubernetes 1.35 API server from Services that this crate made or adopted there.
#[test]
fn services_that_the_api_server_has_completed_are_not_written_again() {
    let recorded: Value = serde_json::from_str(include_str!("../tests/recorded.json")).unwrap();
    for case in recorded.as_array().unwrap() {
        let mut sample = sample(case["service"].clone());
        sample.ports = serde_json::from_value(case["discovered"].clone()).unwrap();
        let mut store = Store::default();
        for live in case["live"].as_array().unwrap() {
            store.put(key(live["metadata"]["name"].as_str().unwrap()), live.clone());
        }
        let have = look(&sample, &store);
        assert_eq!(KubernetesServices.backends(&sample.target(), &have), Ok(vec![]));
        assert_eq!(KubernetesServices.apex(&sample.target(), &have), Ok(vec![]));
    }
}

#[test]
fn headlessness_and_traffic_distribution_are_set_at_creation_only() {
    let sample = sample(json!({"port": 80, "headless": true, "trafficDistribution": "PreferClose"}));
    let mut store = Store::default();
    settle(&sample, &mut store);
    for name in ["podinfo", "podinfo-primary", "podinfo-canary"] {
        let live = store.get(&key(name)).unwrap();
        assert_eq!(
            (&live["spec"]["clusterIP"], &live["spec"]["trafficDistribution"]),
            (&json!("None"), &json!("PreferClose"))
        );
    }
    let before = store.clone();
    settle(&self::sample(json!({"port": 80, "trafficDistribution": "PreferSameZone"})), &mut store);
    assert_eq!(store, before);
}

#[test]
fn a_users_apex_is_adopted_for_its_ports_and_selector_only() {
    let mut store = users(
        json!({"name": "podinfo", "labels": {"team": "web"}, "annotations": {"a": "b"}}),
        json!({
            "type": "LoadBalancer",
            "selector": {"app": "podinfo", "tier": "web"},
            "ports": [
                {"name": "http", "port": 80, "targetPort": 8080, "nodePort": 31000},
                {"name": "admin", "port": 81},
            ],
        }),
    );
    settle(&sample(json!({"port": 80, "targetPort": 9898, "apex": {"labels": {"not": "here"}}})), &mut store);
    let live = store.get(&key("podinfo")).unwrap();
    assert_eq!(live["metadata"]["labels"], json!({"team": "web"}));
    assert_eq!(live["metadata"]["ownerReferences"], Value::Null);
    assert_eq!(live["metadata"]["annotations"].as_object().unwrap().len(), 3);
    let port = json!({"name": "http", "protocol": "TCP", "port": 80, "targetPort": 9898, "nodePort": 31000});
    let admin = json!({"name": "admin", "protocol": "TCP", "port": 81, "targetPort": 81});
    let spec =
        json!({"type": "LoadBalancer", "selector": {"app": "podinfo-primary"}, "ports": [port, admin]});
    assert_eq!(live["spec"], spec);
}

#[test]
fn drift_of_our_fields_is_corrected_and_nothing_else() {
    let sample = sample(json!({"port": 9898}));
    let mut store = Store::default();
    settle(&sample, &mut store);
    let mut live = store.get(&key("podinfo-canary")).unwrap().clone();
    live["metadata"]["labels"] = json!({"app": "x", "theirs": "1"});
    live["spec"]["selector"]["tier"] = json!("web");
    live["spec"]["sessionAffinity"] = json!("ClientIP");
    live["spec"]["ports"] = json!([{"name": "http2-podinfo", "port": 8080}]);
    store.put(key("podinfo-canary"), live);
    let changes = KubernetesServices.backends(&sample.target(), &look(&sample, &store)).unwrap();
    let [Change { action: Action::Merge { body, .. }, .. }] = changes.as_slice() else {
        panic!("{changes:?}")
    };
    let port = json!({"name": "http", "protocol": "TCP", "port": 9898, "targetPort": 9898});
    let expect = json!({
        "metadata": {"labels": {"app": "podinfo-canary"}},
        "spec": {"selector": {"tier": null}, "ports": [port]},
    });
    assert_eq!(body, &expect);
}

#[test]
fn declared_metadata_follows_the_canary_and_foreign_keys_stay() {
    let check = |service: Value, labels: Value, expect: Value| {
        let mut store = Store::default();
        settle(&sample(json!({"port": 80})), &mut store);
        let mut live = store.get(&key("podinfo")).unwrap().clone();
        live["metadata"]["labels"] = labels;
        store.put(key("podinfo"), live);
        settle(&sample(service), &mut store);
        assert_eq!(store.get(&key("podinfo")).unwrap()["metadata"]["labels"], expect);
    };
    let unmanaged = |key: &str| json!({"port": 80, "apex": {"labels": {"test": "a"}}, "unmanagedMetadata": {"labels": [key]}});
    check(json!({"port": 80}), json!({"theirs": "1"}), json!({"app": "podinfo", "theirs": "1"}));
    check(
        json!({"port": 80}),
        json!({"app": "podinfo", "test": "b"}),
        json!({"app": "podinfo", "test": "b"}),
    );
    check(unmanaged("none"), json!({"test": "b"}), json!({"app": "podinfo", "test": "a"}));
    check(unmanaged("test"), json!({"test": "b"}), json!({"app": "podinfo", "test": "b"}));
    check(unmanaged("test"), json!({}), json!({"app": "podinfo", "test": "a"}));
    check(unmanaged("app"), json!({"app": "x"}), json!({"app": "podinfo", "test": "a"}));
}

#[test]
fn services_of_other_owners_are_not_changed() {
    let check = |name: &str, owner: Option<(&str, &str)>, expect: Result<(), &str>| {
        let sample = sample(json!({"port": 80}));
        let mut store = Store::default();
        let owners =
            owner.map(|(name, uid)| Owner { name: name.to_owned(), uid: uid.to_owned() }.reference());
        store.put(key(name), json!({"metadata": {"ownerReferences": Vec::from_iter(owners)}}));
        let have = look(&sample, &store);
        let (backends, apex) = (
            KubernetesServices.backends(&sample.target(), &have),
            KubernetesServices.apex(&sample.target(), &have),
        );
        let text = backends.and(apex).map(drop).map_err(|error| error.to_string());
        let left = "and is left alone; remove it or rename spec.service.name";
        assert_eq!(text, expect.map_err(|owner| format!("Service {name}.test belongs to {owner} {left}")));
    };
    check("podinfo-canary", None, Err("someone else (it has no controller)"));
    check("podinfo-primary", None, Err("someone else (it has no controller)"));
    check("podinfo", None, Ok(()));
    check("podinfo-canary", Some(("podinfo", "canary-uid")), Ok(()));
    check("podinfo-canary", Some(("podinfo", "old")), Err("an earlier Canary podinfo (uid old)"));
    check("podinfo", Some(("podinfo", "old")), Err("an earlier Canary podinfo (uid old)"));
    check("podinfo", Some(("other", "uid")), Err("Canary other"));
}

#[test]
fn nothing_is_written_on_what_is_not_known() {
    let sample = sample(json!({"port": 80}));
    for missing in ["podinfo", "podinfo-primary", "podinfo-canary"] {
        let mut have = look(&sample, &Store::default());
        have.insert(key(missing), Seen::NotKnown);
        let target = sample.target();
        let answers = match missing {
            "podinfo" => {
                vec![KubernetesServices.apex(&target, &have), KubernetesServices.release(&target, &have)]
            }
            _ => vec![KubernetesServices.backends(&target, &have)],
        };
        for answer in answers {
            assert_eq!(answer, Err(RouteError::NotKnown { object: format!("Service {missing}.test") }));
        }
    }
}

#[test]
fn a_canary_without_a_port_is_an_error() {
    let error =
        KubernetesServices.apex(&sample(json!({})).target(), &look(&sample(json!({})), &Store::default()));
    assert_eq!(error.unwrap_err().to_string(), "Canary podinfo.test: spec.service.port is missing");
}
