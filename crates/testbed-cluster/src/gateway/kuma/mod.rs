//! Kuma as its users meet it: the routes that TrafficRoutes and MeshHTTPRoutes say, at every sidecar of the mesh.
//!
//! All pods are in the mesh `default`; a route that names another one does nothing, and without the Mesh `default`
//! there are no routes at all. A MeshHTTPRoute has precedence over a TrafficRoute for the same Service, and where
//! neither is, a Service's traffic goes to itself. How each kind is read is in its own module.

mod mesh_http_route;
mod series;
mod traffic_route;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use self::mesh_http_route::Match;
use super::Gateway;
use super::mesh::{Asked, CALLER, Meters, Product, Report, Sidecars, Split, Target, To};
use crate::controllers::Snapshot;
use crate::kinds::{Resource, SERVICE};
use crate::network::Network;
use crate::view;

const MESH: Resource = Resource::new("kuma.io", "v1alpha1", "meshes", "Mesh");
const TRAFFIC_ROUTE: Resource = Resource::new("kuma.io", "v1alpha1", "trafficroutes", "TrafficRoute");
const MESH_HTTP_ROUTE: Resource = Resource::new("kuma.io", "v1alpha1", "meshhttproutes", "MeshHTTPRoute");

/// The mesh of all pods.
const DEFAULT_MESH: &str = "default";

/// Starts the sidecars.
pub(crate) fn start(network: &Network) -> Arc<dyn Gateway> {
    let sidecars = Arc::new(Sidecars::<Kuma>::new(network.clone()));
    network.carried_by(Arc::clone(&sidecars) as _);
    sidecars
}

/// The product.
#[derive(Debug)]
struct Kuma;

/// For each port of each Service that a route is about, its rules; the first that matches wins.
#[derive(Debug, Default, PartialEq)]
struct Routes(BTreeMap<Target, Vec<Rule>>);

/// What is done with some requests.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    /// Which requests; `None` is all.
    matches: Option<Match>,
    to: Place,
}

/// Where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Asked,
    Split(Split),
    Nowhere(StatusCode, &'static str),
}

impl Place {
    /// Weighted Services; those without weight get nothing, and when there is no other, none does.
    fn split(mut split: Split, none: Place) -> Self {
        split.retain(|(weight, _)| *weight > 0);
        if split.is_empty() { none } else { Place::Split(split) }
    }
}

/// One port of a Service.
#[derive(Debug)]
struct Port<'a> {
    service: &'a Value,
    target: Target,
    number: u16,
    /// Its name; without one it is called by its number.
    name: String,
}

impl Product for Kuma {
    const KINDS: &'static [Resource] = &[MESH, TRAFFIC_ROUTE, MESH_HTTP_ROUTE];

    type Routes = Routes;

    fn read(seen: &Snapshot) -> Routes {
        if !seen.all(MESH).any(|mesh| view::name(mesh) == DEFAULT_MESH) {
            return Routes::default();
        }
        let ports: Vec<Port<'_>> = seen.all(SERVICE).flat_map(ports).collect();
        let rules = ports.iter().filter_map(|port| {
            let rules = mesh_http_route::rules(seen, port, &ports)
                .or_else(|| traffic_route::place(seen, port).map(|to| vec![Rule { matches: None, to }]))?;
            Some((port.target.clone(), rules))
        });
        Routes(rules.collect())
    }

    fn route<'r>(routes: &'r Routes, asked: &Asked<'_>) -> To<'r> {
        let Some(rules) = asked.service.and_then(|service| routes.0.get(service)) else { return To::Asked };
        let matching =
            |rule: &&Rule| rule.matches.as_ref().is_none_or(|matches| matches.takes(asked.request));
        match rules.iter().find(matching).map(|rule| &rule.to) {
            Some(Place::Asked) => To::Asked,
            Some(Place::Split(split)) => To::Split(split),
            Some(Place::Nowhere(status, text)) => To::Nowhere(*status, text),
            // Kuma 3; earlier versions sent these to the Service itself.
            None => To::Nowhere(StatusCode::NOT_FOUND, ""),
        }
    }

    fn meters() -> Meters {
        series::meters()
    }

    fn record(meters: &mut Meters, report: &Report<'_>) {
        series::record(meters, report);
    }
}

fn ports(service: &Value) -> Vec<Port<'_>> {
    let port = |port: &Value| {
        let number = u16::try_from(view::number(port, "/port", -1)).ok()?;
        let (namespace, name) = (view::namespace(service).to_owned(), view::name(service).to_owned());
        let called = Some(view::text(port, "/name")).filter(|name| !name.is_empty());
        let called = called.map_or_else(|| number.to_string(), str::to_owned);
        Some(Port { service, target: Target { namespace, name, port: Some(number) }, number, name: called })
    };
    view::list(service, "/spec/ports").iter().filter_map(port).collect()
}

/// `podinfo_test_svc_80`: the value of the tag `kuma.io/service` for a port of a Service.
fn tag(service: &str, namespace: &str, port: u16) -> String {
    format!("{service}_{namespace}_svc_{port}")
}

/// The tag of the caller.
fn caller() -> String {
    tag(CALLER.0, CALLER.1, 80)
}
