//! The tag by which Kuma 1 and 2 name a Service.

use serde_json::Value;
use vexil_routing::RouteTarget;

/// Kuma's tag that each data plane proxy has for its Service.
pub(crate) const SERVICE: &str = "kuma.io/service";

/// `podinfo_test_svc_80`: the value of the tag [`SERVICE`], by which Kuma 1 and 2 identify Services.
pub(crate) fn tag(service: &str, target: &RouteTarget<'_>, port: i64) -> String {
    format!("{}{port}", prefix(service, target))
}

/// The part of the tag before the port. Names of objects contain no underscores.
pub(crate) fn prefix(service: &str, target: &RouteTarget<'_>) -> String {
    format!("{service}_{}_svc_", target.namespace)
}

/// Whether a selector by tags names a Service of ours, on any port: the port is ours to write.
pub(crate) fn tagged(selector: Option<&Value>, service: &str, target: &RouteTarget<'_>) -> bool {
    let tag = selector.and_then(|tags| tags.get(SERVICE)).and_then(Value::as_str);
    tag.is_some_and(|tag| tag.starts_with(&prefix(service, target)))
}
