//! Contour: an HTTPProxy with a virtual host is a root, whose `includes` lead to others, under the conditions of both;
//! one that no root reaches is an orphan.
//!
//! Not done: conditions `regex` of the path, parameters, TLS, redirects, policies, mirrors, health checks; an HTTPProxy
//! that includes itself is not followed further.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Product;
use super::config::{Config, Route, Service};
use crate::controllers::{Snapshot, Target};
use crate::kinds::Resource;
use crate::network::Directory;
use crate::view;

/// Its name on the cluster's network.
pub(crate) const NAME: &str = "envoy.projectcontour";

const HTTP_PROXY: Resource = Resource::new("projectcontour.io", "v1", "httpproxies", "HTTPProxy");

/// The product.
pub(crate) static CONTOUR: Product = Product {
    kinds: &[HTTP_PROXY],
    read: |seen| Reader::read(seen).config,
    reports: |seen| {
        let reached = Reader::read(seen).reached;
        seen.all(HTTP_PROXY).filter_map(|proxy| report(&reached, proxy)).collect()
    },
};

/// Namespace and name of the HTTPProxies that a root reaches.
type Reached = BTreeSet<(String, String)>;

/// What is read of the objects.
#[derive(Default)]
struct Reader {
    config: Config,
    reached: Reached,
}

impl Reader {
    fn read(seen: &Snapshot) -> Self {
        let directory = Directory::read(seen);
        let mut reader = Reader::default();
        for root in seen.all(HTTP_PROXY) {
            let host = view::text(root, "/spec/virtualhost/fqdn").to_ascii_lowercase();
            if !host.is_empty() {
                reader.add(seen, &directory, &host, &[], root);
            }
        }
        reader
    }

    fn add(&mut self, seen: &Snapshot, directory: &Directory, host: &str, outer: &[Value], proxy: &Value) {
        let (namespace, name) = (view::namespace(proxy), view::name(proxy));
        let is_first = self.reached.insert((namespace.to_owned(), name.to_owned()));
        let under = |item: &Value| [outer, view::list(item, "/conditions")].concat();
        for route in view::list(proxy, "/spec/routes") {
            let services = view::list(route, "/services").iter().filter(|one| !is_mirror(one));
            let services = services.map(|one| service(directory, namespace, one)).collect();
            self.config.routes.push(Route { host: host.to_owned(), conditions: under(route), services });
        }
        for include in view::list(proxy, "/spec/includes").iter().filter(|_| is_first) {
            let elsewhere = view::text(include, "/namespace");
            let namespace = if elsewhere.is_empty() { namespace } else { elsewhere };
            if let Some(child) = seen.get(HTTP_PROXY, namespace, view::text(include, "/name")) {
                self.add(seen, directory, host, &under(include), child);
            }
        }
    }
}

fn is_mirror(service: &Value) -> bool {
    service.get("mirror").and_then(Value::as_bool) == Some(true)
}

fn service(directory: &Directory, namespace: &str, entry: &Value) -> Service {
    let (name, port) = (view::text(entry, "/name"), view::number(entry, "/port", 0));
    let cluster = format!("{namespace}_{name}_{port}");
    Service::new(directory, cluster, view::number(entry, "/weight", 0), (namespace, name, port))
}

/// What Contour writes to the status of an HTTPProxy, if it says something else.
fn report(reached: &Reached, proxy: &Value) -> Option<(Target, Value)> {
    let generation = view::generation(proxy);
    let (word, status, reason, message, errors) = if reached
        .contains(&(view::namespace(proxy).to_owned(), view::name(proxy).to_owned()))
    {
        ("valid", "True", "Valid", "Valid HTTPProxy", json!([]))
    } else {
        let message = "this HTTPProxy is not part of a delegation chain from a root HTTPProxy";
        let error = json!({"type": "Orphaned", "status": "True", "reason": "Orphaned", "message": message});
        (
            "orphaned",
            "False",
            "ErrorPresent",
            "At least one error present, see Errors for details",
            json!([error]),
        )
    };
    let condition = json!({
        "type": "Valid", "status": status, "reason": reason, "message": message, "errors": errors,
        "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let status = json!({"currentStatus": word, "description": message, "conditions": [condition]});
    (proxy.get("status") != Some(&status))
        .then(|| (Target::new(HTTP_PROXY, proxy), json!({"status": status})))
}
