//! Specs of Services that are copies of others: what the API server allocates for each Service is its own.

use serde_json::{Map, Value};

/// What the API server allocates for a Service, besides the node ports in its ports.
const ALLOCATED: [&str; 4] = ["clusterIP", "clusterIPs", "healthCheckNodePort", "ipFamilies"];

/// The spec of a Service without what the API server has allocated for it. A headless Service stays headless.
pub fn unallocated(service: &Value) -> Value {
    let mut spec = fields(service);
    let headless = spec.get("clusterIP").and_then(Value::as_str) == Some("None");
    spec.retain(|field, _| !ALLOCATED.contains(&field.as_str()) || headless && field == "clusterIP");
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut() {
            port.remove("nodePort");
        }
    }
    Value::Object(spec)
}

/// `spec`, which is [`unallocated`], with what the API server has allocated for `live`.
pub fn with_allocated(live: &Value, spec: &Value) -> Value {
    let (mut spec, live) = (spec.clone(), fields(live));
    if spec.get("type").and_then(Value::as_str) == Some("ExternalName") {
        return spec;
    }
    let has_node_ports =
        matches!(spec.get("type").and_then(Value::as_str), Some("NodePort" | "LoadBalancer"));
    let old_ports = live.get("ports").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let same =
            |old: &&Value| ["port", "protocol"].iter().all(|field| old.get(*field) == port.get(*field));
        let node_port = old_ports.iter().find(same).and_then(|old| old.get("nodePort")).cloned();
        if let (true, Some(node_port), Some(port)) = (has_node_ports, node_port, port.as_object_mut()) {
            port.insert("nodePort".to_owned(), node_port);
        }
    }
    if let Some(spec) = spec.as_object_mut() {
        for (field, value) in live.iter().filter(|(field, _)| ALLOCATED.contains(&field.as_str())) {
            spec.entry(field.as_str()).or_insert_with(|| value.clone());
        }
    }
    spec
}

fn fields(service: &Value) -> Map<String, Value> {
    service.get("spec").and_then(Value::as_object).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a copy of `source` holds, and what it becomes over `live`.
    #[track_caller]
    fn check(source: Value, copied: Value, live: Value, written: Value) {
        let spec = unallocated(&json!({ "spec": source }));
        assert_eq!(spec, copied);
        assert_eq!(with_allocated(&json!({ "spec": live }), &spec), written);
    }

    #[test]
    fn addresses_and_node_ports_stay_with_their_service() {
        check(
            json!({"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "selector": {"app": "a"}}),
            json!({"selector": {"app": "a"}}),
            json!({"clusterIP": "10.0.0.2", "clusterIPs": ["10.0.0.2"], "selector": {"app": "b"}}),
            json!({"clusterIP": "10.0.0.2", "clusterIPs": ["10.0.0.2"], "selector": {"app": "a"}}),
        );
        let port = |node_port: u32| json!({"port": 80, "protocol": "TCP", "nodePort": node_port});
        check(
            json!({"type": "NodePort", "ports": [port(30_001)]}),
            json!({"type": "NodePort", "ports": [{"port": 80, "protocol": "TCP"}]}),
            json!({"type": "NodePort", "ports": [port(30_002)]}),
            json!({"type": "NodePort", "ports": [port(30_002)]}),
        );
        check(
            json!({"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}]}),
            json!({"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}]}),
            json!({"type": "NodePort", "ports": [port(30_002)]}),
            json!({"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}]}),
        );
    }

    #[test]
    fn a_headless_service_and_an_external_name_stay_so() {
        let headless = json!({"clusterIP": "None", "clusterIPs": ["None"]});
        check(headless.clone(), json!({"clusterIP": "None"}), headless.clone(), headless);
        let external = json!({"type": "ExternalName", "externalName": "a.example.com"});
        check(external.clone(), external.clone(), json!({"clusterIP": "10.0.0.2"}), external);
    }
}
