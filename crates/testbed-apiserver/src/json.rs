//! Reading and writing single fields of untyped objects.

use serde_json::{Map, Value};

/// The field at a path of member names.
pub(crate) fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, step| value.get(*step))
}

/// The field at a path as text; empty when it is absent or no text.
pub(crate) fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// The field at a path as a number; 0 when it is absent or none.
pub(crate) fn number(object: &Value, path: &[&str]) -> i64 {
    at(object, path).and_then(Value::as_i64).unwrap_or_default()
}

/// The list at a path; empty when there is none.
pub(crate) fn list<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    at(object, path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Writes the field at a path, making the objects on the way.
pub(crate) fn put(object: &mut Value, path: &[&str], value: Value) {
    let Some((step, rest)) = path.split_first() else {
        *object = value;
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Some(map) = object.as_object_mut() {
        put(map.entry(*step).or_insert(Value::Null), rest, value);
    }
}

/// Writes the field at a path unless there is one that is not null.
pub(crate) fn put_default(object: &mut Value, path: &[&str], value: Value) {
    if at(object, path).is_none_or(Value::is_null) {
        put(object, path, value);
    }
}

/// Removes the field at a path and returns it.
pub(crate) fn take(object: &mut Value, path: &[&str]) -> Option<Value> {
    let (last, way) = path.split_last()?;
    let parent = way.iter().try_fold(object, |value, step| value.get_mut(*step))?;
    parent.as_object_mut()?.remove(*last)
}

/// Sets the field at a path to `value`, or removes it when there is none.
pub(crate) fn put_or_take(object: &mut Value, path: &[&str], value: Option<Value>) {
    match value {
        Some(value) => put(object, path, value),
        None => {
            take(object, path);
        }
    }
}

/// The list at a path, to be changed; nothing when there is none.
pub(crate) fn list_mut<'a>(object: &'a mut Value, path: &[&str]) -> &'a mut [Value] {
    let found = path.iter().try_fold(object, |value, step| value.get_mut(*step));
    found.and_then(Value::as_array_mut).map(Vec::as_mut_slice).unwrap_or_default()
}

/// `metadata.name`.
pub(crate) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

/// `metadata.namespace`; empty for cluster-scoped objects.
pub(crate) fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

/// `metadata.uid`.
pub(crate) fn uid(object: &Value) -> &str {
    text(object, &["metadata", "uid"])
}

/// Whether a deletion has been asked for.
pub(crate) fn is_deleting(object: &Value) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some_and(|stamp| !stamp.is_null())
}

/// Whether anything holds the object back from deletion.
pub(crate) fn has_finalizers(object: &Value) -> bool {
    !list(object, &["metadata", "finalizers"]).is_empty()
}
