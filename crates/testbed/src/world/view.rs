//! Narrow views of untyped objects: each reads one field and answers empty where there is none.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The field at a JSON pointer, as text; empty when it is absent or no text.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The field at a JSON pointer, as a whole number; `default` when it is absent or none.
pub(crate) fn number(object: &Value, pointer: &str, default: i64) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(default)
}

/// The list at a JSON pointer; empty when it is absent or none.
pub(crate) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
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

/// Whether somebody has asked for its deletion.
pub(crate) fn is_terminating(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

/// Whether the object with this uid is its controller.
pub(crate) fn is_controlled_by(object: &Value, owner: &str) -> bool {
    list(object, "/metadata/ownerReferences").iter().any(|reference| {
        text(reference, "/uid") == owner && reference.get("controller").and_then(Value::as_bool) == Some(true)
    })
}

/// The uid of its controller, else its own: what belongs together has the same.
pub(crate) fn family(object: &Value) -> &str {
    list(object, "/metadata/ownerReferences").first().map_or(uid(object), |reference| text(reference, "/uid"))
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
    object.pointer("/metadata/labels").and_then(Value::as_object)
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
