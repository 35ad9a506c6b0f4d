//! How many pods a Service can send requests to, as gateways and proxies know it: later than the status of a Deployment
//! reports it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use vexil_object::meta;

/// The label that ties an EndpointSlice to its Service (Kubernetes "EndpointSlices", ownership).
pub(crate) const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// The Service that an EndpointSlice belongs to.
pub fn service_of(slice: &Value) -> Option<&str> {
    meta::label(slice, SERVICE_NAME)
}

/// The number of ready endpoints in the slices of one Service. An endpoint counts once, though it be listed in several
/// slices: while it moves between them, or with one address per IP family.
pub fn ready_endpoints<'a>(slices: impl IntoIterator<Item = &'a Value>) -> usize {
    slices.into_iter().flat_map(ready_names).collect::<BTreeSet<_>>().len()
}

/// Whether a slice has ready pods that the Service cannot send to, because none of its ports is one of theirs: a
/// `targetPort` by a name that no container has. Such a slice lists no port.
pub fn lacks_ports(slice: &Value) -> bool {
    !has_ports(slice) && listed(slice, "endpoints").any(is_ready)
}

/// The ready endpoints of a slice: the pod's name, or the address where no pod is named.
pub(crate) fn ready_names(slice: &Value) -> impl Iterator<Item = &str> {
    let reached = listed(slice, "endpoints").filter(|endpoint| has_ports(slice) && is_ready(endpoint));
    reached.filter_map(|endpoint| {
        let address = endpoint.pointer("/addresses/0")?.as_str()?;
        Some(pod(endpoint).unwrap_or(address))
    })
}

/// The part of a slice that these functions read, as a smaller slice: of the ready endpoints an address and the pod, of
/// the ports the first. `metadata` is what is kept of its metadata.
pub(crate) fn reduced(slice: &Value, metadata: Map<String, Value>) -> Value {
    let endpoint = |endpoint: &Value| {
        let mut kept = json!({"addresses": endpoint.pointer("/addresses/0").into_iter().collect::<Vec<_>>()});
        if let Some(pod) = pod(endpoint) {
            meta::set(&mut kept, &["targetRef", "name"], pod.into());
        }
        kept
    };
    let endpoints: Vec<_> = listed(slice, "endpoints").filter(|it| is_ready(it)).map(endpoint).collect();
    let port = |port: &Value| json!({"port": port.get("port")});
    let ports: Vec<_> = listed(slice, "ports").take(1).map(port).collect();
    let mut kept = json!({"metadata": metadata, "endpoints": endpoints, "ports": ports});
    if let Some(service) = service_of(slice) {
        meta::set(&mut kept, &["metadata", "labels", SERVICE_NAME], service.into());
    }
    kept
}

fn has_ports(slice: &Value) -> bool {
    listed(slice, "ports").next().is_some()
}

fn listed<'a>(slice: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    slice.get(field).and_then(Value::as_array).into_iter().flatten()
}

/// An unset condition counts as ready (API reference of `EndpointConditions`).
fn is_ready(endpoint: &Value) -> bool {
    endpoint.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true)
}

fn pod(endpoint: &Value) -> Option<&str> {
    endpoint.pointer("/targetRef/name").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vexil_object::Projection;

    use super::*;
    use crate::EndpointSliceProjection;

    fn check(slices: &[Value], ready: usize) {
        assert_eq!(ready_endpoints(slices), ready, "{slices:?}");
        let kept: Vec<_> = slices.iter().map(|slice| EndpointSliceProjection.keep(slice.clone())).collect();
        assert_eq!(ready_endpoints(&kept), ready, "reduced {kept:?}");
        assert!(kept.iter().all(|slice| service_of(slice) == Some("podinfo")));
        let again: Vec<_> = kept.iter().map(|slice| EndpointSliceProjection.keep(slice.clone())).collect();
        assert_eq!(again, kept);
    }

    fn slice(endpoints: Value) -> Value {
        json!({
            "metadata": {"name": "podinfo-x", "labels": {SERVICE_NAME: "podinfo", "other": "label"}},
            "addressType": "IPv4", "endpoints": endpoints, "ports": [{"port": 80}],
        })
    }

    fn endpoint(address: &str, pod: &str, ready: bool) -> Value {
        json!({"addresses": [address], "conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": pod}})
    }

    #[test]
    fn only_ready_endpoints_count_and_each_once() {
        check(&[], 0);
        check(&[slice(Value::Null)], 0);
        check(&[slice(json!([endpoint("10.0.0.1", "a", true), endpoint("10.0.0.2", "b", false)]))], 1);
        check(
            &[
                slice(json!([endpoint("10.0.0.1", "a", true)])),
                slice(json!([endpoint("fd00::1", "a", true), endpoint("fd00::2", "b", true)])),
            ],
            2,
        );
        check(
            &[slice(json!([{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"], "conditions": {}}]))],
            2,
        );
        check(&[slice(json!([{"addresses": []}]))], 0);
    }

    #[test]
    fn pods_without_the_port_of_the_service_are_not_reached() {
        for ports in [json!([]), Value::Null] {
            let mut unreached = slice(json!([endpoint("10.0.0.1", "a", true)]));
            unreached["ports"] = ports;
            check(std::slice::from_ref(&unreached), 0);
            assert!(lacks_ports(&unreached) && lacks_ports(&EndpointSliceProjection.keep(unreached)));
        }
        let reached = slice(json!([endpoint("10.0.0.1", "a", true)]));
        assert!(!lacks_ports(&reached) && !lacks_ports(&EndpointSliceProjection.keep(reached)));
        assert!(!lacks_ports(&json!({"endpoints": [], "ports": []})));
    }
}
