//! Linkerd as its users meet it: HTTPRoutes and GRPCRoutes whose parent is a Service, and TrafficSplits, which its SMI
//! extension brings to it, at every proxy of the mesh.
//!
//! As the extension does it: a split is about the Service that `spec.service` names in its namespace, and about
//! requests to that Service alone. Backends without weight get nothing; a split without any weight is as if it were not
//! there. It becomes a ServiceProfile, so routes for the same Service do not count beside it. All pods have a proxy.
//! Not done: ServiceProfiles of users, `matches` of v1alpha3, retries, fast failure.

mod routes;
mod series;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use self::routes::OfServices;
use super::Gateway;
use super::gateway_api::reports::Reporter;
use super::gateway_api::{GRPC_ROUTE, HTTP_ROUTE};
use super::mesh::{Asked, Meters, Product, Report, Sidecars, Split, Target, To};
use super::smi::{TRAFFIC_SPLITS, thousandths};
use crate::controllers::{Snapshot, Target as Reported};
use crate::kinds::{Resource, SERVICE};
use crate::network::Network;
use crate::view;

/// Starts the proxies.
pub(crate) fn start(network: &Network) -> Arc<dyn Gateway> {
    let proxies = Arc::new(Sidecars::<Linkerd>::new(network.clone()));
    network.carried_by(Arc::clone(&proxies) as _);
    proxies
}

/// The product.
#[derive(Debug)]
struct Linkerd;

/// What the proxies follow.
#[derive(Debug, Default, PartialEq)]
struct Routes {
    /// The splits, by namespace and name of the Service that they are about.
    splits: BTreeMap<(String, String), Split>,
    /// The routes of the Gateway API.
    routes: OfServices,
}

const REPORTER: Reporter = Reporter { controller: "linkerd.io/policy-controller", parents: SERVICE };

impl Product for Linkerd {
    const KINDS: &'static [Resource] =
        &[TRAFFIC_SPLITS[0], TRAFFIC_SPLITS[1], TRAFFIC_SPLITS[2], HTTP_ROUTE, GRPC_ROUTE];

    type Routes = Routes;

    fn read(seen: &Snapshot) -> Routes {
        let served = TRAFFIC_SPLITS.into_iter().find(|version| seen.all(*version).next().is_some());
        let splits = served.into_iter().flat_map(|version| seen.all(version));
        let read = splits.map(|object| {
            let of = (view::namespace(object).to_owned(), view::text(object, "/spec/service").to_owned());
            (of, split(object))
        });
        Routes {
            splits: read.filter(|(_, split)| !split.is_empty()).collect(),
            routes: OfServices::read(seen),
        }
    }

    fn route<'r>(routes: &'r Routes, asked: &Asked<'_>) -> To<'r> {
        let Some(service) = asked.service else { return To::Asked };
        let split = routes.splits.get(&(service.namespace.clone(), service.name.clone()));
        split.map_or_else(|| routes.routes.route(service, asked.request), To::Split)
    }

    fn reports(seen: &Snapshot) -> Vec<(Reported, Value)> {
        REPORTER.reports(seen)
    }

    fn meters() -> Meters {
        series::meters()
    }

    fn record(meters: &mut Meters, report: &Report<'_>) {
        series::record(meters, report);
    }
}

/// The backends with their weights, in thousandths.
fn split(object: &Value) -> Split {
    let target = |backend: &Value| Target {
        namespace: view::namespace(object).to_owned(),
        name: view::text(backend, "/service").to_owned(),
        port: None,
    };
    let backends = view::list(object, "/spec/backends").iter();
    let weighted =
        backends.map(|backend| (thousandths(backend.get("weight").unwrap_or(&Value::Null)), target(backend)));
    weighted.filter(|(weight, _)| *weight > 0).collect()
}
