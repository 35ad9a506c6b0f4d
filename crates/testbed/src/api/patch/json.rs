//! JSON patches (RFC 6902).

use json_patch::Patch;
use serde_json::Value;

use super::super::errors::{Reply, Status};

/// The object after the operations in `body`.
///
/// # Errors
/// 400 when the operations cannot be read, 422 when one of them does not fit the object.
pub(super) fn apply(object: &Value, body: &[u8]) -> Reply<Value> {
    let refused = || Status::unprocessable("the server rejected our request due to an error in our request");
    let patch = super::merge::read(body, "error decoding patch: ")?;
    if !patch.is_array() {
        let have = super::merge::go_type(&patch);
        return Err(Status::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {have} into Go value of type []handlers.jsonPatchOp"
        )));
    }
    let patch: Patch = serde_json::from_value(patch).map_err(|_| refused())?;
    let mut patched = object.clone();
    json_patch::patch(&mut patched, &patch).map_err(|_| refused())?;
    Ok(patched)
}
