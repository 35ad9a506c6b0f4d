//! The fields that the versions of a CustomResourceDefinition have. The watch of definitions requests metadata only, so
//! they are read by a request of their own.

use kube::{api::ListParams, core::ObjectList};
use serde_json::Value;
use vexil_object::{Kind, ObjectKey, Seen, definition, kinds::CUSTOM_RESOURCE_DEFINITION, meta};

use crate::{
    ReadError,
    call::{OBJECT_LIMIT, call_json},
    requests,
    shared::Shared,
};

impl Shared {
    /// A definition with the fields that its versions have; `None` when there is none. It is listed, not read: that
    /// needs no right that watching it does not need.
    pub(crate) async fn shape(&self, key: &ObjectKey) -> Result<Option<Value>, ReadError> {
        let params = ListParams::default().fields(&format!("metadata.name={}", key.name()));
        let request = requests::list(key.kind(), "", &params)?;
        let list: ObjectList<Value> = call_json(&self.client, request, OBJECT_LIMIT).await?;
        let named = |object: &Value| meta::text(object, "/metadata/name") == key.name();
        Ok(list.items.into_iter().find(named).map(definition::shaped))
    }
}

/// Whether an object is a definition whose fields a projection wants to know.
pub(crate) fn wants_fields(shared: &Shared, kind: Kind, object: &Value) -> bool {
    let key = || ObjectKey::cluster(kind, meta::text(object, "/metadata/name"));
    kind == CUSTOM_RESOURCE_DEFINITION && shared.projection(kind).reads(&key())
}

/// Adds to the metadata of a definition the fields that its versions have, where a projection wants them: they are
/// asked for when its generation is another one than before.
pub(crate) async fn complete(shared: &Shared, kind: Kind, object: &mut Value) -> Result<(), ReadError> {
    if !wants_fields(shared, kind, object) {
        return Ok(());
    }
    let key = ObjectKey::cluster(kind, meta::text(object, "/metadata/name"));
    let state =
        |object: &Value| (meta::uid(object).to_owned(), object.pointer("/metadata/generation").cloned());
    let before = shared.with(kind, |cache| cache.look(&key)).unwrap_or(Seen::NotKnown);
    let known = before.object().filter(|before| state(before) == state(object));
    let spec = match known.and_then(|before| before.get("spec")) {
        Some(spec) => Some(spec.clone()),
        None => {
            let shape = shared.shape(&key).await?;
            shape.and_then(|mut shape| shape.get_mut("spec").map(Value::take))
        }
    };
    if let Some(spec) = spec {
        meta::set(object, &["spec"], spec);
    }
    Ok(())
}
