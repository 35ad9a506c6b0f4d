//! Converts the JSON schema of a type (schemars) into a structural schema of Kubernetes.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The schema of a whole object: `spec` and `status` of the given types. `about` describes it.
pub(crate) fn object<Spec: JsonSchema, Status: JsonSchema>(about: &str) -> Value {
    json!({
        "type": "object",
        "description": about,
        "required": ["spec"],
        "properties": {
            "apiVersion": { "type": "string" },
            "kind": { "type": "string" },
            "metadata": { "type": "object" },
            "spec": of::<Spec>(),
            "status": of::<Status>(),
        },
    })
}

/// The structural schema of a type.
fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.inline_subschemas = true;
        s.meta_schema = None;
    });
    structural(&settings.into_generator().into_root_schema_for::<T>().to_value())
}

/// Keeps what a structural schema may hold. Optional fields are absent, never null. Defaults and required fields are
/// added by the rules of `crd/canary.rs` and `crd/others.rs`, not taken from the Rust types.
fn structural(raw: &Value) -> Value {
    let mut out = Map::new();
    let inner = unwrapped(raw);
    for source in [inner, raw] {
        if let Some(text) = source.get("description").and_then(Value::as_str) {
            out.insert("description".into(), json!(for_users(text)));
        }
    }
    if let Some(name) = type_name(inner) {
        out.insert("type".into(), json!(name));
    }
    match raw.get("format").or_else(|| inner.get("format")).and_then(Value::as_str) {
        Some("date-time") => drop(out.insert("format".into(), json!("date-time"))),
        Some("int64" | "uint64") => drop(out.insert("format".into(), json!("int64"))),
        _ => {}
    }
    if let Some(either) = inner.get("x-kubernetes-int-or-string") {
        out.insert("x-kubernetes-int-or-string".into(), either.clone());
    }
    if let Some(fields) = inner.get("properties").and_then(Value::as_object) {
        let fields = fields.iter().map(|(name, field)| (name.clone(), structural(field))).collect();
        out.insert("properties".into(), Value::Object(fields));
    }
    for key in ["items", "additionalProperties"] {
        if let Some(schema) = inner.get(key).filter(|s| s.is_object()) {
            out.insert(key.into(), structural(schema));
        }
    }
    Value::Object(out)
}

/// The schema inside of an `Option`, or of a reference that has a description.
fn unwrapped(raw: &Value) -> &Value {
    let alternatives = raw.get("anyOf").or_else(|| raw.get("allOf")).and_then(Value::as_array);
    alternatives.and_then(|list| list.iter().find(|a| type_name(a) != Some("null"))).unwrap_or(raw)
}

/// The type, without the `null` that an `Option` adds.
fn type_name(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

/// A doc comment as `kubectl explain` shows it: plain text, without sentences that only link to Rust items.
fn for_users(doc: &str) -> String {
    let text = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentences = text.split_inclusive(". ").filter(|sentence| !sentence.contains("[`"));
    sentences.collect::<String>().trim().replace('`', "")
}
