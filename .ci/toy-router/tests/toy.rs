//! The toy keeps the laws of routers.

#![allow(
    clippy::indexing_slicing,
    reason = "helpers outside of #[test] functions are not exempt by clippy.toml"
)]

use serde_json::{Value, json};
use vexil_object::{Kind, ObjectKey, Store};
use vexil_routing::laws::{self, Case, Sample, Shared};
use vexil_routing_toy::Toy;

const SPLIT: Kind = Kind::namespaced("toy.example.com", "v1", "Split", "splits");

fn weights(live: &Value) -> Option<(i64, i64)> {
    let mut sums = (None, None);
    for entry in live["spec"]["backends"].as_array()? {
        let sum = match entry["name"].as_str() {
            Some("podinfo-primary") => &mut sums.0,
            Some("podinfo-canary") => &mut sums.1,
            _ => continue,
        };
        *sum = Some(sum.unwrap_or(0) + entry["weight"].as_i64()?);
    }
    Some((sums.0?, sums.1?))
}

#[test]
fn keeps_the_laws_of_routers() {
    let sample = Sample::default();
    let mut cluster = Store::default();
    cluster.put(SPLIT.definition(), json!({"kind": "CustomResourceDefinition"}));
    laws::all(&Case {
        router: &Toy,
        target: sample.target(),
        cluster,
        route: ObjectKey::new(SPLIT, "test", "podinfo"),
        owned: true,
        weights,
        other_routes: None,
        split: Some("/spec/backends"),
        lists: &[Shared { pointer: "/spec/backends", entry: || json!({"name": "legacy", "weight": 5}) }],
        adoptable: &[json!({"spec": {"backends": [{"name": "legacy", "weight": 5}]}})],
        foreign: &[],
        source: None,
    })
    .unwrap();
}
