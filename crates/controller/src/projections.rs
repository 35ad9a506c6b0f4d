//! What the caches keep of each kind that ticks look at.

use vexil_object::Projection;
use vexil_workload::{DeploymentProjection, EndpointSliceProjection, ServiceProjection};

/// The projections of an operator, for [`vexil_kube::Cluster::new`]. Kinds that are not among them are kept whole.
pub fn projections() -> Vec<Box<dyn Projection>> {
    vec![Box::new(DeploymentProjection), Box::new(EndpointSliceProjection), Box::new(ServiceProjection)]
}
