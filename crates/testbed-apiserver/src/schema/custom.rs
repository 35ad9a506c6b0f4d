//! Structural schemas of custom kinds: dropping what they do not know, and filling in their defaults.

use serde_json::{Map, Value};

use super::decode::{self, Findings, Mismatch};

/// Reads a custom object: its metadata as every object has it, the rest by its schema.
///
/// # Errors
/// For metadata of a wrong type. The rest is for [`super::validate`] to judge.
pub(crate) fn read(
    schema: &Value,
    preserve: bool,
    object: &Value,
    findings: &mut Findings,
) -> Result<Value, Mismatch> {
    let mut read = object.clone();
    let mut inner = Findings::default();
    if let Some(metadata) = object.get("metadata") {
        let typed = decode::read("ObjectMeta", metadata, &mut inner)?;
        findings.unknown.extend(inner.unknown.iter().map(|path| format!("metadata.{path}")));
        super::super::json::put(&mut read, &["metadata"], typed);
    }
    if let Value::Object(members) = &mut read {
        prune_members(schema, preserve, members, "", &["apiVersion", "kind", "metadata"], findings);
    }
    Ok(read)
}

/// Drops what a schema does not have from an object that was read before.
pub(crate) fn narrow(schema: &Value, preserve: bool, object: &mut Value) {
    if let Value::Object(members) = object {
        let kept = ["apiVersion", "kind", "metadata"];
        prune_members(schema, preserve, members, "", &kept, &mut Findings::default());
    }
}

fn prune(schema: &Value, preserve: bool, value: &mut Value, path: &str, findings: &mut Findings) {
    let preserve = preserve || yes(schema, "x-kubernetes-preserve-unknown-fields");
    match value {
        Value::Object(members) => {
            let keep: &[&str] = match yes(schema, "x-kubernetes-embedded-resource") {
                true => &["apiVersion", "kind", "metadata"],
                false => &[],
            };
            prune_members(schema, preserve, members, path, keep, findings);
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, item) in items.iter_mut().enumerate() {
                prune(schema, false, item, &format!("{path}[{index}]"), findings);
            }
        }
        _ => {}
    }
}

fn prune_members(
    schema: &Value,
    preserve: bool,
    members: &mut Map<String, Value>,
    path: &str,
    keep: &[&str],
    findings: &mut Findings,
) {
    let preserve = preserve || yes(schema, "x-kubernetes-preserve-unknown-fields");
    members.retain(|name, value| {
        let below = join(path, name);
        if keep.contains(&name.as_str()) {
            return true;
        }
        let named = schema.get("properties").and_then(|properties| properties.get(name));
        match (named, schema.get("additionalProperties")) {
            (Some(schema), _) | (None, Some(schema @ Value::Object(_))) => {
                prune(schema, false, value, &below, findings);
                true
            }
            (None, Some(Value::Bool(true))) => true,
            _ if preserve => true,
            _ => {
                findings.unknown.push(below);
                false
            }
        }
    });
}

/// Fills in defaults, and removes nulls where the schema does not allow them.
pub(crate) fn default(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(members) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, schema) in properties.into_iter().flatten() {
                if members.get(name).is_some_and(Value::is_null) && !yes(schema, "nullable") {
                    members.remove(name);
                }
                if let Some(default) = schema.get("default").filter(|_| !members.contains_key(name)) {
                    members.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in members.iter_mut() {
                let named = properties.and_then(|properties| properties.get(name));
                if let Some(schema) = named.or_else(|| schema.get("additionalProperties")) {
                    default(schema, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| default(schema, item));
            }
        }
        _ => {}
    }
}

/// Whether a schema has a keyword that is true.
pub(super) fn yes(schema: &Value, keyword: &str) -> bool {
    schema.get(keyword) == Some(&Value::Bool(true))
}

/// A path one step further down.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
