//! EndpointSlices and Endpoints: which pods stand behind a Service, and which of them are ready.
//!
//! Not done: Services without a selector, IPv6, `publishNotReadyAddresses`, topology hints, more than one slice for
//! the same ports (the API's own splits at 100 addresses).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::deployment::owner;
use super::op::{Op, Plan, Snapshot, Target};
use crate::kinds::{ENDPOINT_SLICE, ENDPOINTS, POD, SERVICE};
use crate::view;

const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGER: &str = "endpointslice-controller.k8s.io";

/// What all Services need now.
pub(crate) fn plan(seen: &Snapshot) -> Plan {
    let mut ops = Vec::new();
    let owned = seen.by_owner(ENDPOINT_SLICE);
    let mut pods = BTreeMap::<&str, Vec<&Value>>::new();
    for pod in seen.all(POD).filter(|pod| has_address(pod)) {
        pods.entry(view::namespace(pod)).or_default().push(pod);
    }
    for service in seen.all(SERVICE).filter(|service| !view::is_terminating(service)) {
        let Some(selector) = view::at(service, "/spec/selector").and_then(Value::as_object) else { continue };
        let near = pods.get(view::namespace(service)).into_iter().flatten().copied();
        let is_member =
            |pod: &&Value| view::labels(pod).is_some_and(|labels| view::is_subset(selector, labels));
        let members: Vec<&Value> = near.filter(is_member).collect();
        ops.extend(slices(owned.of(service), service, &members));
        ops.extend(endpoints(seen, service, &members));
    }
    ops.extend(orphans(seen));
    Plan { ops, wake: None }
}

fn has_address(pod: &Value) -> bool {
    !view::text(pod, "/status/podIP").is_empty()
        && !matches!(view::text(pod, "/status/phase"), "Failed" | "Succeeded")
}

/// Endpoints have no owner: they go with the Service of their name.
fn orphans(seen: &Snapshot) -> impl Iterator<Item = Op> + '_ {
    let mine = |object: &&Value| !view::label(object, "endpoints.kubernetes.io/managed-by").is_empty();
    let orphan = |object: &&Value| seen.get(SERVICE, view::namespace(object), view::name(object)).is_none();
    seen.all(ENDPOINTS).filter(mine).filter(orphan).map(|object| Op::Delete(Target::new(ENDPOINTS, object)))
}

/// One slice for each set of resolved ports (pods may give one port name to different numbers).
fn slices(owned: &[&Value], service: &Value, pods: &[&Value]) -> Vec<Op> {
    let mut by_ports: BTreeMap<String, (Value, Vec<Value>)> = BTreeMap::new();
    for pod in pods {
        let ports = Value::Array(ports(service, pod));
        by_ports.entry(ports.to_string()).or_insert_with(|| (ports, Vec::new())).1.push(endpoint(pod));
    }
    let mut wanted: Vec<(Value, Vec<Value>)> = by_ports.into_values().collect();
    if wanted.is_empty() {
        wanted.push((Value::Null, Vec::new()));
    }
    let mine = |slice: &&Value| view::label(slice, MANAGED_BY) == MANAGER;
    let live: Vec<&Value> = owned.iter().copied().filter(mine).collect();
    let mut ops = Vec::new();
    for (place, (ports, endpoints)) in wanted.iter().enumerate() {
        match live.get(place) {
            None => ops.push(Op::Create(ENDPOINT_SLICE, slice(service, ports, endpoints))),
            Some(live)
                if !says(live, "endpoints", &Value::from(endpoints.clone()))
                    || !says(live, "ports", ports) =>
            {
                let body = json!({"endpoints": endpoints, "ports": ports});
                ops.push(Op::Patch(Target::new(ENDPOINT_SLICE, live), body));
            }
            Some(_) => {}
        }
    }
    ops.extend(live.iter().skip(wanted.len()).map(|slice| Op::Delete(Target::new(ENDPOINT_SLICE, slice))));
    ops
}

fn says(live: &Value, field: &str, want: &Value) -> bool {
    view::alike(live.get(field).unwrap_or(&Value::Null), want)
}

fn slice(service: &Value, ports: &Value, endpoints: &[Value]) -> Value {
    let mut labels = view::labels(service).cloned().unwrap_or_default();
    labels.insert(SERVICE_NAME.to_owned(), view::name(service).into());
    labels.insert(MANAGED_BY.to_owned(), MANAGER.into());
    let mut slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {
            "generateName": format!("{}-", view::name(service)), "namespace": view::namespace(service),
            "labels": labels, "ownerReferences": [owner("v1", "Service", service)],
        },
        "addressType": "IPv4", "endpoints": endpoints,
    });
    if let (false, Some(slice)) = (ports.is_null(), slice.as_object_mut()) {
        slice.insert("ports".to_owned(), ports.clone());
    }
    slice
}

fn ports(service: &Value, pod: &Value) -> Vec<Value> {
    let resolved = view::list(service, "/spec/ports").iter().filter_map(|port| {
        let number = target_port(port, pod)?;
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
        Some(json!({"name": view::text(port, "/name"), "protocol": protocol, "port": number}))
    });
    resolved.collect()
}

/// The container port that a Service port means on this pod; `None` when no container has a port of that name.
fn target_port(port: &Value, pod: &Value) -> Option<i64> {
    match port.get("targetPort") {
        Some(Value::String(name)) => {
            let named = |port: &&Value| view::text(port, "/name") == name;
            let mut ports =
                view::list(pod, "/spec/containers").iter().flat_map(|one| view::list(one, "/ports"));
            ports.find(named)?.get("containerPort")?.as_i64()
        }
        Some(Value::Number(number)) => number.as_i64(),
        _ => port.get("port")?.as_i64(),
    }
}

fn endpoint(pod: &Value) -> Value {
    let (ready, leaving) = (view::is_ready(pod), view::is_terminating(pod));
    let mut endpoint = json!({
        "addresses": [view::text(pod, "/status/podIP")],
        "conditions": {"ready": ready && !leaving, "serving": ready, "terminating": leaving},
        "targetRef": reference(pod),
    });
    if let (Some(node), Some(endpoint)) = (node(pod), endpoint.as_object_mut()) {
        endpoint.insert("nodeName".to_owned(), node);
    }
    endpoint
}

fn reference(pod: &Value) -> Value {
    json!({"kind": "Pod", "namespace": view::namespace(pod), "name": view::name(pod), "uid": view::uid(pod)})
}

fn node(pod: &Value) -> Option<Value> {
    view::at(pod, "/spec/nodeName").cloned()
}

/// The older object; it says the same, without the pods that are leaving.
fn endpoints(seen: &Snapshot, service: &Value, pods: &[&Value]) -> Option<Op> {
    let mut subsets: BTreeMap<String, (Value, Vec<Value>, Vec<Value>)> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| !view::is_terminating(pod)) {
        let ports: Value = ports(service, pod).into_iter().map(without_empty_name).collect();
        let subset = subsets.entry(ports.to_string()).or_insert_with(|| (ports, Vec::new(), Vec::new()));
        let mut address = json!({"ip": view::text(pod, "/status/podIP"), "targetRef": reference(pod)});
        if let (Some(node), Some(address)) = (node(pod), address.as_object_mut()) {
            address.insert("nodeName".to_owned(), node);
        }
        if view::is_ready(pod) { subset.1.push(address) } else { subset.2.push(address) }
    }
    let subsets: Vec<Value> = subsets.into_values().map(subset).collect();
    let Some(live) = seen.get(ENDPOINTS, view::namespace(service), view::name(service)) else {
        let mut object = json!({
            "apiVersion": "v1", "kind": "Endpoints",
            "metadata": {
                "name": view::name(service), "namespace": view::namespace(service),
                "labels": {"endpoints.kubernetes.io/managed-by": "endpoint-controller"},
            },
        });
        if let (false, Some(object)) = (subsets.is_empty(), object.as_object_mut()) {
            object.insert("subsets".to_owned(), subsets.into());
        }
        return Some(Op::Create(ENDPOINTS, object));
    };
    let mine = !view::label(live, "endpoints.kubernetes.io/managed-by").is_empty();
    let subsets = if subsets.is_empty() { Value::Null } else { subsets.into() };
    if !mine || says(live, "subsets", &subsets) {
        return None;
    }
    Some(Op::Patch(Target::new(ENDPOINTS, live), json!({ "subsets": subsets })))
}

/// The API server stores no empty name in Endpoints, but it does in an EndpointSlice.
fn without_empty_name(mut port: Value) -> Value {
    if view::text(&port, "/name").is_empty()
        && let Some(port) = port.as_object_mut()
    {
        port.remove("name");
    }
    port
}

fn subset((ports, ready, waiting): (Value, Vec<Value>, Vec<Value>)) -> Value {
    let mut subset = json!({ "ports": ports });
    if let Some(subset) = subset.as_object_mut() {
        for (field, addresses) in [("addresses", ready), ("notReadyAddresses", waiting)] {
            if !addresses.is_empty() {
                subset.insert(field.to_owned(), addresses.into());
            }
        }
    }
    subset
}
