//! The laws of routers, with what Kuma would make of the objects as the witness.

use serde_json::{Value, json};
use vexil_api::canary::MetadataBlock;
use vexil_routing::laws::{self, Case, Sample, Shared};

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

/// What Kuma 2 would make of a TrafficRoute, in the plainest way.
fn by_tag(live: &Value) -> Option<(i64, i64)> {
    sum(&live["spec"]["conf"]["split"], |entry| {
        entry["destination"]["kuma.io/service"].as_str()?.split("_test_svc_").next()
    })
}

/// What Kuma 3 would make of the rules of a MeshHTTPRoute that concern the apex.
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
