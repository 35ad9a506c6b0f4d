//! Merge patches (RFC 7386).

use serde_json::{Map, Value};

use super::super::errors::{Reply, Status};

/// The object after merging `body` into it.
///
/// # Errors
/// 400 when the body is no JSON object.
pub(super) fn apply(mut object: Value, body: &[u8]) -> Reply<Value> {
    let patch = object_in(body, "error decoding patch: ")?;
    json_patch::merge(&mut object, &Value::Object(patch));
    Ok(object)
}

/// The JSON object in a patch's body; refusals begin with `prefix`.
///
/// # Errors
/// 400 when there is none.
pub(crate) fn object_in(body: &[u8], prefix: &str) -> Reply<Map<String, Value>> {
    match read(body, prefix)? {
        Value::Object(members) => Ok(members),
        other => Err(Status::bad_request(format!(
            "{prefix}json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            go_type(&other)
        ))),
    }
}

/// The JSON in a patch's body.
///
/// # Errors
/// 400 when there is none.
pub(super) fn read(body: &[u8], prefix: &str) -> Reply<Value> {
    serde_json::from_slice(body).map_err(|error| {
        let why = match error.is_eof() {
            true => "unexpected end of JSON input".to_owned(),
            false => error.to_string(),
        };
        Status::bad_request(format!("{prefix}{why}"))
    })
}

/// The word that the real server has for a type of JSON.
pub(crate) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
