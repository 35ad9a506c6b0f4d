//! Istio as the readers of the SMI guide meet it: the adapter turns each TrafficSplit into a VirtualService, which the
//! sidecars or the ingress gateway follow.
//!
//! As the adapter does it (`servicemeshinterface/smi-adapter-istio`, controller `trafficsplit`): one host,
//! `spec.service`; the gateways that the annotation lists, and without it the sidecars only; one route whose weights
//! are percentages of the sum, rounded down, the last one taking what is left. As Istio reads it: with gateways listed
//! the sidecars do not follow it unless `mesh` is among them; a host without a dot is a Service of the same namespace;
//! a route of no weight at all is refused, which here means that there is none. The gateway answers 404 for a host that
//! no VirtualService has, a sidecar sends what no VirtualService is about to the Service itself. Not done:
//! VirtualServices and DestinationRules of users, `matches` of v1alpha3, TLS servers, other versions than those that
//! are served.

mod split;

use std::sync::Arc;

use http::StatusCode;

use self::split::Virtual;
pub(super) use self::split::thousandths;
use super::Gateway;
use super::istio::{GATEWAY, series, start_with};
use super::mesh::{Asked, Entrance, Meters, Product, Report, To};
use crate::controllers::Snapshot;
use crate::kinds::Resource;
use crate::network::Network;

/// The same objects in each version; the first one that is served is read.
pub(super) const TRAFFIC_SPLITS: [Resource; 3] = [
    Resource::new("split.smi-spec.io", "v1alpha1", "trafficsplits", "TrafficSplit"),
    Resource::new("split.smi-spec.io", "v1alpha2", "trafficsplits", "TrafficSplit"),
    Resource::new("split.smi-spec.io", "v1alpha3", "trafficsplits", "TrafficSplit"),
];

/// Starts the sidecars and the ingress gateway.
pub(crate) fn start(network: &Network) -> Arc<dyn Gateway> {
    start_with::<Istio>(network)
}

/// The product.
#[derive(Debug)]
struct Istio;

/// The VirtualServices that the adapter makes, by namespace and name.
#[derive(Debug, Default, PartialEq)]
struct Routes(Vec<Virtual>);

impl Product for Istio {
    const KINDS: &'static [Resource] = &[TRAFFIC_SPLITS[0], TRAFFIC_SPLITS[1], TRAFFIC_SPLITS[2], GATEWAY];

    type Routes = Routes;

    fn read(seen: &Snapshot) -> Routes {
        let served = TRAFFIC_SPLITS.into_iter().find(|version| seen.all(*version).next().is_some());
        let splits = served.into_iter().flat_map(|version| seen.all(version));
        Routes(splits.filter_map(|split| Virtual::read(split, seen)).collect())
    }

    fn route<'r>(routes: &'r Routes, asked: &Asked<'_>) -> To<'r> {
        let found = routes.0.iter().find(|virtual_service| virtual_service.takes(asked));
        match (found, asked.entrance) {
            (Some(found), _) => To::Split(&found.split),
            (None, Entrance::Sidecar) => To::Asked,
            (None, Entrance::Gateway) => To::Nowhere(StatusCode::NOT_FOUND, ""),
        }
    }

    fn meters() -> Meters {
        series::meters()
    }

    fn record(meters: &mut Meters, report: &Report<'_>) {
        series::record(meters, report);
    }
}
