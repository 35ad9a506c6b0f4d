//! Linkerd as its users meet it: TrafficSplits, which its SMI extension brings to it, at every proxy of the mesh.
//!
//! As the extension does it: a split is about the Service that `spec.service` names in its namespace, and about
//! requests to that Service alone. Backends without weight get nothing; a split without any weight is as if it were not
//! there. All pods have a proxy. Not done: ServiceProfiles of users, HTTPRoutes, `matches` of v1alpha3, retries, fast
//! failure.

mod series;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::Gateway;
use super::mesh::{Asked, Meters, Product, Report, Sidecars, Split, Target, To};
use super::smi::{TRAFFIC_SPLITS, thousandths};
use crate::controllers::Snapshot;
use crate::kinds::Resource;
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

/// The splits, by namespace and name of the Service that they are about.
#[derive(Debug, Default, PartialEq)]
struct Routes(BTreeMap<(String, String), Split>);

impl Product for Linkerd {
    const KINDS: &'static [Resource] = &TRAFFIC_SPLITS;

    type Routes = Routes;

    fn read(seen: &Snapshot) -> Routes {
        let served = TRAFFIC_SPLITS.into_iter().find(|version| seen.all(*version).next().is_some());
        let splits = served.into_iter().flat_map(|version| seen.all(version));
        let read = splits.map(|object| {
            let of = (view::namespace(object).to_owned(), view::text(object, "/spec/service").to_owned());
            (of, split(object))
        });
        Routes(read.filter(|(_, split)| !split.is_empty()).collect())
    }

    fn route<'r>(routes: &'r Routes, asked: &Asked<'_>) -> To<'r> {
        let of = asked.service.map(|service| (service.namespace.clone(), service.name.clone()));
        of.and_then(|of| routes.0.get(&of)).map_or(To::Asked, To::Split)
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
