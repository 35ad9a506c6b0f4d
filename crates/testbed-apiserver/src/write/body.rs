//! Reading the object in a request's body.

use serde_json::{Map, Value, json};

use super::super::{
    errors::{Reply, Status},
    json::{name, put, text},
    kubectl,
    patch::go_type,
    request::Request,
    schema::types,
    state::Call,
};

/// The object in the body, which must be of the kind that the URL names.
///
/// # Errors
/// 400 when it cannot be read or is of another kind, 415 for a media type that is not served.
pub(crate) fn decode(call: &Call, request: &Request) -> Reply<Value> {
    let mut object = read(call, request)?;
    let resource = &call.resource;
    let (kind, version) = (text(&object, &["kind"]), text(&object, &["apiVersion"]));
    let applied = request.content_type() == "application/apply-patch+yaml";
    if (kind.is_empty() || version.is_empty()) && applied {
        return Err(Status::bad_request(format!("invalid object type: /, Kind={kind}")));
    }
    if kind.is_empty() && resource.custom.is_some() {
        return Err(without_kind(call, &request.body));
    }
    if !kind.is_empty() && kind != resource.kind {
        return Err(match resource.custom.is_some() {
            true => Status::wrong_kind(resource, kind, name(&object)),
            false => other_kind(call, kind, version),
        });
    }
    if !version.is_empty() && version != resource.api_version() {
        return Err(match resource.custom.is_some() {
            true => Status::bad_request(format!(
                "the API version in the data ({version}) does not match the expected API version ({})",
                resource.api_version()
            )),
            false => other_kind(call, &resource.kind, version),
        });
    }
    put(&mut object, &["kind"], json!(resource.kind));
    put(&mut object, &["apiVersion"], json!(resource.api_version()));
    let metadata = object.get("metadata");
    if metadata
        .is_none_or(|metadata| metadata.is_null() || resource.custom.is_some() && !metadata.is_object())
    {
        put(&mut object, &["metadata"], Value::Object(Map::new()));
    }
    Ok(object)
}

fn read(call: &Call, request: &Request) -> Reply<Value> {
    let value: Value = match request.content_type() {
        "application/yaml" | "application/apply-patch+yaml" => {
            serde_saphyr::from_str(&String::from_utf8_lossy(&request.body))
                .map_err(|error| Status::bad_request(format!("error decoding YAML: {error}")))?
        }
        "application/vnd.kubernetes.protobuf" if call.resource.custom.is_none() => {
            kubectl::proto::object(call.resource.wire_name(), &request.body)
                .ok_or_else(|| Status::bad_request("error decoding protobuf"))?
        }
        "application/vnd.kubernetes.protobuf" => {
            return Err(Status::unsupported_media(
                "the body of the request was in an unknown format - accepted media types include: \
                    application/json, application/yaml",
            ));
        }
        "" | "application/json" => {
            serde_json::from_slice(&request.body).map_err(|error| unreadable(call, &request.body, &error))?
        }
        _ => {
            return Err(Status::unsupported_patch(
                "the body of the request was in an unknown format - accepted media types include: \
                    application/json, application/yaml, application/vnd.kubernetes.protobuf",
            ));
        }
    };
    match value {
        Value::Object(_) => Ok(value),
        other => Err(misread(
            call,
            &request.body,
            &format!("json: cannot unmarshal {} into {GROUND}", go_type(&other)),
        )),
    }
}

/// What the real server reads first of any body.
const GROUND: &str = "Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; \
    Kind string \"json:\\\"kind,omitempty\\\"\" }";

fn unreadable(call: &Call, body: &[u8], error: &serde_json::Error) -> Box<Status> {
    let why = if error.is_eof() { "unexpected end of JSON input".to_owned() } else { error.to_string() };
    misread(call, body, &why)
}

fn misread(call: &Call, body: &[u8], why: &str) -> Box<Status> {
    let shown: String = match body {
        [] => "<empty>".to_owned(),
        [b'{', ..] => String::from_utf8_lossy(body).chars().take(200).collect(),
        _ => body.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse \
            error: {why} ({shown})",
        call.resource.kind,
    ))
}

fn other_kind(call: &Call, kind: &str, version: &str) -> Box<Status> {
    let short = version.rsplit('/').next().unwrap_or_default();
    let expected = &call.resource.kind;
    let known = types::find(kind).is_some() && kind != call.resource.kind;
    if version != call.resource.api_version() && !known {
        return Status::bad_request(format!(
            "{kind} in version \"{short}\" cannot be handled as a {expected}: no kind \"{kind}\" is registered for \
                version \"{version}\" in scheme \"pkg/runtime/scheme.go:111\""
        ));
    }
    let group = call.resource.group.split('.').next().filter(|g| !g.is_empty()).unwrap_or("core");
    Status::bad_request(format!(
        "{kind} in version \"{short}\" cannot be handled as a {expected}: converting ({short}.{kind}) to \
            ({group}.{expected}): unknown conversion"
    ))
}

fn without_kind(call: &Call, body: &[u8]) -> Box<Status> {
    let text = String::from_utf8_lossy(body);
    let short = match text.char_indices().nth(30) {
        Some((end, _)) => format!("{} ...", text.get(..end).unwrap_or_default()),
        None => text.to_string(),
    };
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing in '{text}' ({short})",
        call.resource.kind
    ))
}
