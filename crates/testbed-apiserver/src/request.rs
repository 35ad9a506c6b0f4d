//! What a request asks for: its verb, the object it names, and the options in its query.

use std::collections::BTreeMap;

use axum::extract::Query;
use bytes::Bytes;
use http::{HeaderMap, Method, header, request::Parts};

/// A request, read but not yet answered.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// HTTP method.
    pub method: Method,
    /// Path as sent.
    pub path: String,
    /// Decoded query; of a name that is given twice the last value counts.
    pub query: BTreeMap<String, String>,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// The object or collection that the path names, when it names one.
    pub address: Option<Address>,
}

/// Which object or collection a path names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    /// API group; empty for the core group.
    pub group: String,
    /// Version in the group.
    pub version: String,
    /// Resource name.
    pub plural: String,
    /// Namespace; empty for cluster-scoped resources and lists over all namespaces.
    pub namespace: String,
    /// Name; empty for collections.
    pub name: String,
    /// Subresource such as `status`; empty for the object itself.
    pub subresource: String,
}

impl Request {
    /// Reads a request.
    pub fn new(parts: Parts, body: Bytes) -> Self {
        let query = Query::<BTreeMap<String, String>>::try_from_uri(&parts.uri);
        let path = parts.uri.path().to_owned();
        Request {
            address: address(&path),
            method: parts.method,
            path,
            query: query.map(|Query(pairs)| pairs).unwrap_or_default(),
            headers: parts.headers,
            body,
        }
    }

    /// A parameter of the query; empty when it is not there.
    pub fn param(&self, name: &str) -> &str {
        self.query.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A parameter that is a yes or no, as Go reads them.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.param(name), "1" | "t" | "T" | "true" | "True" | "TRUE")
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The content type without its parameters.
    pub fn content_type(&self) -> &str {
        self.header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim()
    }

    /// Its sender, as field ownership records it: `fieldManager`, or the user agent up to its first slash.
    pub fn manager(&self) -> String {
        let agent = self.header(header::USER_AGENT).split('/').next().unwrap_or_default();
        let manager = self.param("fieldManager");
        let chosen = if manager.is_empty() { agent } else { manager };
        if chosen.is_empty() { "unknown".to_owned() } else { chosen.to_owned() }
    }

    /// The verb as authorisation and audit name it.
    pub fn verb(&self) -> &'static str {
        let named = self.address.as_ref().is_some_and(|address| !address.name.is_empty());
        match (&self.method, named) {
            (&Method::POST, _) => "create",
            (&Method::PUT, _) => "update",
            (&Method::PATCH, _) => "patch",
            (&Method::DELETE, true) => "delete",
            (&Method::DELETE, false) => "deletecollection",
            _ if self.address.is_none() => "get",
            (_, false) if self.flag("watch") => "watch",
            (_, true) => "get",
            (_, false) => "list",
        }
    }
}

/// What a path such as `/apis/apps/v1/namespaces/test/deployments/podinfo/status` names.
fn address(path: &str) -> Option<Address> {
    let steps: Vec<String> = path.trim_matches('/').split('/').map(decoded).collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let (group, version, rest) = match steps.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return None,
    };
    let (namespace, rest) = match rest {
        ["namespaces", name, sub @ ("status" | "finalize")] => {
            let own = |text: &str| text.to_owned();
            return Some(Address {
                version: own(version),
                plural: own("namespaces"),
                name: own(name),
                subresource: own(sub),
                ..Address::default()
            });
        }
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        rest => ("", rest),
    };
    let mut rest = rest.iter().map(|step| (*step).to_owned());
    Some(Address {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: rest.next()?,
        namespace: namespace.to_owned(),
        name: rest.next().unwrap_or_default(),
        subresource: rest.collect::<Vec<_>>().join("/"),
    })
}

fn decoded(step: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = step.bytes();
    while let Some(byte) = rest.next() {
        let hex = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
        let mut ahead = rest.clone();
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the request only reads.
pub(crate) fn is_get(request: &Request) -> bool {
    matches!(request.method, Method::GET | Method::HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expect: &str) {
        let found = address(path).map(|a| {
            format!("{}|{}|{}|{}|{}|{}", a.group, a.version, a.plural, a.namespace, a.name, a.subresource)
        });
        assert_eq!(found.unwrap_or_default(), expect, "{path}");
    }

    #[test]
    fn paths_name_objects_and_collections() {
        check("/api/v1/pods", "|v1|pods|||");
        check("/api/v1/namespaces", "|v1|namespaces|||");
        check("/api/v1/namespaces/test", "|v1|namespaces||test|");
        check("/api/v1/namespaces/test/finalize", "|v1|namespaces||test|finalize");
        check("/api/v1/namespaces/test/pods/a", "|v1|pods|test|a|");
        check("/apis/apps/v1/namespaces/test/deployments/a/scale", "apps|v1|deployments|test|a|scale");
        check("/apis/g/v1/clusterroles/system%3Anode", "g|v1|clusterroles||system:node|");
        check("/apis/apps/v1", "");
        check("/version", "");
    }
}
