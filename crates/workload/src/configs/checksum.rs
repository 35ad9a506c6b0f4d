//! The checksum of a ConfigMap or Secret, as Flagger computes it, so that a Canary that Flagger managed starts no
//! rollout.
//!
//! It is the SHA-256 of `data` in the JSON of Go's `encoding/json`. `binaryData` follows it where there is any: Flagger
//! leaves it out, and misses its changes.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use vexil_object::meta;

/// The annotation by which a ConfigMap or Secret is not tracked, with a value that starts with `disable`.
const TRACKING: &str = "flagger.app/config-tracking";

/// Types of Secrets that are tracked; those of others are written by controllers.
const SECRET_TYPES: [&str; 4] =
    ["Opaque", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth", "kubernetes.io/tls"];

/// Bytes of the SHA-256 that are kept.
const KEPT: usize = 8;

/// Whether the user has opted an object out of tracking.
pub fn opted_out(object: &Value) -> bool {
    meta::annotation(object, TRACKING).is_some_and(|value| value.starts_with("disable"))
}

/// What is kept of a whole ConfigMap or Secret: its metadata, and checksums in place of its content.
pub fn reduced(object: &Value) -> Value {
    let kept = |field: &str| object.pointer(&format!("/metadata/{field}")).cloned();
    let mut metadata = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "ownerReferences"] {
        metadata.extend(kept(field).map(|value| (field.to_owned(), value)));
    }
    let checksums = if is_tracked(object) {
        json!({"all": checksum_of_all(object), "data": checksum_of_data(object)})
    } else {
        json!({})
    };
    json!({"metadata": metadata, "immutable": object.get("immutable"), "checksums": checksums})
}

/// The checksum of a whole ConfigMap or Secret; `None` for one that is not tracked.
pub fn checksum(object: &Value) -> Option<String> {
    of(object).map(Cow::into_owned)
}

/// The checksum of an object, whole or [`reduced`]; `None` for one that is not tracked.
pub(crate) fn of(object: &Value) -> Option<Cow<'_, str>> {
    match object.get("checksums") {
        Some(kept) => kept.get("all").and_then(Value::as_str).map(Cow::Borrowed),
        None => is_tracked(object).then(|| Cow::Owned(checksum_of_all(object))),
    }
}

/// Flagger's checksum of an object that is [`reduced`], which leaves `binaryData` out.
pub(crate) fn flaggers(object: &Value) -> Option<&str> {
    object.pointer("/checksums/data").and_then(Value::as_str)
}

fn is_tracked(object: &Value) -> bool {
    let kind = object.get("type").and_then(Value::as_str);
    !opted_out(object) && kind.is_none_or(|kind| SECRET_TYPES.contains(&kind))
}

fn checksum_of_all(object: &Value) -> String {
    let mut hash = Sha256::new();
    map(object.get("data"), &mut hash);
    if filled(object.get("binaryData")).is_some() {
        map(object.get("binaryData"), &mut hash);
    }
    text(hash)
}

fn checksum_of_data(object: &Value) -> String {
    let mut hash = Sha256::new();
    map(object.get("data"), &mut hash);
    text(hash)
}

fn text(hash: Sha256) -> String {
    hash.finalize().iter().take(KEPT).map(|byte| format!("{byte:02x}")).collect()
}

fn filled(map: Option<&Value>) -> Option<&Map<String, Value>> {
    map.and_then(Value::as_object).filter(|map| !map.is_empty())
}

/// A map of texts as Go writes it: sorted by key, without spaces, safe inside of HTML. No map is `null`.
fn map(map: Option<&Value>, hash: &mut Sha256) {
    let Some(map) = filled(map) else { return hash.update("null") };
    let sorted: BTreeMap<&String, &Value> = map.iter().collect();
    for (at, (key, value)) in sorted.into_iter().enumerate() {
        hash.update(if at == 0 { "{" } else { "," });
        hash.update(escaped(&Value::from(key.as_str()).to_string()).as_ref());
        hash.update(":");
        hash.update(escaped(&value.to_string()).as_ref());
    }
    hash.update("}");
}

/// JSON text with the escapes that Go's `encoding/json` adds by default.
fn escaped(json: &str) -> Cow<'_, str> {
    const ADDED: [char; 5] = ['<', '>', '&', '\u{2028}', '\u{2029}'];
    if !json.contains(ADDED) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if ADDED.contains(&character) {
            text.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            text.push(character);
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(object: Value, expect: Option<&str>) {
        assert_eq!(of(&object).as_deref(), expect, "{object}");
        let kept = reduced(&object);
        assert_eq!(of(&kept).as_deref(), expect, "{kept}");
    }

    #[test]
    fn checksums_are_those_that_flagger_has_written() {
        check(json!({"data": {"color": "red"}}), Some("241889ca0604e333"));
        check(json!({"data": {"output": "console", "color": "blue"}}), Some("2a4ac3890a3db504"));
        check(json!({"data": {"apiKey": "dGVzdA=="}, "type": "Opaque"}), Some("3930f0692c2295eb"));
        for empty in [json!({}), json!({"data": null}), json!({"data": {}})] {
            check(empty, Some("74234e98afe7498f"));
        }
    }

    #[test]
    fn text_is_escaped_as_go_does() {
        assert_eq!(escaped("\"<a&b>\u{2028}\""), "\"\\u003ca\\u0026b\\u003e\\u2028\"");
        assert_eq!(escaped(r#""plain\n""#), r#""plain\n""#);
    }

    #[test]
    fn binary_data_changes_the_checksum_and_flaggers_leaves_it_out() {
        let with = |binary: &str| json!({"data": {"color": "red"}, "binaryData": {"logo": binary}});
        let (one, other) = (reduced(&with("AAAA")), reduced(&with("BBBB")));
        assert_ne!(of(&one), of(&other));
        assert_eq!([flaggers(&one), flaggers(&other)], [Some("241889ca0604e333"); 2]);
    }

    #[test]
    fn objects_may_be_opted_out_and_secrets_of_controllers_are_not_tracked() {
        let annotated =
            |value: &str| json!({"metadata": {"annotations": {TRACKING: value}}, "data": {"color": "red"}});
        check(annotated("disable"), None);
        check(annotated("disabled"), None);
        check(annotated("enabled"), Some("241889ca0604e333"));
        for kind in
            ["kubernetes.io/service-account-token", "helm.sh/release.v1", "kubernetes.io/dockerconfigjson"]
        {
            check(json!({"type": kind, "data": {"k": "dg=="}}), None);
        }
        for kind in SECRET_TYPES {
            check(json!({"type": kind, "data": {"apiKey": "dGVzdA=="}}), Some("3930f0692c2295eb"));
        }
    }

    #[test]
    fn nothing_that_is_kept_has_the_content() {
        let secret = json!({
            "metadata": {"name": "key", "uid": "u", "annotations": {"a": "MARKER"}, "managedFields": ["MARKER"]},
            "type": "Opaque", "data": {"k": "MARKER"}, "stringData": {"k": "MARKER"},
        });
        let kept = reduced(&secret).to_string();
        assert!(!kept.contains("MARKER"), "{kept}");
    }
}
