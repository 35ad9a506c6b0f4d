//! The scale subresource: the replicas of whatever has some, in one shape.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    errors::{Cause, Fault, Reply, Status},
    json::{at, list, put, text},
    patch::patched,
    registry::{Resource, Scale},
    request::Request,
    state::{Call, State},
    versions::versioned,
};

/// The `autoscaling/v1` Scale of an object.
pub(crate) fn view(resource: &Resource, object: &Value) -> Value {
    let Some(scale) = &resource.scale else { return Value::Null };
    let count = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
    let mut metadata = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = at(object, &["metadata", field]) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    let wanted = count(&scale.spec);
    let spec = if wanted == 0 { json!({}) } else { json!({ "replicas": wanted }) };
    let mut status = json!({"replicas": count(&scale.status)});
    let selector = match scale.selector.as_deref().and_then(|pointer| object.pointer(pointer)) {
        Some(Value::String(text)) => text.clone(),
        Some(selector) => selector_text(selector),
        None => String::new(),
    };
    if !selector.is_empty() {
        put(&mut status, &["selector"], json!(selector));
    }
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status,
    })
}

/// A label selector as text.
pub(crate) fn selector_text(selector: &Value) -> String {
    let wanted = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let mut parts: Vec<String> =
        wanted.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    for expression in list(selector, &["matchExpressions"]) {
        let key = text(expression, &["key"]);
        let values: Vec<&str> = list(expression, &["values"]).iter().filter_map(Value::as_str).collect();
        let values = values.join(",");
        parts.push(match text(expression, &["operator"]) {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        });
    }
    parts.join(",")
}

impl State {
    /// Updates or patches the replicas of an object; the answer is its Scale.
    ///
    /// # Errors
    /// As an update of the object.
    pub fn scale(&mut self, call: &mut Call, request: &Request) -> Reply<Value> {
        let old = self.found(call)?;
        let before = view(&call.resource, &old);
        let wanted = match request.verb() {
            "patch" => patched(call, request.content_type(), before, &request.body)?,
            _ => serde_json::from_slice(&request.body)
                .map_err(|error| Status::bad_request(format!("error decoding Scale: {error}")))?,
        };
        let replicas = at(&wanted, &["spec", "replicas"]).and_then(Value::as_i64).unwrap_or_default();
        if replicas < 0 {
            let detail = "must be greater than or equal to 0";
            let cause = Cause::new("spec.replicas", Fault::Invalid(json!(replicas)), detail);
            let scale = Resource {
                group: "autoscaling".to_owned(),
                kind: "Scale".to_owned(),
                ..(*call.resource).clone()
            };
            return Err(Status::invalid(&scale, &call.name, &[cause]));
        }
        let mut new = versioned(&call.resource, &old);
        for field in ["resourceVersion", "uid"] {
            let sent = text(&wanted, &["metadata", field]);
            if !sent.is_empty() {
                put(&mut new, &["metadata", field], json!(sent));
            }
        }
        if let Some(Scale { spec, .. }) = &call.resource.scale {
            let path: Vec<&str> = spec.split('/').skip(1).collect();
            put(&mut new, &path, json!(replicas));
        }
        let stored: Arc<Value> = self.replace(call, &old, new, None)?;
        Ok(view(&call.resource, &stored))
    }
}
