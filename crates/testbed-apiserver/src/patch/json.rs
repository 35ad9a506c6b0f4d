//! JSON patches (RFC 6902).

use json_patch::{AddOperation, Patch, PatchOperation, ReplaceOperation};
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
    for operation in patch.0 {
        let operation = lenient(&patched, operation);
        json_patch::patch(&mut patched, &[operation]).map_err(|_| refused())?;
    }
    Ok(patched)
}

/// The real server adds a member that is to be replaced and is not there.
fn lenient(object: &Value, operation: PatchOperation) -> PatchOperation {
    let PatchOperation::Replace(ReplaceOperation { path, value }) = operation else { return operation };
    let parent = path.as_str().rsplit_once('/').and_then(|(parent, _)| object.pointer(parent));
    match object.pointer(path.as_str()).is_none() && parent.is_some_and(Value::is_object) {
        true => PatchOperation::Add(AddOperation { path, value }),
        false => PatchOperation::Replace(ReplaceOperation { path, value }),
    }
}
