//! Knative Serving with Kourier: the controller that makes Revisions, and Envoy with the shares that it applied.
//!
//! A Service answers at `podinfo.test.example.com`, as Knative's default domain has it, and inside the cluster at
//! `podinfo.test`. Series are those of Kourier's Envoy, whose clusters are named `test/podinfo-00001`.
//!
//! Not done: pods that are scaled to zero, the activator, tags with URLs of their own, gradual rollouts of the latest
//! Revision, the garbage collection of Revisions.

mod controller;

use std::sync::Arc;

use serde_json::Value;

use super::Gateway;
use super::envoy::config::{Config, Route, Service};
use super::envoy::{Envoy, Product};
use crate::controllers::{Op, Snapshot};
use crate::kinds::{DEPLOYMENT, Resource};
use crate::network::{Directory, Handler, Network};
use crate::view;

/// Its name on the cluster's network.
pub(crate) const NAME: &str = "kourier.kourier-system";

const SERVICE: Resource = Resource::new("serving.knative.dev", "v1", "services", "Service");
const REVISION: Resource = Resource::new("serving.knative.dev", "v1", "revisions", "Revision");

/// The product.
static KOURIER: Product = Product { kinds: &[SERVICE, REVISION, DEPLOYMENT], read, reports: |_| Vec::new() };

/// Both of them.
#[derive(Debug)]
pub(crate) struct Knative {
    envoy: Arc<Envoy>,
    network: Network,
}

impl Knative {
    /// A gateway that knows no Services yet.
    pub fn new(network: Network) -> Self {
        Knative { envoy: Arc::new(Envoy::new(&KOURIER, network.clone())), network }
    }

    /// What answers requests.
    pub fn handler(&self) -> Arc<dyn Handler> {
        Arc::clone(&self.envoy) as _
    }
}

impl Gateway for Knative {
    fn kinds(&self) -> Vec<Resource> {
        self.envoy.kinds()
    }

    fn follow(&self, seen: &Snapshot) {
        self.envoy.follow(seen);
        // Where Knative makes a Service that leads back to the gateway.
        for name in seen.all(SERVICE).map(inside).filter(|name| !self.network.is_attached(name)) {
            self.network.register(&name, self.handler());
        }
    }

    fn writes(&self, seen: &Snapshot) -> Vec<Op> {
        controller::plan(seen)
    }

    fn metrics(&self) -> String {
        self.envoy.metrics()
    }
}

/// The shares that the controller applies now. It reports them after that, as Knative does once its ingress has them.
fn read(seen: &Snapshot) -> Config {
    let directory = Directory::read(seen);
    let owned = seen.by_owner(REVISION);
    let routes = seen.all(SERVICE).flat_map(|service| {
        let namespace = view::namespace(service);
        let shares = controller::applied(service, &controller::in_order(owned.of(service))).traffic;
        let services: Vec<_> = shares.iter().map(|entry| share(&directory, namespace, entry)).collect();
        let route = |host| Route { host, conditions: Vec::new(), services: services.clone() };
        [route(format!("{}.example.com", inside(service))), route(inside(service))]
    });
    Config { routes: routes.collect(), is_in_order: true }
}

/// Its name for clients in the cluster.
fn inside(service: &Value) -> String {
    format!("{}.{}", view::name(service), view::namespace(service))
}

fn share(directory: &Directory, namespace: &str, entry: &Value) -> Service {
    let revision = view::text(entry, "/revisionName");
    let cluster = format!("{namespace}/{revision}");
    Service::new(directory, cluster, view::number(entry, "/percent", 0), (namespace, revision, 80))
}
