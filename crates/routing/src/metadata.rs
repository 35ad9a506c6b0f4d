//! Labels and annotations that the user declares for generated objects, and the markers that keep Flux away.

use std::collections::BTreeMap;

use serde_json::Value;
use vexil_api::canary::{MetadataBlock, UnmanagedMetadata};
use vexil_object::meta;

/// Annotations that tell Flux to leave an object alone (`operator.md` section 14). Every Service carries them, and
/// every route object for which `routing.md` 2.5 says so.
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

/// Removes the [`MARKERS`], but for those that `keep` says are the user's own. An annotation map that is empty then
/// goes too, as the API server would have it.
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

/// Writes the labels and annotations of `block` and leaves every other key alone. A key that is there already and is
/// listed as unmanaged keeps its live value (`routing.md` 4.4).
pub fn declare(object: &mut Value, block: Option<&MetadataBlock>, unmanaged: Option<&UnmanagedMetadata>) {
    let Some(block) = block else { return };
    let kept = |keys: fn(&UnmanagedMetadata) -> &Vec<String>| unmanaged.map_or(&[][..], |all| keys(all));
    write(object, "labels", &block.labels, kept(|all| &all.labels));
    write(object, "annotations", &block.annotations, kept(|all| &all.annotations));
}

fn write(object: &mut Value, map: &str, declared: &BTreeMap<String, String>, unmanaged: &[String]) {
    for (key, value) in declared {
        let live = object.get("metadata").and_then(|m| m.get(map)).and_then(|m| m.get(key));
        if live.is_none() || !unmanaged.contains(key) {
            meta::set(object, &["metadata", map, key], value.as_str().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn declared_keys_are_written_and_all_others_left() {
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

    #[test]
    fn unmarking_leaves_what_the_user_had() {
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
