//! Services: defaults, checks, addresses and node ports.

use std::{collections::BTreeSet, net::Ipv4Addr};

use serde_json::{Value, json};

use super::{
    super::{
        errors::{Cause, Fault, Reply, Status},
        json::{at, list, list_mut, name, number, put, put_default, text},
        state::{Call, State},
    },
    names, pod,
};

/// Where Services' addresses come from: 10.96.0.0/16, beginning behind the API server's own.
const FIRST: u32 = 0x0a60_0002;
const LAST: u32 = 0x0a60_fffe;
const NODE_PORTS: std::ops::Range<i64> = 30_000..32_768;

/// Fills in the defaults of a Service.
pub(super) fn default(object: &mut Value) {
    let Some(spec) = object.get_mut("spec") else { return };
    put_default(spec, &["sessionAffinity"], json!("None"));
    put_default(spec, &["type"], json!("ClusterIP"));
    if text(spec, &["sessionAffinity"]) == "ClientIP" {
        put_default(spec, &["sessionAffinityConfig", "clientIP", "timeoutSeconds"], json!(10_800));
    }
    let kind = text(spec, &["type"]).to_owned();
    if kind != "ExternalName" {
        put_default(spec, &["internalTrafficPolicy"], json!("Cluster"));
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        put_default(spec, &["externalTrafficPolicy"], json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        put_default(spec, &["allocateLoadBalancerNodePorts"], json!(true));
    }
    for port in list_mut(spec, &["ports"]) {
        put_default(port, &["protocol"], json!("TCP"));
        let target = at(port, &["targetPort"]);
        if target.is_none_or(|target| *target == json!(0) || *target == json!("")) {
            let same = port.get("port").cloned().unwrap_or_default();
            put(port, &["targetPort"], same);
        }
    }
}

/// Takes over what an update leaves out and the server has decided before.
pub(super) fn carry(old: &Value, new: &mut Value) {
    let addressed = text(new, &["spec", "type"]) != "ExternalName";
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if let Some(value) = at(old, &["spec", field]).filter(|_| addressed) {
            put_default(new, &["spec", field], value.clone());
        }
    }
    let before = list(old, &["spec", "ports"]).to_vec();
    for port in list_mut(new, &["spec", "ports"]) {
        let same = |have: &&Value| {
            have.get("port") == port.get("port") && have.get("protocol") == port.get("protocol")
        };
        if let Some(node) = before.iter().find(same).and_then(|have| have.get("nodePort")).cloned() {
            put_default(port, &["nodePort"], node);
        }
    }
}

/// Gives a Service its address and node ports.
///
/// # Errors
/// 422 for an address that is taken or not in the range.
pub(super) fn allocate(state: &State, call: &Call, object: &mut Value) -> Reply<()> {
    let kind = text(object, &["spec", "type"]).to_owned();
    if kind == "ExternalName" {
        return Ok(());
    }
    let taken: BTreeSet<&str> =
        state.store.all("services").map(|(_, service)| text(service, &["spec", "clusterIP"])).collect();
    let asked = text(object, &["spec", "clusterIP"]).to_owned();
    let address = match asked.as_str() {
        "" => {
            let mut free = (FIRST..=LAST).map(|bits| Ipv4Addr::from_bits(bits).to_string());
            free.find(|address| !taken.contains(address.as_str())).unwrap_or_default()
        }
        "None" => asked,
        address => {
            let reason = refusal(address, &taken);
            if let Some(reason) = reason {
                let detail = format!("failed to allocate IP {address}: {reason}");
                let cause = Cause::new("spec.clusterIPs", Fault::Invalid(json!([address])), detail);
                return Err(Status::invalid(&call.resource, name(object), &[cause]));
            }
            asked
        }
    };
    put(object, &["spec", "clusterIP"], json!(address));
    put(object, &["spec", "clusterIPs"], json!([address]));
    let selects = at(object, &["spec", "selector"]).and_then(Value::as_object).is_some_and(|s| !s.is_empty());
    if address == "None" && !selects {
        // A user who makes the endpoints by hand may make them of both families.
        put_default(object, &["spec", "ipFamilies"], json!(["IPv4", "IPv6"]));
        put_default(object, &["spec", "ipFamilyPolicy"], json!("RequireDualStack"));
    }
    put_default(object, &["spec", "ipFamilies"], json!(["IPv4"]));
    put_default(object, &["spec", "ipFamilyPolicy"], json!("SingleStack"));
    if kind != "ClusterIP" {
        node_ports(state, object);
    }
    Ok(())
}

fn refusal(address: &str, taken: &BTreeSet<&str>) -> Option<String> {
    let inside = address.parse().is_ok_and(|ip: Ipv4Addr| (FIRST..=LAST).contains(&ip.to_bits()));
    match (inside, taken.contains(address)) {
        (false, _) => Some(format!(
            "the provided IP ({address}) is not in the valid range. The range of valid IPs is 10.96.0.0/16"
        )),
        (true, true) => Some("provided IP is already allocated".to_owned()),
        (true, false) => None,
    }
}

fn node_ports(state: &State, object: &mut Value) {
    let all = state.store.all("services").flat_map(|(_, service)| list(service, &["spec", "ports"]));
    let mut taken: BTreeSet<i64> = all.map(|port| number(port, &["nodePort"])).collect();
    for port in list_mut(object, &["spec", "ports"]) {
        if number(port, &["nodePort"]) == 0 {
            let free = NODE_PORTS.clone().find(|candidate| !taken.contains(candidate)).unwrap_or_default();
            put(port, &["nodePort"], json!(free));
        }
        taken.insert(number(port, &["nodePort"]));
    }
}

/// What is wrong with a Service.
pub(super) fn check(object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let ports = list(object, &["spec", "ports"]);
    let (kind, address) = (text(object, &["spec", "type"]), text(object, &["spec", "clusterIP"]));
    if ports.is_empty() && kind != "ExternalName" && address != "None" {
        causes.push(Cause::new("spec.ports", Fault::Required, ""));
    }
    let mut seen = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let path = format!("spec.ports[{index}]");
        let called = text(port, &["name"]);
        if called.is_empty() && ports.len() > 1 {
            causes.push(Cause::new(format!("{path}.name"), Fault::Required, ""));
        } else if !called.is_empty() && seen.contains(&called) {
            causes.push(Cause::new(format!("{path}.name"), Fault::Duplicate(json!(called)), ""));
        }
        seen.push(called);
        causes.extend(names::port(number(port, &["port"]), &format!("{path}.port")));
        pod::one_of(port, &["protocol"], &["SCTP", "TCP", "UDP"], &format!("{path}.protocol"), &mut causes);
        if let Some(target) = port.get("targetPort").and_then(Value::as_i64) {
            causes.extend(names::port(target, &format!("{path}.targetPort")));
        }
    }
    let kinds = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    pod::one_of(object, &["spec", "type"], &kinds, "spec.type", &mut causes);
    let before = old.map(|old| text(old, &["spec", "clusterIP"])).unwrap_or_default();
    if !before.is_empty() && before != address && kind != "ExternalName" {
        let detail = "may not change once set";
        causes.push(Cause::new("spec.clusterIPs[0]", Fault::Invalid(json!([address])), detail));
    }
    causes
}
