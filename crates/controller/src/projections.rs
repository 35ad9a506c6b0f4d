//! What the caches keep of each kind that reconciles look at.

use serde_json::Value;
use vexil_object::{Definitions, Kind, Projection, Whole, kinds, meta};
use vexil_workload::{
    DeploymentProjection, EndpointSliceProjection, SCALERS, ScalerProjection, ServiceProjection,
};

use crate::Registry;

/// The projections of an operator with these routers, for [`vexil_kube::Cluster::new`]. Kinds that are not among them
/// are kept whole.
pub fn projections(registry: &Registry) -> Vec<Box<dyn Projection>> {
    let mut projections: Vec<Box<dyn Projection>> = vec![
        Box::new(CanaryProjection),
        Box::new(DeploymentProjection),
        Box::new(EndpointSliceProjection),
        Box::new(ServiceProjection),
        Box::new(Definitions::of(registry.routers().flat_map(|router| router.forms()))),
    ];
    for scaler in SCALERS {
        projections.push(Box::new(ScalerProjection(scaler.kind())));
    }
    projections
}

/// The index of Canaries by the name of their target.
pub(crate) const BY_TARGET: &str = "target";
/// The index of Canaries by the name of their apex.
pub(crate) const BY_APEX: &str = "apex";

/// Keeps Canaries whole but for kubectl's copy of the spec, which tells nothing new.
struct CanaryProjection;

impl Projection for CanaryProjection {
    fn kind(&self) -> Kind {
        kinds::CANARY
    }

    fn keep(&self, object: Value) -> Value {
        let mut kept = Whole(kinds::CANARY).keep(object);
        if let Some(annotations) = kept.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        kept
    }

    fn index(&self, kept: &Value) -> Vec<(&'static str, String)> {
        let (target, named) =
            (meta::text(kept, "/spec/targetRef/name"), meta::text(kept, "/spec/service/name"));
        let apex = if named.is_empty() { target } else { named };
        vec![(BY_TARGET, target.to_owned()), (BY_APEX, apex.to_owned())]
    }
}
