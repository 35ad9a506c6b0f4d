//! Fields of route objects by the paths that messages name: `spec.to[0].rules`.

use serde_json::{Map, Value};
use vexil_object::{ObjectKey, meta};

use crate::RouteError;

/// The objects of the list at `path`, each with its own path; none when the list is missing.
///
/// # Errors
/// [`RouteError::Malformed`] when a parent of it is not an object, or it is not a list of objects.
pub fn items<'a>(
    key: &ObjectKey,
    live: &'a Value,
    path: &str,
) -> Result<Vec<(String, &'a Value)>, RouteError> {
    for (end, _) in path.match_indices('.') {
        let step = path.get(..end).unwrap_or_default();
        match live.pointer(&pointer(step)) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Object(_)) => {}
            Some(_) => return Err(RouteError::malformed(key, step, "is not an object")),
        }
    }
    let list = match live.pointer(&pointer(path)) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(RouteError::malformed(key, path, "is not a list")),
    };
    let items = list.iter().enumerate().map(|(at, item)| (format!("{path}[{at}]"), item));
    items
        .map(|(path, item)| match item {
            Value::Object(_) => Ok((path, item)),
            _ => Err(RouteError::malformed(key, path, "is not an object")),
        })
        .collect()
}

/// Writes the field at `path` and creates its parents; items of lists on the path must exist.
pub fn put(object: &mut Value, path: &str, value: Value) {
    if let Some(place) = object.pointer_mut(&pointer(path)) {
        *place = value;
        return;
    }
    match path.rsplit_once('.') {
        None => meta::set(object, &[path], value),
        Some((parent, field)) => {
            if object.pointer(&pointer(parent)).is_none_or(|place| !place.is_object()) {
                put(object, parent, Value::Object(Map::new()));
            }
            if let Some(place) = object.pointer_mut(&pointer(parent)) {
                meta::set(place, &[field], value);
            }
        }
    }
}

/// Removes the field at `path`, and its parents that are empty then; a top-level field such as `spec` stays.
pub fn omit(object: &mut Value, path: &str) {
    let Some((parent, field)) = path.rsplit_once('.') else { return };
    let Some(Value::Object(fields)) = object.pointer_mut(&pointer(parent)) else { return };
    fields.remove(field);
    if fields.is_empty() {
        omit(object, parent);
    }
}

/// Whether `live` says all of `wanted`. Fields that `wanted` does not have are others' and do not matter; items of
/// lists do.
pub fn covers(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| live.get(name).is_some_and(|live| covers(live, wanted)))
        }
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| covers(live, wanted))
        }
        (live, wanted) => live == wanted,
    }
}

/// `spec.to[0].rules` as a JSON pointer. Fields of route objects have plain names.
pub fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', "/").replace(']', "").replace('.', "/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_of_others_do_not_matter_and_items_do() {
        let check = |live: Value, wanted: Value, expect: bool| {
            assert_eq!(covers(&live, &wanted), expect, "{live} {wanted}");
        };
        check(json!({"a": 1, "b": 2}), json!({"a": 1}), true);
        check(json!({"a": 1}), json!({"a": 1, "b": 2}), false);
        check(json!([{"a": 1, "b": 2}]), json!([{"a": 1}]), true);
        check(json!([{"a": 1}, {"a": 2}]), json!([{"a": 1}]), false);
        check(json!("1"), json!(1), false);
        check(Value::Null, json!({}), false);
    }

    #[test]
    fn a_field_is_removed_with_its_empty_parents() {
        let check = |mut object: Value, path: &str, expect: Value| {
            omit(&mut object, path);
            assert_eq!(object, expect, "{path}");
        };
        check(json!({"spec": {"a": {"b": [1]}}}), "spec.a.b", json!({"spec": {}}));
        check(json!({"spec": {"a": {"b": 1, "c": 2}}}), "spec.a.b", json!({"spec": {"a": {"c": 2}}}));
        check(json!({"spec": {"b": 1}}), "spec.b", json!({"spec": {}}));
        check(json!({"spec": {"a": 1}}), "spec.a.b", json!({"spec": {"a": 1}}));
        check(json!({"spec": 1}), "spec", json!({"spec": 1}));
    }
}
