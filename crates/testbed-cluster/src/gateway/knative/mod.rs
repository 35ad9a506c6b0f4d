//! Knative Serving with Kourier: the controller that makes Revisions, and Envoy with the shares that it applied.
//!
//! A Service answers at `podinfo.test.example.com`, as Knative's default domain has it. Series are those of Kourier's
//! Envoy, whose clusters are named `test/podinfo-00001`.
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
pub(crate) struct Knative(Arc<Envoy>);

impl Knative {
    /// A gateway that knows no Services yet.
    pub fn new(network: Network) -> Self {
        Knative(Arc::new(Envoy::new(&KOURIER, network)))
    }

    /// What answers requests.
    pub fn handler(&self) -> Arc<dyn Handler> {
        Arc::clone(&self.0) as _
    }
}

impl Gateway for Knative {
    fn kinds(&self) -> Vec<Resource> {
        self.0.kinds()
    }

    fn follow(&self, seen: &Snapshot) {
        self.0.follow(seen);
    }

    fn writes(&self, seen: &Snapshot) -> Vec<Op> {
        controller::plan(seen)
    }

    fn metrics(&self) -> String {
        self.0.metrics()
    }
}

/// The shares that the controller has applied.
fn read(seen: &Snapshot) -> Config {
    let directory = Directory::read(seen);
    let routes = seen.all(SERVICE).map(|service| {
        let (namespace, name) = (view::namespace(service), view::name(service));
        let shares = view::list(service, "/status/traffic").iter();
        let services = shares.map(|entry| share(&directory, namespace, entry)).collect();
        Route { host: format!("{name}.{namespace}.example.com"), conditions: Vec::new(), services }
    });
    Config { routes: routes.collect(), is_in_order: true }
}

fn share(directory: &Directory, namespace: &str, entry: &Value) -> Service {
    let revision = view::text(entry, "/revisionName");
    let cluster = format!("{namespace}/{revision}");
    Service::new(directory, cluster, view::number(entry, "/percent", 0), (namespace, revision, 80))
}
