//! Gloo: a VirtualService has domains and routes, of which one may delegate to a RouteTable, under the conditions of
//! both. The first route that fits is taken. Destinations are Upstreams that lead to Services.
//!
//! Not done: parameters, regular expressions of the path, selectors of RouteTables, UpstreamGroups, options, other
//! kinds of Upstreams, reports.

use serde_json::{Value, json};

use super::Product;
use super::config::{Config, Route, Service};
use crate::controllers::Snapshot;
use crate::kinds::Resource;
use crate::network::Directory;
use crate::view;

/// Its name on the cluster's network.
pub(crate) const NAME: &str = "gateway-proxy.gloo-system";

const VIRTUAL_SERVICE: Resource = Resource::new("gateway.solo.io", "v1", "virtualservices", "VirtualService");
const ROUTE_TABLE: Resource = Resource::new("gateway.solo.io", "v1", "routetables", "RouteTable");
const UPSTREAM: Resource = Resource::new("gloo.solo.io", "v1", "upstreams", "Upstream");

/// The product.
pub(crate) static GLOO: Product =
    Product { kinds: &[VIRTUAL_SERVICE, ROUTE_TABLE, UPSTREAM], read, reports: |_| Vec::new() };

fn read(seen: &Snapshot) -> Config {
    let directory = Directory::read(seen);
    let mut routes = Vec::new();
    for object in seen.all(VIRTUAL_SERVICE) {
        for host in view::list(object, "/spec/virtualHost/domains").iter().filter_map(Value::as_str) {
            for route in view::list(object, "/spec/virtualHost/routes") {
                let reference = route.get("delegateAction").unwrap_or(&Value::Null);
                let reference = reference.get("ref").unwrap_or(reference);
                let table = (view::text(reference, "/namespace"), view::text(reference, "/name"));
                let table = seen.get(ROUTE_TABLE, table.0, table.1);
                let below =
                    table.map_or(std::slice::from_ref(route), |table| view::list(table, "/spec/routes"));
                for outer in conditions(route) {
                    for inner in below {
                        let services = services(seen, &directory, inner);
                        let all = if table.is_some() { conditions(inner) } else { vec![Vec::new()] };
                        let new = |inner: Vec<Value>| Route {
                            host: host.to_ascii_lowercase(),
                            conditions: [outer.clone(), inner].concat(),
                            services: services.clone(),
                        };
                        routes.extend(all.into_iter().map(new));
                    }
                }
            }
        }
    }
    Config { routes, is_in_order: true }
}

/// The conditions of each matcher of a route; one without any for a route without matchers.
fn conditions(route: &Value) -> Vec<Vec<Value>> {
    let matchers = view::list(route, "/matchers");
    let all = matchers.iter().map(|matcher| {
        let paths =
            ["prefix", "exact"].into_iter().filter_map(|kind| Some(json!({kind: matcher.get(kind)?})));
        let methods = matcher.get("methods").map(|list| json!({"method": list}));
        let headers = view::list(matcher, "/headers").iter().map(|header| {
            let name = view::text(header, "/name");
            match (header.get("value"), header.get("regex").and_then(Value::as_bool)) {
                (None, _) => json!({"header": {"name": name, "present": true}}),
                (Some(value), Some(true)) => json!({"header": {"name": name, "regex": value}}),
                (Some(value), _) => json!({"header": {"name": name, "exact": value}}),
            }
        });
        paths.chain(methods).chain(headers).collect()
    });
    let all: Vec<Vec<Value>> = all.collect();
    if all.is_empty() { vec![Vec::new()] } else { all }
}

fn services(seen: &Snapshot, directory: &Directory, route: &Value) -> Vec<Service> {
    let destinations = view::list(route, "/routeAction/multi/destinations");
    let service = |entry: &Value| {
        let upstream = |field: &str| view::text(entry, &format!("/destination/upstream/{field}"));
        let (name, namespace) = (upstream("name"), upstream("namespace"));
        let found = seen.get(UPSTREAM, namespace, name)?;
        let kube = |field: &str| view::text(found, &format!("/spec/kube/{field}"));
        let to =
            (kube("serviceNamespace"), kube("serviceName"), view::number(found, "/spec/kube/servicePort", 0));
        Some(Service::new(directory, format!("{name}_{namespace}"), view::number(entry, "/weight", 0), to))
    };
    destinations.iter().filter_map(service).collect()
}
