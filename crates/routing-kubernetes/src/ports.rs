//! The ports of a Service: as wanted, and compared with the live ones as the API server completes them.

use serde_json::{Value, json};
use vexil_object::meta;
use vexil_routing::{RouteError, RouteTarget};

/// The ports that each of the three Services has, the main one first.
pub(crate) fn wanted(target: &RouteTarget<'_>) -> Result<Vec<Value>, RouteError> {
    let service = &target.spec.service;
    let mut main = port(target.port_name(), target.port()?);
    let unset = [json!(0), json!("0"), json!("")];
    if let Some(to) = service.target_port.as_ref().map(|to| json!(to)).filter(|to| !unset.contains(to)) {
        meta::set(&mut main, &["targetPort"], to);
    }
    if let Some(protocol) = service.app_protocol.as_deref().filter(|protocol| !protocol.is_empty()) {
        meta::set(&mut main, &["appProtocol"], protocol.into());
    }

    // Names and numbers are unique in a Service. The main port is the user's; of discovered ports the later one wins.
    let mut ports = vec![main];
    for (name, number) in target.discovered_ports.iter().rev() {
        let found = port(name, i64::from(*number));
        if !ports.iter().any(|port| same(port, &found, "name") || same(port, &found, "port")) {
            ports.insert(1, found);
        }
    }
    Ok(ports)
}

fn port(name: &str, number: i64) -> Value {
    json!({"name": name, "protocol": "TCP", "port": number, "targetPort": number})
}

/// Whether two ports have the same number and protocol, which is unique in a Service.
pub(crate) fn is_one(one: &Value, other: &Value) -> bool {
    let protocol = |port: &Value| match meta::text(port, "/protocol") {
        "" => "TCP".to_owned(),
        protocol => protocol.to_owned(),
    };
    same(one, other, "port") && protocol(one) == protocol(other)
}

fn same(one: &Value, other: &Value, field: &str) -> bool {
    one.get(field) == other.get(field)
}

/// `ports` to write over `live`: with the node ports that are assigned already, and `live` itself when it is the same
/// set. The order of this list has no meaning, so that of `live` is kept.
pub(crate) fn over(live: Option<&Value>, ports: Vec<Value>) -> Value {
    let list = live.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ports: Vec<_> = ports.iter().map(|port| assigned(complete(port), list, &ports)).collect();
    let equal = list.len() == ports.len() && list.iter().all(|port| ports.contains(&complete(port)));
    match live {
        Some(live) if equal => live.clone(),
        _ => ports.into(),
    }
}

/// A port with the defaults of the API server.
fn complete(port: &Value) -> Value {
    let mut complete = port.clone();
    if let Some(fields) = complete.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    let number = port.get("port").cloned().unwrap_or_default();
    for (field, default) in [("protocol", json!("TCP")), ("targetPort", number)] {
        if port.get(field).is_none_or(Value::is_null) {
            meta::set(&mut complete, &[field], default);
        }
    }
    complete
}

/// A port with the node port of the live one with its number; else of the one with its name, unless that number is
/// wanted too. Clients outside of the cluster know the node port.
fn assigned(mut port: Value, live: &[Value], wanted: &[Value]) -> Value {
    let by_number = live.iter().find(|live| is_one(live, &port));
    let by_name = || {
        let unclaimed = |live: &&Value| !wanted.iter().any(|wanted| is_one(live, wanted));
        live.iter().filter(unclaimed).find(|live| same(live, &port, "name"))
    };
    let node = by_number.or_else(by_name).and_then(|live| live.get("nodePort")).cloned();
    if let (Some(node), None) = (node, port.get("nodePort")) {
        meta::set(&mut port, &["nodePort"], node);
    }
    port
}
