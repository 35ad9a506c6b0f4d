//! Labels and annotations that the Canary declares for generated objects, and the annotations that exclude them from
//! Flux.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use vexil_api::canary::{MetadataBlock, UnmanagedMetadata};
use vexil_object::meta;

/// Annotations that exclude an object from Flux: its kustomize controller would revert our changes, its helm controller
/// would report them as drift. Flagger sets the same on Services and on most routes.
pub const MARKERS: [(&str, &str); 2] = [
    ("kustomize.toolkit.fluxcd.io/reconcile", "disabled"),
    ("helm.toolkit.fluxcd.io/driftDetection", "disabled"),
];

/// Adds the [`MARKERS`].
pub fn mark(object: &mut Value) {
    for (key, value) in MARKERS {
        meta::set(object, &["metadata", "annotations", key], value.into());
    }
}

/// Removes the [`MARKERS`], except those that `keep` says are the user's. An annotation map that is empty then is
/// removed too, as the API server does.
pub fn unmark(object: &mut Value, keep: impl Fn(&str) -> bool) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else { return };
    for (key, value) in MARKERS {
        if annotations.get(key).and_then(Value::as_str) == Some(value) && !keep(key) {
            annotations.remove(key);
        }
    }
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
}

/// The annotation of a Service or route with the keys of the labels and annotations that the Canary declared when they
/// were written last. A key that the Canary declares no longer is removed; keys of others are never listed.
pub const WRITTEN: &str = "flagger.app/written-metadata";

/// The two maps that a Canary may declare.
const MAPS: [&str; 2] = ["annotations", "labels"];

/// Writes the labels and annotations of `block`, removes those that it wrote before and that are declared no longer,
/// and keeps every other key. A key that exists and is listed as unmanaged keeps its live value, and is never removed.
pub fn declare(object: &mut Value, block: Option<&MetadataBlock>, unmanaged: Option<&UnmanagedMetadata>) {
    let nothing = MetadataBlock::default();
    let block = block.unwrap_or(&nothing);
    let before = written(object);
    let mut after = Written::new();
    for map in MAPS {
        let (declared, kept) = match map {
            "labels" => (&block.labels, unmanaged.map(|all| &all.labels)),
            _ => (&block.annotations, unmanaged.map(|all| &all.annotations)),
        };
        let kept = |key: &str| kept.is_some_and(|keys| keys.iter().any(|own| own == key));
        let gone = before.get(map).into_iter().flatten();
        for key in gone.filter(|key| !declared.contains_key(*key) && !kept(key)) {
            remove(object, map, key);
        }
        for (key, value) in declared.iter().filter(|(key, _)| *key != WRITTEN) {
            let live = object.get("metadata").and_then(|m| m.get(map)).and_then(|m| m.get(key));
            if live.is_none() || !kept(key) {
                meta::set(object, &["metadata", map, key], value.as_str().into());
            } else if live.and_then(Value::as_str) != Some(value) {
                continue;
            }
            after.entry(map.to_owned()).or_default().insert(key.clone());
        }
    }
    if after.is_empty() {
        remove(object, "annotations", WRITTEN);
    } else {
        meta::set(object, &["metadata", "annotations", WRITTEN], json!(after).to_string().into());
    }
}

/// Keys by the map that contains them.
type Written = BTreeMap<String, BTreeSet<String>>;

/// What was written before. Nothing when that cannot be read: a key that stays does no harm.
fn written(object: &Value) -> Written {
    meta::annotation(object, WRITTEN).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Removes a key, and the map when it is empty then, as the API server does.
fn remove(object: &mut Value, map: &str, key: &str) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let Some(pairs) = metadata.get_mut(map).and_then(Value::as_object_mut) else { return };
    if pairs.remove(key).is_some() && pairs.is_empty() {
        metadata.remove(map);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_keys_are_written_and_all_others_kept() {
        let check = |live: Value, unmanaged: &[&str], expect: Value| {
            let mut object = json!({"metadata": {"labels": live}});
            let labels = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
            let unmanaged = unmanaged.iter().map(|&key| key.to_owned()).collect();
            let unmanaged = UnmanagedMetadata { labels: unmanaged, ..UnmanagedMetadata::default() };
            declare(
                &mut object,
                Some(&MetadataBlock { labels, ..MetadataBlock::default() }),
                Some(&unmanaged),
            );
            assert_eq!(object["metadata"]["labels"], expect);
        };
        check(Value::Null, &[], json!({"a": "1"}));
        check(json!({"a": "2", "b": "3"}), &[], json!({"a": "1", "b": "3"}));
        check(json!({"a": "2", "b": "3"}), &["a"], json!({"a": "2", "b": "3"}));
        check(json!({"b": "3"}), &["a"], json!({"a": "1", "b": "3"}));
    }

    fn block(labels: Value) -> MetadataBlock {
        MetadataBlock { labels: serde_json::from_value(labels).unwrap(), ..MetadataBlock::default() }
    }

    fn labels(object: &Value) -> Value {
        object["metadata"]["labels"].clone()
    }

    #[test]
    fn a_key_that_is_declared_no_longer_is_removed_and_keys_of_others_stay() {
        let mut object = json!({"metadata": {"labels": {"theirs": "1"}, "annotations": {"n": "1"}}});
        let before = object.clone();
        declare(&mut object, Some(&block(json!({"a": "1", "b": "2"}))), None);
        assert_eq!(labels(&object), json!({"theirs": "1", "a": "1", "b": "2"}));
        declare(&mut object, Some(&block(json!({"b": "3"}))), None);
        assert_eq!(labels(&object), json!({"theirs": "1", "b": "3"}));
        declare(&mut object, None, None);
        assert_eq!(object, before);
    }

    #[test]
    fn a_record_that_cannot_be_read_removes_nothing() {
        for record in ["{", "[]", r#"{"labels": 1}"#] {
            let mut object = json!({"metadata": {"labels": {"a": "1"}, "annotations": {WRITTEN: record}}});
            declare(&mut object, None, None);
            assert_eq!(object, json!({"metadata": {"labels": {"a": "1"}}}));
        }
    }

    #[test]
    fn an_unmanaged_key_that_another_writer_changed_is_kept() {
        let own = UnmanagedMetadata { labels: vec!["a".to_owned()], ..UnmanagedMetadata::default() };
        let mut object = json!({});
        declare(&mut object, Some(&block(json!({"a": "1"}))), Some(&own));
        meta::set(&mut object, &["metadata", "labels", "a"], "2".into());
        declare(&mut object, Some(&block(json!({"a": "1"}))), Some(&own));
        declare(&mut object, None, None);
        assert_eq!(object, json!({"metadata": {"labels": {"a": "2"}}}));
    }

    #[test]
    fn removing_the_markers_keeps_those_of_the_user() {
        let check = |annotations: Value, keep: bool, expect: Value| {
            let mut object = json!({"metadata": {"annotations": annotations}});
            unmark(&mut object, |_| keep);
            assert_eq!(object, json!({"metadata": expect}));
        };
        let [(flux, _), (helm, _)] = MARKERS;
        check(json!({flux: "disabled", helm: "disabled"}), false, json!({}));
        check(json!({flux: "disabled", "a": "b"}), false, json!({"annotations": {"a": "b"}}));
        check(json!({flux: "enabled"}), false, json!({"annotations": {flux: "enabled"}}));
        check(json!({flux: "disabled"}), true, json!({"annotations": {flux: "disabled"}}));
    }
}
