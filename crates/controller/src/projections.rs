//! What the caches keep of each kind that ticks look at.

use vexil_object::{Projection, Wanted};
use vexil_workload::{DeploymentProjection, EndpointSliceProjection, SCALERS, ServiceProjection};

/// The projections of an operator, for [`vexil_kube::Cluster::new`]. Kinds that are not among them are kept whole.
pub fn projections() -> Vec<Box<dyn Projection>> {
    let mut projections: Vec<Box<dyn Projection>> =
        vec![Box::new(DeploymentProjection), Box::new(EndpointSliceProjection), Box::new(ServiceProjection)];
    for scaler in SCALERS {
        projections.push(Box::new(Wanted(scaler.kind())));
    }
    projections
}
