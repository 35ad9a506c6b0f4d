//! Requests as the API server wants them: paths with every segment checked and encoded, and their bodies.

use http::{Method, Request, header};
use serde_json::Value;
use vexil_object::{Kind, ObjectKey};

/// Who writes, as `managedFields` will tell.
pub(crate) const FIELD_MANAGER: &str = "vexil";

/// A name that no object can have, and that would lead elsewhere in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadName(pub(crate) String);

/// A body and what it is.
pub(crate) enum Body {
    None,
    Json(Value),
    Merge(Value),
    JsonPatch(Value),
}

/// The path of the objects of a kind: of one namespace, or of all for an empty one.
pub(crate) fn collection(kind: Kind, namespace: &str) -> Result<String, BadName> {
    let root = if kind.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", kind.group) };
    if namespace.is_empty() || !kind.namespaced {
        return Ok(format!("{root}/{}/{}", kind.version, kind.plural));
    }
    Ok(format!("{root}/{}/namespaces/{}/{}", kind.version, segment(namespace)?, kind.plural))
}

/// The path of one object.
pub(crate) fn object(key: &ObjectKey) -> Result<String, BadName> {
    if key.kind().namespaced && key.namespace().is_empty() {
        return Err(BadName(format!("{key} lacks a namespace")));
    }
    Ok(format!("{}/{}", collection(key.kind(), key.namespace())?, segment(key.name())?))
}

/// A path with query parameters.
pub(crate) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    format!("{path}?{}", pairs.join("&"))
}

/// A request; the path comes from this file and is well formed.
pub(crate) fn request(method: Method, path: &str, body: Body) -> Result<Request<Vec<u8>>, BadName> {
    let (content_type, value) = match body {
        Body::None => (None, None),
        Body::Json(value) => (Some("application/json"), Some(value)),
        Body::Merge(value) => (Some("application/merge-patch+json"), Some(value)),
        Body::JsonPatch(value) => (Some("application/json-patch+json"), Some(value)),
    };
    let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, "application/json");
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    let bytes = value.map(|value| value.to_string().into_bytes()).unwrap_or_default();
    request.body(bytes).map_err(|error| BadName(error.to_string()))
}

/// Names come from what users write: `../` must not lead to another resource. The API server allows no such name
/// (object names, "path segment names").
fn segment(name: &str) -> Result<String, BadName> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '%']) {
        return Err(BadName(format!("{name:?} is not a name that an object can have")));
    }
    Ok(encoded(name))
}

/// Percent-encoding of everything that RFC 3986 does not call unreserved.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use vexil_object::kinds::{CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, POD};

    use super::*;

    fn check(key: ObjectKey, path: Result<&str, ()>) {
        assert_eq!(object(&key).map_err(|_| ()), path.map(str::to_owned), "{key:?}");
    }

    #[test]
    fn names_lead_to_their_object_and_nowhere_else() {
        check(
            ObjectKey::new(DEPLOYMENT, "test", "podinfo"),
            Ok("/apis/apps/v1/namespaces/test/deployments/podinfo"),
        );
        check(ObjectKey::new(POD, "test", "a b"), Ok("/api/v1/namespaces/test/pods/a%20b"));
        check(ObjectKey::new(POD, "test", "a?b#ü"), Ok("/api/v1/namespaces/test/pods/a%3Fb%23%C3%BC"));
        check(
            ObjectKey::cluster(CUSTOM_RESOURCE_DEFINITION, "x.y"),
            Ok("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x.y"),
        );
        for name in ["", ".", "..", "../secrets/x", "a/b", "%2e%2e"] {
            check(ObjectKey::new(POD, "test", name), Err(()));
            check(ObjectKey::new(POD, name, "x"), Err(()));
        }
    }

    #[test]
    fn query_values_are_encoded() {
        let path = with_query("/x", &[("labelSelector", "app=a,b in (c)")]);
        assert_eq!(path, "/x?labelSelector=app%3Da%2Cb%20in%20%28c%29");
    }
}
