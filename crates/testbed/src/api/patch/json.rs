//! JSON patches (RFC 6902).

use json_patch::Patch;
use serde_json::Value;

use super::super::errors::{Reply, Status};

/// The object after the operations in `body`.
///
/// # Errors
/// 400 when the operations cannot be read, 422 when one of them does not fit the object.
pub(super) fn apply(object: &Value, body: &[u8]) -> Reply<Value> {
    let patch: Patch = serde_json::from_slice(body)
        .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?;
    let mut patched = object.clone();
    json_patch::patch(&mut patched, &patch).map_err(|error| {
        Status::unprocessable(format!(
            "the server rejected our request due to an error in our request: {error}"
        ))
    })?;
    Ok(patched)
}
