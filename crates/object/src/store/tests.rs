//! What the store takes and what it refuses.

use serde_json::json;

use super::*;
use crate::kinds;

fn key() -> ObjectKey {
    ObjectKey::new(kinds::SERVICE, "test", "podinfo")
}

fn store(spec: Value) -> Store {
    let mut store = Store::default();
    store.put(key(), json!({"spec": spec}));
    store
}

fn check(spec: Value, ops: Vec<JsonOp>, expect: Result<Value, &str>) {
    let mut store = store(spec);
    let before = store.clone();
    let on = Precondition::of(store.get(&key()).unwrap());
    match (store.apply(&Change { key: key(), action: Action::Json { ops, on } }), expect) {
        (Ok(()), Ok(spec)) => assert_eq!(store.get(&key()).unwrap()["spec"], spec),
        (Err(Refused::NoSuchPath(path)), Err(expected)) => {
            assert_eq!(path, expected);
            assert_eq!(store, before, "a refused patch changes nothing");
        }
        (got, expect) => panic!("{got:?} instead of {expect:?}"),
    }
}

#[test]
fn performs_json_patches_whole_or_not_at_all() {
    let add = |path: &str, value: Value| JsonOp::Add(path.to_owned(), value);
    let remove = |path: &str| JsonOp::Remove(path.to_owned());
    check(
        json!({"a": 1}),
        vec![add("/spec/a", json!(2)), add("/spec/b", json!(3))],
        Ok(json!({"a": 2, "b": 3})),
    );
    check(json!({"a/b": 1}), vec![remove("/spec/a~1b")], Ok(json!({})));
    check(
        json!({"l": [1, 3]}),
        vec![add("/spec/l/1", json!(2)), add("/spec/l/-", json!(4))],
        Ok(json!({"l": [1, 2, 3, 4]})),
    );
    check(json!({"l": [1, 2]}), vec![remove("/spec/l/0")], Ok(json!({"l": [2]})));
    check(json!({"a": 1}), vec![add("/spec/b", json!(2)), remove("/spec/c")], Err("/spec/c"));
    check(json!({"l": []}), vec![add("/spec/l/1", json!(2))], Err("/spec/l/1"));
    check(json!({"a": 1}), vec![add("/spec/a/b", json!(2))], Err("/spec/a/b"));
    check(json!({}), vec![add("nowhere", json!(2))], Err("nowhere"));
}

#[test]
fn a_change_computed_from_an_older_version_is_refused() {
    let mut store = store(json!({"a": 1}));
    let old = store.get(&key()).unwrap().clone();
    let change =
        Change::between(key(), &old, &json!({"metadata": old["metadata"], "spec": {"a": 2}})).unwrap();
    assert_eq!(store.apply(&change), Ok(()));
    assert_eq!(store.apply(&change), Err(Refused::Conflict));
    assert_eq!(store.apply(&Change::delete(key(), &old)), Err(Refused::Conflict));
}

#[test]
fn an_object_made_again_under_its_name_is_another_one() {
    let mut store = store(json!({"a": 1}));
    let old = store.remove(&key()).unwrap();
    assert_eq!(store.apply(&Change::delete(key(), &old)), Err(Refused::Missing));
    assert_eq!(store.apply(&Change::create(key(), json!({"spec": {}}))), Ok(()));
    assert_eq!(store.apply(&Change::create(key(), json!({"spec": {}}))), Err(Refused::Exists));
    assert_ne!(meta::uid(&old), meta::uid(store.get(&key()).unwrap()));
}

#[test]
fn a_patch_that_changes_nothing_is_no_new_version() {
    let mut store = store(json!({"a": 1}));
    let before = store.clone();
    let on = Precondition::of(store.get(&key()).unwrap());
    store
        .apply(&Change { key: key(), action: Action::Merge { body: json!({"spec": {"a": 1}}), on } })
        .unwrap();
    assert_eq!(store, before);
}
