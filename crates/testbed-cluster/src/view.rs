//! Narrow views of untyped objects: each reads one field and answers empty where there is none.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The field at a JSON pointer without escapes. Called so often that it must not allocate, as `Value::pointer` does.
pub(crate) fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(object, |value, step| match value {
        Value::Object(members) => members.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The field at a JSON pointer, as text; empty when it is absent or no text.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The field at a JSON pointer, as a whole number; `default` when it is absent or none.
pub(crate) fn number(object: &Value, pointer: &str, default: i64) -> i64 {
    at(object, pointer).and_then(Value::as_i64).unwrap_or(default)
}

/// The list at a JSON pointer; empty when it is absent or none.
pub(crate) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    at(object, pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// `metadata.name`.
pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`.
pub(crate) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// `metadata.uid`.
pub(crate) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// `metadata.generation`.
pub(crate) fn generation(object: &Value) -> i64 {
    number(object, "/metadata/generation", 0)
}

/// One label's value, empty when it is not set.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    member(object, "labels", key)
}

/// One annotation's value, empty when it is not set.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    member(object, "annotations", key)
}

fn member<'a>(object: &'a Value, map: &str, key: &str) -> &'a str {
    object.get("metadata").and_then(|metadata| metadata.get(map)?.get(key)?.as_str()).unwrap_or_default()
}

/// Whether it is being deleted.
pub(crate) fn is_terminating(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

/// The uid of its controller.
pub(crate) fn controller(object: &Value) -> Option<&str> {
    let references = list(object, "/metadata/ownerReferences").iter();
    let mut references =
        references.filter(|reference| reference.get("controller").and_then(Value::as_bool) == Some(true));
    references.next().map(|reference| text(reference, "/uid"))
}

/// The uid of its controller, else its own: what belongs together has the same.
pub(crate) fn family(object: &Value) -> &str {
    controller(object).unwrap_or(uid(object))
}

/// The point in time at a JSON pointer.
pub(crate) fn time(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// How the API writes a point in time: RFC 3339, whole seconds, UTC.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The condition of one type in `status.conditions`.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, "/status/conditions").iter().find(|condition| text(condition, "/type") == kind)
}

/// Whether a pod's condition `Ready` is true.
pub(crate) fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|ready| text(ready, "/status") == "True")
}

/// Whether every entry of `wanted` is also in `labels`.
pub(crate) fn is_subset(wanted: &Map<String, Value>, labels: &Map<String, Value>) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// The labels of an object.
pub(crate) fn labels(object: &Value) -> Option<&Map<String, Value>> {
    at(object, "/metadata/labels").and_then(Value::as_object)
}

/// Whether two values say the same: `null`, `{}` and `[]` say what absence says, as the API server fills some of them
/// in.
pub(crate) fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let in_other =
                |(key, value): (&String, &Value)| alike(value, other.get(key).unwrap_or(&Value::Null));
            let alone = |(key, value): (&String, &Value)| one.contains_key(key) || is_empty(value);
            one.iter().all(in_other) && other.iter().all(alone)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        _ => one == other || (is_empty(one) && is_empty(other)),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}

/// A 32-bit FNV-1a digest written in letters that spell no words, as the API's generated names are.
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let digest =
        bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    digest
        .to_string()
        .bytes()
        .filter_map(|digit| LETTERS.get(usize::from(digit) % LETTERS.len()))
        .map(|letter| char::from(*letter))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_api_server_fills_in_is_no_difference() {
        let check = |one: Value, other: Value, expect: bool| {
            assert_eq!((alike(&one, &other), alike(&other, &one)), (expect, expect), "{one} {other}");
        };
        check(json!({"a": 1}), json!({"a": 1, "b": null, "c": {}}), true);
        check(json!([{"a": 1}]), json!([{"a": 1, "b": {"c": null}}]), true);
        check(json!({"a": 1}), json!({"a": 2}), false);
        check(json!({}), json!({"a": 0}), false);
        check(json!([1]), json!([1, null]), false);
        check(json!(null), json!([]), true);
    }
}
