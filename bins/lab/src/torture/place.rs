//! The routers that are tortured, as data: what is installed, what a Canary says besides, and how clients come in.

use serde_json::{Value, json};
use vexil_testbed_cluster::System;

/// The Canary, its target and its apex.
pub const NAME: &str = "podinfo";
/// Where all of it is.
pub const NAMESPACE: &str = "test";

/// A router in its cluster.
#[derive(Debug)]
pub struct Place {
    /// What `--router` calls it.
    pub name: &'static str,
    /// What splits traffic.
    pub system: System,
    /// The Canary's provider.
    pub provider: &'static str,
    /// How clients come in; `{apex}` and `{port}` stand for what the Canary says.
    pub url: &'static str,
    /// The host that they ask for.
    pub host: &'static str,
    /// Resource of the route, with its group; empty without one.
    pub routes: &'static str,
    /// Where its entries are. `*` is each item of a list.
    pub entries: &'static str,
    /// What names the Service in an entry.
    pub service: &'static str,
}

const TRAEFIK: Place = Place {
    name: "traefik",
    system: System::Traefik(&["traefik.io"]),
    provider: "traefik",
    url: "http://traefik.traefik/",
    host: "{apex}.example.com",
    routes: "traefikservices.traefik.io",
    entries: "spec/weighted/services",
    service: "name",
};

const SMI: Place = Place {
    name: "smi",
    system: System::SmiIstio(&["v1alpha2"]),
    provider: "smi:v1alpha2",
    url: "http://{apex}.test:{port}/",
    host: "{apex}.test",
    routes: "trafficsplits.split.smi-spec.io",
    entries: "spec/backends",
    service: "service",
};

const KUMA: Place = Place {
    name: "kuma",
    system: System::Kuma(&["TrafficRoute"]),
    provider: "kuma",
    url: "http://{apex}.test:{port}/",
    host: "{apex}.test",
    routes: "trafficroutes.kuma.io",
    entries: "spec/conf/split",
    service: "destination/kuma.io~1service",
};

/// All of them.
pub static PLACES: [Place; 6] = [
    TRAEFIK,
    KUMA,
    Place {
        name: "kuma-mesh",
        system: System::Kuma(&["MeshHTTPRoute"]),
        routes: "meshhttproutes.kuma.io",
        entries: "spec/to/*/rules/*/default/backendRefs",
        service: "labels/kuma.io~1display-name",
        ..KUMA
    },
    SMI,
    Place {
        name: "apisix",
        system: System::Apisix,
        provider: "apisix",
        url: "http://apisix-gateway.apisix/",
        host: "app.example.com",
        routes: "apisixroutes.apisix.apache.org",
        entries: "spec/http/*/backends",
        service: "serviceName",
    },
    Place {
        name: "kubernetes",
        system: System::Kubernetes,
        provider: "kubernetes",
        url: "http://{apex}.test:{port}/",
        host: "{apex}.test",
        routes: "",
        entries: "",
        service: "",
    },
];

impl Place {
    /// Whether it splits by weight.
    pub fn has_weights(&self) -> bool {
        !self.routes.is_empty()
    }

    /// What its Canary says besides.
    pub fn spec(&self) -> Value {
        let mut spec = json!({
            "provider": self.provider,
            "analysis": {"interval": "10s", "threshold": 2, "stepWeight": 25, "maxWeight": 75},
        });
        if let Some(spec) = spec.as_object_mut() {
            if !self.has_weights() {
                let plan = json!({"interval": "10s", "threshold": 2, "iterations": 3});
                spec.insert("analysis".to_owned(), plan);
            }
            if self.provider == "apisix" {
                let user = json!({"apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute", "name": NAME});
                spec.insert("routeRef".to_owned(), user);
            }
        }
        spec
    }

    /// What the user has made before: how clients of the gateway come to an apex.
    pub fn before(&self, apex: &str) -> Option<Value> {
        match self.provider {
            "traefik" => Some(json!({
                "apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
                "metadata": {"name": apex, "namespace": NAMESPACE},
                "spec": {"entryPoints": ["web"], "routes": [{
                    "match": format!("Host(`{apex}.example.com`)"), "kind": "Rule",
                    "services": [{"name": apex, "kind": "TraefikService", "port": 80}],
                }]},
            })),
            "apisix" if apex == NAME => Some(json!({
                "apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute",
                "metadata": {"name": NAME, "namespace": NAMESPACE},
                "spec": {"http": [{
                    "name": "method", "match": {"hosts": ["app.example.com"], "paths": ["/*"]},
                    "backends": [{"serviceName": NAME, "servicePort": 80}],
                }]},
            })),
            _ => None,
        }
    }

    /// The URL and the host by which clients come to an apex.
    pub fn entrance(&self, apex: &str, port: u64) -> (String, String) {
        let fill = |text: &str| text.replace("{apex}", apex).replace("{port}", &port.to_string());
        (fill(self.url), fill(self.host))
    }

    /// The Services that a route leads to, with their weights.
    pub fn weights(&self, route: &Value) -> Vec<(String, u64)> {
        let mut found = vec![route];
        for step in self.entries.split('/') {
            found = found
                .into_iter()
                .flat_map(|value| match step {
                    "*" => value.as_array().into_iter().flatten().collect::<Vec<_>>(),
                    step => value.get(step).into_iter().collect(),
                })
                .collect();
        }
        let entries = found.into_iter().flat_map(|list| list.as_array().into_iter().flatten());
        entries
            .map(|entry| {
                let name = entry.pointer(&format!("/{}", self.service)).and_then(Value::as_str);
                let weight = match entry.get("weight") {
                    None => 100,
                    Some(Value::String(text)) => text.parse().unwrap_or(0),
                    Some(weight) => weight.as_u64().unwrap_or(0),
                };
                // Kuma writes `podinfo-primary_test_svc_80`.
                let name = name.unwrap_or_default().split('_').next().unwrap_or_default();
                (name.to_owned(), weight)
            })
            .collect()
    }
}
