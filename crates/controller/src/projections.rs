//! What the caches keep of each kind that ticks look at.

use vexil_object::{Definitions, Projection, Wanted};
use vexil_workload::{DeploymentProjection, EndpointSliceProjection, SCALERS, ServiceProjection};

use crate::Registry;

/// The projections of an operator with these routers, for [`vexil_kube::Cluster::new`]. Kinds that are not among them
/// are kept whole.
pub fn projections(registry: &Registry) -> Vec<Box<dyn Projection>> {
    let mut projections: Vec<Box<dyn Projection>> =
        vec![Box::new(DeploymentProjection), Box::new(EndpointSliceProjection), Box::new(ServiceProjection)];
    projections.push(Box::new(Definitions::of(registry.routers().flat_map(|router| router.forms()))));
    for scaler in SCALERS {
        projections.push(Box::new(Wanted(scaler.kind())));
    }
    projections
}
