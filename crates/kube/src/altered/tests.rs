//! When a write is not sent again, and the report about it.

use serde_json::json;
use vexil_object::{Action, Kind, Precondition};

use super::*;

const ROUTE: Kind = Kind::namespaced("mesh.test", "v1", "Route", "routes");

fn key() -> ObjectKey {
    ObjectKey::new(ROUTE, "test", "podinfo")
}

fn merge(body: Value) -> Change {
    let on = Precondition { uid: "u".into(), resource_version: "1".into() };
    Change { key: key(), action: Action::Merge { body, on } }
}

fn definition(generation: u64) -> Value {
    let spec = json!({"properties": {"to": {"items": {"properties": {"kind": {}}}}}});
    let schema = json!({"properties": {"spec": spec}});
    json!({
        "metadata": {"uid": "crd", "generation": generation},
        "spec": {"versions": [{"name": "v1", "served": true, "schema": {"openAPIV3Schema": schema}}]},
    })
}

/// What a server stores that drops `labels`.
fn live(weight: u32) -> Value {
    json!({"metadata": {"resourceVersion": "7"}, "spec": {"to": [{"kind": "x"}], "weight": weight}})
}

fn wanted(weight: u32, label: &str) -> Value {
    json!({"spec": {"to": [{"kind": "x", "labels": {"a": label}}], "weight": weight}})
}

fn memory() -> Memory {
    let mut memory = Memory::default();
    let rules = Rules { built_in: false, exact: false };
    let found = differences(&Sent::of(&Action::Create(wanted(10, "b"))).unwrap(), &live(10), rules);
    let report = report(&key(), &found, Some(&definition(1)));
    memory.remember(&key(), found, (live(10), live(10)), Some(&definition(1)), report);
    memory
}

#[tokio::test(start_paused = true)]
async fn the_same_write_is_not_made_again_until_something_differs() {
    let check = |change: Change, object: Option<Value>, generation: u64, repeats: bool| {
        let definition = definition(generation);
        let known = Known { object: object.as_ref(), definition: Some(&definition) };
        let report = memory().repeats(&change, &known);
        assert_eq!(report.is_some_and(|report| report.repeated), repeats, "{change:?} on {object:?}");
    };
    check(merge(wanted(10, "b")), Some(live(10)), 1, true);
    check(merge(json!({"spec": {"to": [{"kind": "x", "labels": {"a": "b"}}]}})), Some(live(10)), 1, true);
    let mut touched = live(10);
    meta::set(&mut touched, &["metadata", "resourceVersion"], "9".into());
    meta::set(&mut touched, &["status"], json!({"seen": true}));
    check(merge(wanted(10, "b")), Some(touched.clone()), 1, true);
    meta::set(&mut touched, &["metadata", "labels", "x"], "y".into());
    check(merge(wanted(10, "b")), Some(touched), 1, false);
    check(merge(wanted(20, "b")), Some(live(10)), 1, false);
    check(merge(wanted(10, "c")), Some(live(10)), 1, false);
    check(merge(wanted(10, "b")), Some(live(10)), 2, false);
    check(merge(wanted(10, "b")), None, 1, false);
    let longer = json!({"kind": "x", "labels": {"a": "b"}});
    check(merge(json!({"spec": {"to": [longer, longer]}})), Some(live(10)), 1, false);
    check(merge(json!({"spec": {"weight": null}})), Some(live(10)), 1, false);
}

#[tokio::test(start_paused = true)]
async fn after_a_while_it_is_tried_once_more() {
    let (memory, definition) = (memory(), definition(1));
    let live = live(10);
    let known = Known { object: Some(&live), definition: Some(&definition) };
    assert!(memory.repeats(&merge(wanted(10, "b")), &known).is_some());
    tokio::time::sleep(PATIENCE).await;
    assert!(memory.repeats(&merge(wanted(10, "b")), &known).is_none());
}

#[test]
fn the_text_names_object_fields_and_definition() {
    let check = |key: ObjectKey, paths: &[(&str, bool)], shape: Option<Value>, text: &str| {
        let difference = |(path, missing): &(&str, bool)| Difference {
            path: path.split(' ').map(str::to_owned).collect(),
            sent: Value::Null,
            missing: *missing,
        };
        let found: Vec<_> = paths.iter().map(difference).collect();
        let end = "; it is written again when the object, its definition or what is wanted changes";
        assert_eq!(report(&key, &found, shape.as_ref()).to_string(), format!("{text}{end}"));
    };
    check(
        key(),
        &[("spec to 0 labels", true)],
        Some(definition(1)),
        "Route podinfo.test (mesh.test/v1) is not stored as it was written: the API server dropped \
         spec.to[0].labels; the CRD routes.mesh.test (versions v1) has no such field: apply the CRD of a version \
         that has it",
    );
    check(
        key(),
        &[("metadata labels a.b/c", true), ("spec to 0 kind", false)],
        None,
        "Route podinfo.test (mesh.test/v1) is not stored as it was written: the API server dropped \
         metadata.labels[a.b/c] and changed spec.to[0].kind; look for an admission webhook that changes it, and \
         at the CRD routes.mesh.test",
    );
    let service = ObjectKey::new(vexil_object::kinds::SERVICE, "test", "podinfo");
    check(
        service,
        &[("a", false), ("b", false), ("c", false), ("d", false), ("e", false), ("f", false)],
        None,
        "Service podinfo.test (v1) is not stored as it was written: the API server changed a, b, c, d and 2 more; \
         look for an admission webhook or policy that changes it",
    );
}
