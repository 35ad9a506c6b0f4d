//! The rows of Services and of what is behind and before them.

use serde_json::{Value, json};

use super::{
    super::super::json::{at, list, name, number, text},
    workload::labels,
};

/// How many addresses a cell shows before it only counts.
const SHOWN: usize = 3;

/// The cells of a kind of the network.
pub(super) fn cells(bucket: &str, object: &Value, age: &str) -> Vec<Value> {
    let own = name(object).to_owned();
    let cells: Vec<String> = match bucket {
        "services" => {
            let selector = at(object, &["spec", "selector"]).unwrap_or(&Value::Null);
            let kind = text(object, &["spec", "type"]).to_owned();
            let inner = text(object, &["spec", "clusterIP"]);
            let inner = if inner.is_empty() { "<none>" } else { inner }.to_owned();
            vec![own, kind, inner, outer(object), ports(object), age.to_owned(), labels(selector)]
        }
        "endpoints" => vec![own, endpoints(object), age.to_owned()],
        "endpointslices.discovery.k8s.io" => {
            let ports = list(object, &["ports"]).iter().map(|port| match port.get("port") {
                Some(number) => number.to_string(),
                None => text(port, &["name"]).to_owned(),
            });
            let addresses = list(object, &["endpoints"]).iter().flat_map(|one| list(one, &["addresses"]));
            let addresses = addresses.filter_map(Value::as_str).map(str::to_owned);
            let kind = text(object, &["addressType"]).to_owned();
            vec![
                own,
                kind,
                some(ports.collect(), "<unset>"),
                some(addresses.collect(), "<unset>"),
                age.to_owned(),
            ]
        }
        _ => {
            let class = text(object, &["spec", "ingressClassName"]);
            let class = if class.is_empty() { "<none>" } else { class }.to_owned();
            let hosts = list(object, &["spec", "rules"]).iter().map(|rule| text(rule, &["host"]));
            let hosts: Vec<String> = hosts.filter(|host| !host.is_empty()).map(str::to_owned).collect();
            let secure = !list(object, &["spec", "tls"]).is_empty();
            let ports = if secure { "80, 443" } else { "80" }.to_owned();
            vec![own, class, some(hosts, "*"), balancer(object), ports, age.to_owned()]
        }
    };
    cells.into_iter().map(|cell| json!(cell)).collect()
}

fn some(all: Vec<String>, none: &str) -> String {
    let shown: Vec<&str> = all.iter().take(SHOWN).map(String::as_str).collect();
    match all.len() {
        0 => none.to_owned(),
        count if count > SHOWN => format!("{} + {} more...", shown.join(","), count - SHOWN),
        _ => shown.join(","),
    }
}

fn balancer(object: &Value) -> String {
    let ingress = list(object, &["status", "loadBalancer", "ingress"]).iter();
    let all = ingress.map(|one| match text(one, &["ip"]) {
        "" => text(one, &["hostname"]),
        ip => ip,
    });
    all.collect::<Vec<_>>().join(",")
}

fn outer(object: &Value) -> String {
    let mut all: Vec<String> = match text(object, &["spec", "type"]) {
        "ExternalName" => return text(object, &["spec", "externalName"]).to_owned(),
        "LoadBalancer" => Some(balancer(object)).filter(|all| !all.is_empty()).into_iter().collect(),
        _ => Vec::new(),
    };
    all.extend(list(object, &["spec", "externalIPs"]).iter().filter_map(Value::as_str).map(str::to_owned));
    match (all.is_empty(), text(object, &["spec", "type"])) {
        (true, "LoadBalancer") => "<pending>".to_owned(),
        (true, _) => "<none>".to_owned(),
        (false, _) => all.join(","),
    }
}

fn ports(object: &Value) -> String {
    let ports = list(object, &["spec", "ports"]).iter().map(|port| {
        let (number_, protocol) = (number(port, &["port"]), text(port, &["protocol"]));
        match number(port, &["nodePort"]) {
            0 => format!("{number_}/{protocol}"),
            node => format!("{number_}:{node}/{protocol}"),
        }
    });
    let ports: Vec<String> = ports.collect();
    if ports.is_empty() { "<none>".to_owned() } else { ports.join(",") }
}

fn endpoints(object: &Value) -> String {
    let mut all = Vec::new();
    for subset in list(object, &["subsets"]) {
        let addresses = list(subset, &["addresses"]);
        let ports = list(subset, &["ports"]);
        if ports.is_empty() {
            all.extend(addresses.iter().map(|address| text(address, &["ip"]).to_owned()));
        }
        for port in ports {
            let port = number(port, &["port"]);
            all.extend(addresses.iter().map(|address| format!("{}:{port}", text(address, &["ip"]))));
        }
    }
    let none = if list(object, &["subsets"]).is_empty() { "<none>" } else { "" };
    some(all, none)
}
