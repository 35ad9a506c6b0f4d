//! Objects in the version that a client asks for.

use serde_json::{Value, json};

use super::{json::put, registry::Resource};

/// The object in the version that was asked for.
pub(crate) fn versioned(resource: &Resource, object: &Value) -> Value {
    let mut object = object.clone();
    if resource.is("events.k8s.io", "Event") {
        object = super::kinds::events::from_core(&object);
    }
    super::crd::convert(resource, &mut object);
    put(&mut object, &["kind"], json!(resource.kind));
    put(&mut object, &["apiVersion"], json!(resource.api_version()));
    object
}
