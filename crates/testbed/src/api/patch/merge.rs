//! Merge patches (RFC 7386).

use serde_json::Value;

use super::super::errors::{Reply, Status};

/// The object after merging `body` into it.
///
/// # Errors
/// 400 when the body is no JSON object.
pub(super) fn apply(object: &Value, body: &[u8]) -> Reply<Value> {
    let patch: Value = serde_json::from_slice(body)
        .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?;
    if !patch.is_object() {
        return Err(Status::bad_request("error decoding patch: the patch must be an object"));
    }
    let mut patched = object.clone();
    json_patch::merge(&mut patched, &patch);
    Ok(patched)
}
