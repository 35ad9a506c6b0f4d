//! What the cache keeps of a DaemonSet.

use serde_json::Value;
use vexil_object::{Kind, Projection, kinds, meta};

use super::scale::{is_scaled_to_zero, mark, without_scale};
use crate::{DeploymentProjection, digests, projection::picked};

/// Keeps of a DaemonSet what [`DeploymentProjection`] keeps of a Deployment. Its digests are those of the pod template
/// without what scales it.
#[derive(Clone, Copy, Debug)]
pub struct DaemonSetProjection;

/// The counters that readiness reads.
const COUNTERS: [&str; 5] = [
    "observedGeneration",
    "desiredNumberScheduled",
    "updatedNumberScheduled",
    "numberAvailable",
    "currentNumberScheduled",
];

impl Projection for DaemonSetProjection {
    fn kind(&self) -> Kind {
        kinds::DAEMON_SET
    }

    fn keep(&self, mut object: Value) -> Value {
        if digests::is_reduced(&object) {
            return object;
        }
        let (at_zero, status) = (is_scaled_to_zero(&object), picked(object.get("status"), &COUNTERS));
        let strategy = object.pointer("/spec/updateStrategy/type").cloned();
        if let Some(template) = object.pointer_mut("/spec/template") {
            *template = without_scale(template.take());
        }
        let mut kept = DeploymentProjection.keep(object);
        meta::set(&mut kept, &["status"], status.into());
        if let Some(strategy) = strategy {
            meta::set(&mut kept, &["spec", "updateStrategy", "type"], strategy);
        }
        if at_zero {
            mark(&mut kept);
        }
        kept
    }
}
