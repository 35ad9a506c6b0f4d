//! What is special about single kinds: defaults, checks, and what the server fills in.

pub(crate) mod names;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    errors::{Cause, Reply},
    json::{at, list, put_default},
    registry::Resource,
    state::{Call, State},
};

/// Fills in what the kind's defaults are and what the server decides itself.
pub(crate) fn complete(call: &Call, object: &mut Value, _old: Option<&Arc<Value>>) -> Reply<()> {
    if call.resource.is("", "Namespace") {
        let name = super::json::name(object).to_owned();
        put_default(object, &["metadata", "labels", "kubernetes.io/metadata.name"], json!(name));
        put_default(object, &["spec", "finalizers"], json!(["kubernetes"]));
        put_default(object, &["status", "phase"], json!("Active"));
    }
    Ok(())
}

/// What is wrong with the object.
pub(crate) fn check(_state: &State, _call: &Call, _object: &Value, _old: Option<&Arc<Value>>) -> Vec<Cause> {
    Vec::new()
}

/// Gives the object what is scarce in the cluster: addresses.
pub(crate) fn allocate(_state: &mut State, _call: &Call, _object: &mut Value) -> Reply<()> {
    Ok(())
}

/// Whether an update must say which version it was computed from.
pub(crate) fn needs_version(resource: &Resource) -> bool {
    resource.custom.is_some()
        || matches!(resource.kind.as_str(), "Lease" | "EndpointSlice" | "CustomResourceDefinition")
}

/// Seconds between the request to delete an object and its end: only pods are given some.
pub(crate) fn grace(resource: &Resource, object: &Value, asked: Option<i64>) -> i64 {
    if !resource.is("", "Pod") {
        return 0;
    }
    let own = at(object, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64);
    let grace = asked.or(own).unwrap_or(30);
    let unscheduled = super::json::text(object, &["spec", "nodeName"]).is_empty();
    let over = matches!(super::json::text(object, &["status", "phase"]), "Succeeded" | "Failed");
    if unscheduled || over { 0 } else { grace.max(0) }
}

/// Whether something beside finalizers holds the object: a namespace's own finalizers.
pub(crate) fn is_held(resource: &Resource, object: &Value) -> bool {
    resource.is("", "Namespace") && !list(object, &["spec", "finalizers"]).is_empty()
}
