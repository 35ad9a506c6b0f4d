//! The narrowest merge patch between two JSON documents, and what such a patch does.

use serde_json::{Map, Value};

/// The RFC 7386 patch that turns `from` into `to`: only fields that differ, `null` for those that go. Lists are
/// replaced whole, as the RFC says. `None` when the two are equal.
///
/// A member of `to` that is itself `null` cannot be said in a merge patch and counts as absent, which is how the API
/// server treats it.
pub fn merge_patch(from: &Value, to: &Value) -> Option<Value> {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            let mut patch = Map::new();
            for (name, old) in from {
                if !old.is_null() && to.get(name).is_none_or(Value::is_null) {
                    patch.insert(name.clone(), Value::Null);
                }
            }
            for (name, new) in to.iter().filter(|(_, new)| !new.is_null()) {
                match from.get(name) {
                    Some(old) => {
                        if let Some(part) = merge_patch(old, new) {
                            patch.insert(name.clone(), part);
                        }
                    }
                    None => {
                        patch.insert(name.clone(), new.clone());
                    }
                }
            }
            (!patch.is_empty()).then_some(Value::Object(patch))
        }
        _ if from == to => None,
        _ => Some(to.clone()),
    }
}

/// Applies an RFC 7386 patch: what [`merge_patch`] computed, done.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (name, part) in patch {
        if part.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), part);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(from: Value, to: Value, patch: Option<Value>) {
        assert_eq!(merge_patch(&from, &to), patch, "from {from} to {to}");
        let mut merged = from.clone();
        merge(&mut merged, &patch.unwrap_or_else(|| json!({})));
        assert_eq!(merge_patch(&merged, &to), None, "the patch leads from {from} to {to}");
    }

    #[test]
    fn writes_only_what_differs() {
        check(json!({"a": 1}), json!({"a": 1}), None);
        check(json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3}), Some(json!({"b": 3})));
        check(json!({"a": {"x": 1, "y": 2}}), json!({"a": {"x": 1}}), Some(json!({"a": {"y": null}})));
        check(json!({}), json!({"a": {"x": 1}}), Some(json!({"a": {"x": 1}})));
        check(json!({"l": [1, 2]}), json!({"l": [1]}), Some(json!({"l": [1]})));
    }

    #[test]
    fn null_is_absence_on_both_sides() {
        check(json!({"a": null}), json!({}), None);
        check(json!({}), json!({"a": null}), None);
        check(json!({"a": 1}), json!({"a": null}), Some(json!({"a": null})));
        check(json!({"a": 1}), json!({"a": {"b": null}}), Some(json!({"a": {"b": null}})));
    }
}
