//! Requests for the objects of a kind, made by `kube::core::Request` from names that are checked first.
//!
//! `kube::Api` sends the same requests, but does not pass on the `Retry-After` of an error.

use http::{HeaderValue, Request, header};
use kube::{
    api::{
        DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy,
    },
    core::request,
};
use serde_json::{Value, json};
use vexil_object::{JsonOp, Kind, ObjectKey, Precondition, meta};

use crate::watch;

/// Who writes, as `managedFields` shows it.
const FIELD_MANAGER: &str = "vexil";

/// The request cannot be made: a name that no object can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadName(pub(crate) String);

type Made = Result<Request<Vec<u8>>, BadName>;

/// Reads one object.
pub(crate) fn get(key: &ObjectKey) -> Made {
    made(object(key)?.get(key.name(), &GetParams::default()))
}

/// Reads the objects of a kind: of one namespace, or of all for an empty one.
pub(crate) fn list(kind: Kind, namespace: &str, params: &ListParams) -> Made {
    made(collection(kind, namespace)?.list(params))
}

/// Creates an object.
pub(crate) fn create(key: &ObjectKey, mut body: Value) -> Made {
    let kind = key.kind();
    meta::set(&mut body, &["apiVersion"], kind.api_version().into());
    meta::set(&mut body, &["kind"], kind.kind.into());
    meta::set(&mut body, &["metadata", "name"], key.name().into());
    if kind.namespaced {
        meta::set(&mut body, &["metadata", "namespace"], key.namespace().into());
    }
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    made(object(key)?.create(&params, body.to_string().into_bytes()))
}

/// A merge patch (RFC 7386) of the object, fenced.
pub(crate) fn merge(key: &ObjectKey, on: &Precondition, body: Value) -> Made {
    made(object(key)?.patch(key.name(), &patch_params(), &Patch::Merge(fenced(body, on))))
}

/// The same for the status subresource.
pub(crate) fn merge_status(key: &ObjectKey, on: &Precondition, status: Value) -> Made {
    let body = fenced(json!({ "status": status }), on);
    made(object(key)?.patch_subresource("status", key.name(), &patch_params(), &Patch::Merge(body)))
}

/// A JSON patch (RFC 6902) of the object, fenced.
pub(crate) fn json_patch(key: &ObjectKey, on: &Precondition, ops: &[JsonOp]) -> Made {
    let mut request =
        made(object(key)?.patch(key.name(), &patch_params(), &Patch::Merge(fenced_ops(ops, on))))?;
    let content_type = HeaderValue::from_static("application/json-patch+json");
    request.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Ok(request)
}

/// Deletes the object, fenced; what it owns is deleted later.
pub(crate) fn delete(key: &ObjectKey, on: &Precondition) -> Made {
    let on = Preconditions { uid: Some(on.uid.clone()), resource_version: Some(on.resource_version.clone()) };
    let params = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: Some(on),
        ..DeleteParams::default()
    };
    made(object(key)?.delete(key.name(), &params))
}

/// uid and resourceVersion inside the patch: the API server answers 409 when they are not those of the live object.
fn fenced(mut body: Value, on: &Precondition) -> Value {
    meta::set(&mut body, &["metadata", "uid"], on.uid.as_str().into());
    meta::set(&mut body, &["metadata", "resourceVersion"], on.resource_version.as_str().into());
    body
}

fn fenced_ops(ops: &[JsonOp], on: &Precondition) -> Value {
    let fence = [
        json!({ "op": "replace", "path": "/metadata/uid", "value": on.uid }),
        json!({ "op": "replace", "path": "/metadata/resourceVersion", "value": on.resource_version }),
    ];
    let ops = ops.iter().map(|op| match op {
        JsonOp::Add(path, value) => json!({ "op": "add", "path": path, "value": value }),
        JsonOp::Remove(path) => json!({ "op": "remove", "path": path }),
    });
    fence.into_iter().chain(ops).collect()
}

fn patch_params() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() }
}

fn collection(kind: Kind, namespace: &str) -> Result<request::Request, BadName> {
    let namespace = (kind.namespaced && !namespace.is_empty()).then_some(namespace);
    namespace.map_or(Ok(()), check)?;
    Ok(request::Request::new(watch::url_path(kind, namespace)))
}

fn object(key: &ObjectKey) -> Result<request::Request, BadName> {
    if key.kind().namespaced && key.namespace().is_empty() {
        return Err(BadName(format!("{key} lacks a namespace")));
    }
    check(key.name())?;
    collection(key.kind(), key.namespace())
}

/// Names come from what users write, and become part of a path as they are: `../` must not lead to another resource.
fn check(name: &str) -> Result<(), BadName> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    if name.is_empty() || name == "." || name == ".." || !name.bytes().all(fits) {
        return Err(BadName(format!("{name:?} is not a name that an object can have")));
    }
    Ok(())
}

fn made(request: Result<Request<Vec<u8>>, request::Error>) -> Made {
    request.map_err(|error| BadName(error.to_string()))
}

#[cfg(test)]
mod tests {
    use vexil_object::kinds::{CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, POD};

    use super::*;

    fn check(key: ObjectKey, path: Result<&str, ()>) {
        let made = get(&key).map(|request| request.uri().to_string()).map_err(|_| ());
        assert_eq!(made, path.map(str::to_owned), "{key}");
    }

    #[test]
    fn names_lead_to_their_object_and_nowhere_else() {
        check(
            ObjectKey::new(DEPLOYMENT, "test", "podinfo"),
            Ok("/apis/apps/v1/namespaces/test/deployments/podinfo"),
        );
        check(ObjectKey::new(POD, "test", "a:b.c~d"), Ok("/api/v1/namespaces/test/pods/a:b.c~d"));
        check(
            ObjectKey::cluster(CUSTOM_RESOURCE_DEFINITION, "x.y"),
            Ok("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x.y"),
        );
        for name in ["", ".", "..", "../secrets/x", "a/b", "%2e%2e", "a b", "a?b", "a#b", "ü"] {
            check(ObjectKey::new(POD, "test", name), Err(()));
            check(ObjectKey::new(POD, name, "x"), Err(()));
        }
    }

    #[test]
    fn query_values_are_encoded() {
        let made = list(POD, "", &ListParams::default().labels("app=a,b in (c)")).unwrap();
        assert_eq!(made.uri().query(), Some("&labelSelector=app%3Da%2Cb+in+%28c%29"));
    }

    #[test]
    fn writes_are_fenced() {
        let on = Precondition { uid: "u".into(), resource_version: "7".into() };
        let key = ObjectKey::new(POD, "test", "a");
        let body = |made: Made| serde_json::from_slice::<Value>(made.unwrap().body()).unwrap();
        let fence = json!({"metadata": {"uid": "u", "resourceVersion": "7"}});
        assert_eq!(body(merge(&key, &on, json!({}))), fence);
        assert_eq!(body(merge_status(&key, &on, json!({})))["metadata"], fence["metadata"]);
        assert_eq!(body(json_patch(&key, &on, &[])).as_array().map(Vec::len), Some(2));
        assert_eq!(body(delete(&key, &on))["preconditions"], fence["metadata"]);
    }
}
