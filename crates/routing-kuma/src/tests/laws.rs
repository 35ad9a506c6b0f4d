//! The laws of routers, checked against the weights as Kuma applies them.

use serde_json::{Value, json};
use vexil_api::canary::MetadataBlock;
use vexil_object::Store;
use vexil_routing::{
    Router,
    laws::{self, Case, Sample, Shared},
};

use super::{BOTH, cluster, key};
use crate::{Api, CANARY, Kuma, UID};

fn sum(list: &Value, names: impl Fn(&Value) -> Option<&str>) -> Option<(i64, i64)> {
    let mut sums = (None, None);
    for entry in list.as_array()? {
        let sum = match names(entry).unwrap_or_default() {
            "podinfo-primary" => &mut sums.0,
            "podinfo-canary" => &mut sums.1,
            _ => continue,
        };
        *sum = Some(sum.unwrap_or(0) + entry["weight"].as_i64()?);
    }
    Some((sums.0?, sums.1?))
}

/// The weights of a TrafficRoute as Kuma 2 applies them.
fn by_tag(live: &Value) -> Option<(i64, i64)> {
    sum(&live["spec"]["conf"]["split"], |entry| {
        entry["destination"]["kuma.io/service"].as_str()?.split("_test_svc_").next()
    })
}

/// The weights of the rules for the apex as Kuma 3 applies them.
pub(super) fn by_label(live: &Value) -> Option<(i64, i64)> {
    let named = |reference: &Value| {
        let ours =
            reference["kind"] == "MeshService" && reference["labels"]["k8s.kuma.io/namespace"] == "test";
        ours.then(|| reference["labels"]["kuma.io/display-name"].as_str().map(str::to_owned)).flatten()
    };
    let to = live["spec"]["to"].as_array()?.iter();
    let rules = to
        .filter(|item| named(&item["targetRef"]).as_deref() == Some("podinfo"))
        .flat_map(|item| item["rules"].as_array().into_iter().flatten());
    let splits: Vec<_> = rules
        .filter_map(|rule| {
            sum(&rule["default"]["backendRefs"], |entry| {
                named(entry)?;
                entry["labels"]["kuma.io/display-name"].as_str()
            })
        })
        .collect();
    let first = *splits.first()?;
    splits.iter().all(|split| *split == first).then_some(first)
}

#[test]
fn a_traffic_route_keeps_the_laws_of_routers() {
    let mut sample = Sample::default();
    let labels = [("team".to_owned(), "blue".to_owned())].into();
    sample.spec.service.apex = Some(MetadataBlock { labels, ..MetadataBlock::default() });
    let sources = json!([{"match": {"kuma.io/service": "web_test_svc_80"}}]);
    let destinations = json!([{"match": {"kuma.io/service": "podinfo_test_svc_80"}}]);
    let legacy = json!({"weight": 3, "destination": {"kuma.io/service": "legacy_test_svc_80"}});
    let conf = json!({"split": [legacy], "loadBalancer": {"roundRobin": {}}, "http": []});
    laws::all(&Case {
        router: &Kuma::new(None),
        target: sample.target(),
        cluster: cluster(&BOTH),
        route: key(Api::TrafficRoute),
        owned: false,
        weights: by_tag,
        other_routes: None,
        split: Some("/spec/conf/split"),
        lists: &[Shared {
            pointer: "/spec/conf/split",
            entry: || json!({"weight": 5, "destination": {"kuma.io/service": "podinfo_other_svc_80"}}),
        }],
        adoptable: &[
            json!({"mesh": "default", "spec": {"sources": sources, "destinations": destinations, "conf": conf}}),
            json!({"metadata": {"labels": {"a": "b"}}, "spec": {"destinations": destinations}}),
        ],
        foreign: &[
            json!({"metadata": {"labels": {UID: "another"}, "annotations": {CANARY: "other/podinfo"}}}),
            json!({"metadata": {"labels": {UID: "another"}, "annotations": {CANARY: null}}}),
        ],
        source: None,
    })
    .unwrap();
}

#[test]
fn a_mesh_http_route_keeps_the_laws_of_routers() {
    let sample = Sample::default();
    let service = |name: &str| {
        let labels = json!({"kuma.io/display-name": name, "k8s.kuma.io/namespace": "test"});
        json!({"kind": "MeshService", "labels": labels})
    };
    let beta = json!({
        "matches": [{"headers": [{"name": "x-beta", "value": "1"}]}],
        "default": {"backendRefs": [service("beta")]},
    });
    let elsewhere = json!({"targetRef": service("other"), "rules": [{"default": {"backendRefs": []}}]});
    laws::all(&Case {
        router: &Kuma::new(None),
        target: sample.target(),
        cluster: cluster(&[Api::MeshHttpRoute]),
        route: key(Api::MeshHttpRoute),
        owned: false,
        weights: by_label,
        other_routes: None,
        split: Some("/spec/to/0/rules/0/default/backendRefs"),
        lists: &[Shared {
            pointer: "/spec/to/0/rules/0/default/backendRefs",
            entry: || json!({"kind": "MeshExternalService", "labels": {"kuma.io/display-name": "podinfo-primary"}}),
        }],
        adoptable: &[
            json!({"spec": {"to": [elsewhere, {"targetRef": service("podinfo"), "rules": [beta]}]}}),
            json!({"spec": {"targetRef": {"kind": "Mesh"}, "to": [{"targetRef": service("podinfo"), "rules": []}]}}),
        ],
        foreign: &[json!({"metadata": {"labels": {UID: "another"}, "annotations": {CANARY: "other/podinfo"}}})],
        source: None,
    })
    .unwrap();
}

/// The CRD of MeshHTTPRoute before Kuma 2.9: references have names and no labels.
fn before_labels() -> Value {
    let reference =
        json!({"properties": {"kind": {}, "mesh": {}, "name": {}, "tags": {"additionalProperties": {}}}});
    let backends = json!({"items": {"properties": {"kind": {}, "name": {}, "port": {}, "weight": {}}}});
    let rules = json!({"items": {"properties": {"matches": {}, "default": {"properties": {"backendRefs": backends}}}}});
    let to = json!({"items": {"properties": {"targetRef": reference, "rules": rules}}});
    let schema = json!({"properties": {"spec": {"properties": {"targetRef": reference, "to": to}}}});
    let version = json!({"name": "v1alpha1", "served": true, "schema": {"openAPIV3Schema": schema}});
    json!({"kind": "CustomResourceDefinition", "spec": {"versions": [version]}})
}

fn older() -> Store {
    let mut store = Store::default();
    store.put(Api::MeshHttpRoute.kind().definition(), before_labels());
    store
}

/// The weights of the rules for the apex as Kuma 2.7 applies them.
fn by_name(live: &Value) -> Option<(i64, i64)> {
    let named = |reference: &Value| {
        let tag = reference["name"].as_str().filter(|_| reference["kind"] == "MeshService")?;
        tag.split_once("_test_svc_").map(|(service, _)| service.to_owned())
    };
    let to = live["spec"]["to"].as_array()?.iter();
    let rules = to
        .filter(|item| named(&item["targetRef"]).as_deref() == Some("podinfo"))
        .flat_map(|item| item["rules"].as_array().into_iter().flatten());
    let splits: Vec<_> = rules
        .filter_map(|rule| {
            sum(&rule["default"]["backendRefs"], |entry| {
                named(entry)?;
                entry["name"].as_str()?.split_once("_test_svc_").map(|(service, _)| service)
            })
        })
        .collect();
    let first = *splits.first()?;
    splits.iter().all(|split| *split == first).then_some(first)
}

#[test]
fn a_mesh_http_route_keeps_the_laws_where_references_have_no_labels() {
    let sample = Sample::default();
    let service = |name: &str| json!({"kind": "MeshService", "name": format!("{name}_test_svc_80")});
    let beta = json!({
        "matches": [{"headers": [{"name": "x-beta", "value": "1"}]}],
        "default": {"backendRefs": [service("beta")]},
    });
    laws::all(&Case {
        router: &Kuma::new(None),
        target: sample.target(),
        cluster: older(),
        route: key(Api::MeshHttpRoute),
        owned: false,
        weights: by_name,
        other_routes: None,
        split: Some("/spec/to/0/rules/0/default/backendRefs"),
        lists: &[Shared {
            pointer: "/spec/to/0/rules/0/default/backendRefs",
            entry: || json!({"kind": "MeshService", "name": "podinfo-primary_other_svc_80"}),
        }],
        adoptable: &[json!({"spec": {"to": [{"targetRef": service("podinfo"), "rules": [beta]}]}})],
        foreign: &[
            json!({"metadata": {"labels": {UID: "another"}, "annotations": {CANARY: "other/podinfo"}}}),
        ],
        source: None,
    })
    .unwrap();
}

/// The route after `live` was corrected in the cluster `store`.
fn corrected(mut store: Store, live: Value, want: u32) -> Value {
    let sample = Sample::default();
    store.put(key(Api::MeshHttpRoute), live);
    let have = super::look(Api::MeshHttpRoute, &store);
    let changes = Kuma::new(None).render(&sample.target(), &super::split(want), &have).unwrap();
    changes.iter().for_each(|change| store.apply(change).unwrap());
    let mut live = store.get(&key(Api::MeshHttpRoute)).unwrap().clone();
    let metadata = live["metadata"].as_object_mut().unwrap();
    metadata.retain(|name, _| !matches!(name.as_str(), "uid" | "resourceVersion"));
    live
}

#[test]
fn the_form_follows_the_crd_and_stripped_items_are_restored() {
    let write = |store: Store| {
        corrected(
            store,
            json!({"metadata": {
                "labels": {UID: "canary-uid"}, "annotations": {CANARY: "test/podinfo"},
            }}),
            25,
        )
    };
    let (labels, names) = (write(cluster(&[Api::MeshHttpRoute])), write(older()));
    assert_eq!(by_label(&labels), Some((75, 25)));
    assert_eq!(by_name(&names), Some((75, 25)));
    let reference = &names["spec"]["to"][0]["targetRef"];
    assert_eq!(*reference, json!({"kind": "MeshService", "name": "podinfo_test_svc_80"}));
    let backend = &names["spec"]["to"][0]["rules"][0]["default"]["backendRefs"][0];
    assert_eq!(*backend, json!({"kind": "MeshService", "name": "podinfo-primary_test_svc_80", "weight": 75}));
    // The CRD was replaced by a newer or an older one.
    assert_eq!(corrected(cluster(&[Api::MeshHttpRoute]), names.clone(), 25), labels);
    assert_eq!(corrected(older(), labels.clone(), 25), names);
    // An operator that ignores dropped fields adds an item and two entries with each write.
    let mut nameless = labels.clone();
    let entry = |weight: u32| json!({"kind": "MeshService", "port": 80, "weight": weight});
    let item = json!({"targetRef": {"kind": "MeshService"}, "rules": [{
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "default": {"backendRefs": vec![[entry(100), entry(0)]; 3].concat()},
    }]});
    nameless["spec"]["to"] = json!(vec![item; 9]);
    assert_eq!(corrected(older(), nameless, 25), names);
}
