//! Istio: the VirtualServices that sidecars and the ingress gateway follow.
//!
//! As Istio reads them: the first route whose conditions are met is taken, and one without conditions by all; with
//! gateways listed the sidecars do not follow a VirtualService unless `mesh` is among them; a host without a dot is a
//! Service of the same namespace; the routes of a delegate are those of the VirtualService that names it, under the
//! conditions of both. The gateway answers 404 for a host that no VirtualService has, and both for a request that meets
//! no condition; a sidecar sends what no VirtualService is about to the Service itself. Not done: DestinationRules,
//! rewrites, retries, timeouts, faults, redirects, CORS, TLS servers, splitting TCP.

mod condition;
mod host;
mod ingress;
pub(crate) mod series;
mod virtual_service;

use std::sync::Arc;

use http::StatusCode;

pub(crate) use self::host::{Host, MESH, fits, open_for};
use self::virtual_service::Virtual;
use super::Gateway;
use super::mesh::{Asked, Entrance, Meters, Product, Report, Sidecars, To};
use crate::controllers::Snapshot;
use crate::kinds::Resource;
use crate::network::Network;
use crate::system::DOMAIN;

/// Name of the gateway for requests from outside on the cluster's network.
pub(crate) const INGRESS: &str = "istio-ingressgateway.istio-system";

const VIRTUAL_SERVICE: Resource =
    Resource::new("networking.istio.io", "v1beta1", "virtualservices", "VirtualService");
/// What opens the ingress gateway for hosts.
pub(crate) const GATEWAY: Resource = Resource::new("networking.istio.io", "v1alpha3", "gateways", "Gateway");

/// Starts the sidecars and the ingress gateway.
pub(crate) fn start(network: &Network) -> Arc<dyn Gateway> {
    start_with::<Istio>(network)
}

/// The same, with the routes of some product on Istio.
pub(crate) fn start_with<P: Product>(network: &Network) -> Arc<dyn Gateway> {
    let sidecars = Arc::new(Sidecars::<P>::new(network.clone()));
    network.carried_by(Arc::clone(&sidecars) as _);
    for name in [INGRESS, DOMAIN] {
        network.register(name, Arc::new(ingress::Ingress(Arc::clone(&sidecars))));
    }
    sidecars
}

/// The product.
#[derive(Debug)]
struct Istio;

/// The VirtualServices, the older ones first, as Istio prefers them.
#[derive(Debug, Default, PartialEq)]
struct Routes(Vec<Virtual>);

impl Product for Istio {
    const KINDS: &'static [Resource] = &[VIRTUAL_SERVICE, GATEWAY];

    type Routes = Routes;

    fn read(seen: &Snapshot) -> Routes {
        Routes(seen.all(VIRTUAL_SERVICE).filter_map(|object| Virtual::read(object, seen)).collect())
    }

    fn route<'r>(routes: &'r Routes, asked: &Asked<'_>) -> To<'r> {
        let found = routes.0.iter().find(|virtual_service| virtual_service.takes(asked));
        match (found.map(|found| found.rule(asked)), asked.entrance) {
            (Some(Some(rule)), _) => To::Rule(rule),
            (None, Entrance::Sidecar) => To::Asked,
            (Some(None), _) | (None, Entrance::Gateway) => To::Nowhere(StatusCode::NOT_FOUND, ""),
        }
    }

    fn meters() -> Meters {
        series::meters()
    }

    fn record(meters: &mut Meters, report: &Report<'_>) {
        series::record(meters, report);
    }
}
