//! Port discovery: the target's other container ports, for the generated Services.

use std::collections::BTreeSet;

use serde_json::Value;
use vexil_object::{MAX_LABEL_BYTES, meta};

use crate::DeploymentView;

/// What the Canary's `spec.service` says of ports.
#[derive(Clone, Copy, Debug)]
pub struct ServicePort<'a> {
    /// `service.port`.
    pub port: u16,
    /// `service.portName`, or its default.
    pub name: &'a str,
    /// `service.targetPort` as written: unset, a number or a name.
    pub target: Option<&'a Value>,
    /// `service.portDiscovery`: the other container ports are published too.
    pub discovers: bool,
}

impl ServicePort<'_> {
    /// Whether a container port is the one behind this Service port.
    fn leads_to(&self, name: &str, number: u16) -> bool {
        match self.target {
            Some(Value::String(wanted)) => wanted == name,
            Some(Value::Number(wanted)) if wanted.as_u64() != Some(0) => {
                wanted.as_u64() == Some(u64::from(number))
            }
            _ => number == self.port,
        }
    }
}

/// The ports to publish besides `service`, as name and number, in the order of the manifest; none without discovery.
/// No name and no number occurs twice, nor are those of `service` repeated, since the API server refuses such Services.
/// Only TCP: the Services that are made of these have no other protocol.
pub(crate) fn discover(target: &DeploymentView<'_>, service: &ServicePort<'_>) -> Vec<(String, u16)> {
    let mut found = Vec::new();
    if !service.discovers {
        return found;
    }
    let mut names = BTreeSet::from([service.name.to_owned()]);
    let mut numbers = BTreeSet::from([service.port]);
    for container in target.containers() {
        let container_name = meta::text(container, "/name");
        if matches!(container_name, "istio-proxy" | "envoy") {
            continue;
        }
        let ports = container.get("ports").and_then(Value::as_array).into_iter().flatten();
        for (at, port) in ports.enumerate() {
            let Some((name, number)) = tcp(port) else {
                continue;
            };
            if service.leads_to(name, number) || !numbers.insert(number) {
                continue;
            }
            let unnamed = || cut(format!("tcp-{container_name}"), at);
            let name = if name.is_empty() || names.contains(name) { unnamed() } else { name.to_owned() };
            if names.insert(name.clone()) {
                found.push((name, number));
            }
        }
    }
    found
}

/// The ports that [`discover`] leaves out though they are the target's own, one sentence each.
pub(crate) fn unpublished(target: &DeploymentView<'_>, service: &ServicePort<'_>) -> Vec<String> {
    let mut messages = Vec::new();
    if !service.discovers {
        return messages;
    }
    let mut numbers = BTreeSet::new();
    for container in target.containers() {
        let name = meta::text(container, "/name");
        let ports = container.get("ports").and_then(Value::as_array).into_iter().flatten();
        for port in ports.filter(|_| !matches!(name, "istio-proxy" | "envoy")) {
            let number = port.get("containerPort").cloned().unwrap_or_default();
            let what = format!("port {number} of container {name} is not published");
            match tcp(port) {
                None => {
                    let protocol = meta::text(port, "/protocol");
                    messages.push(format!(
                        "{what}: port discovery finds TCP ports only, and this one is {protocol}"
                    ));
                }
                Some((own, number)) if service.leads_to(own, number) => {}
                Some((_, number)) if number == service.port => {
                    messages.push(format!(
                        "{what}: spec.service.port has that number, and leads to another port"
                    ));
                }
                Some((_, number)) if !numbers.insert(number) => {
                    messages.push(format!("{what}: another container has a port of that number"));
                }
                Some(_) => {}
            }
        }
    }
    messages
}

/// The TCP ports of a Service, as name (empty when it has none) and number.
pub(crate) fn of_service(service: &Value) -> Vec<(String, u16)> {
    let ports = service.pointer("/spec/ports").and_then(Value::as_array).into_iter().flatten();
    ports.filter_map(|port| numbered(port, "port")).map(|(name, number)| (name.to_owned(), number)).collect()
}

/// A TCP port's name (empty when it has none) and number.
fn tcp(port: &Value) -> Option<(&str, u16)> {
    numbered(port, "containerPort")
}

fn numbered<'a>(port: &'a Value, field: &str) -> Option<(&'a str, u16)> {
    let number = port.get(field)?.as_u64()?;
    let is_tcp = matches!(meta::text(port, "/protocol"), "" | "TCP");
    Some((meta::text(port, "/name"), u16::try_from(number).ok()?)).filter(|_| is_tcp)
}

/// `text-<at>`, with the text shortened so that the whole is a valid name.
fn cut(text: String, at: usize) -> String {
    let end = format!("-{at}");
    let room = MAX_LABEL_BYTES.saturating_sub(end.len());
    text.chars().take(room).collect::<String>() + &end
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(containers: &Value, port: u16, target: Option<Value>, expect: &[(&str, u16)]) {
        let target_object = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        let service = ServicePort { port, name: "http", target: target.as_ref(), discovers: true };
        let found = discover(&DeploymentView::new(&target_object), &service);
        let found: Vec<_> = found.iter().map(|(name, number)| (name.as_str(), *number)).collect();
        assert_eq!(found, expect, "port {port} target {target:?} of {containers}");
    }

    #[test]
    fn the_contracts_table_holds_but_for_the_number_that_would_be_refused() {
        let podinfo = json!([{"name": "podinfo", "ports": [
            {"name": "http", "containerPort": 9898}, {"name": "http-metrics", "containerPort": 8080},
            {"containerPort": 8888},
        ]}]);
        check(&podinfo, 9898, None, &[("http-metrics", 8080), ("tcp-podinfo-2", 8888)]);
        check(&podinfo, 9898, Some(json!(0)), &[("http-metrics", 8080), ("tcp-podinfo-2", 8888)]);
        check(&podinfo, 80, Some(json!(9898)), &[("http-metrics", 8080), ("tcp-podinfo-2", 8888)]);
        check(&podinfo, 8080, Some(json!("http")), &[("tcp-podinfo-2", 8888)]);
    }

    #[test]
    fn proxies_other_protocols_and_repetitions_are_left_out() {
        let port = |name: &str, number: u16| json!({"name": name, "containerPort": number});
        let one = |name: &str, ports: Value| json!({"name": name, "ports": ports});
        check(
            &json!([one("istio-proxy", json!([port("x", 1)])), one("envoy", json!([port("y", 2)]))]),
            80,
            None,
            &[],
        );
        check(
            &json!([one("a", json!([{"name": "dns", "containerPort": 53, "protocol": "UDP"}]))]),
            80,
            None,
            &[],
        );
        check(
            &json!([one("a", json!([port("x", 1)])), one("b", json!([port("y", 1)]))]),
            80,
            None,
            &[("x", 1)],
        );
        check(
            &json!([one("a", json!([port("x", 1)])), one("b", json!([port("x", 2)]))]),
            80,
            None,
            &[("x", 1), ("tcp-b-0", 2)],
        );
        check(&json!([one("a", json!([port("http", 1)]))]), 80, Some(json!(9)), &[("tcp-a-0", 1)]);
        check(&json!([{"name": "none"}]), 80, None, &[]);
    }

    #[test]
    fn ports_that_cannot_be_published_are_reported() {
        let one = |name: &str, ports: Value| json!({"name": name, "ports": ports});
        let containers = json!([
            one(
                "app",
                json!([{"name": "http", "containerPort": 9898}, {"containerPort": 53, "protocol": "UDP"}])
            ),
            one("admin", json!([{"name": "admin", "containerPort": 8080}, {"containerPort": 9797}])),
            one("again", json!([{"containerPort": 9797}])),
            one("envoy", json!([{"containerPort": 53, "protocol": "UDP"}])),
        ]);
        let target = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        let to = json!("http");
        let service = ServicePort { port: 8080, name: "http", target: Some(&to), discovers: true };
        let not = "is not published";
        assert_eq!(
            unpublished(&DeploymentView::new(&target), &service),
            [
                format!(
                    "port 53 of container app {not}: port discovery finds TCP ports only, and this one is UDP"
                ),
                format!(
                    "port 8080 of container admin {not}: spec.service.port has that number, and leads to another port"
                ),
                format!("port 9797 of container again {not}: another container has a port of that number"),
            ]
        );
    }

    #[test]
    fn a_long_container_name_still_makes_a_valid_port_name() {
        let name = "c".repeat(63);
        let expect = format!("tcp-{}-0", "c".repeat(57));
        check(&json!([{"name": name, "ports": [{"containerPort": 1}]}]), 80, None, &[(expect.as_str(), 1)]);
        assert_eq!(expect.len(), 63);
    }
}
