//! What the caches keep of each kind that reconciles read, and by what they find it.

use serde_json::Value;
use vexil_kube::Listed;
use vexil_object::{Definitions, Kind, Projection, Whole, kinds, meta};
use vexil_workload::{
    ConfigProjection, DaemonSetProjection, DeploymentProjection, EndpointSliceProjection, RevisionProjection,
    ScalerProjection, ServiceProjection,
};

use crate::{Registry, Settings};

/// The projections of an operator with these routers and flags, for [`vexil_kube::Cluster::new`]. Kinds that are not
/// among them are kept complete.
pub fn projections(registry: &Registry, settings: &Settings) -> Vec<Box<dyn Projection>> {
    let mut projections: Vec<Box<dyn Projection>> = vec![
        Box::new(CanaryProjection),
        Box::new(IndexedDeployments { keys: settings.workloads.selector_keys().to_vec() }),
        Box::new(DaemonSetProjection),
        Box::new(EndpointSliceProjection),
        Box::new(ServiceProjection),
        Box::new(RevisionProjection),
        Box::new(ConfigProjection(kinds::CONFIG_MAP)),
        Box::new(ConfigProjection(kinds::SECRET)),
        Box::new(Definitions::of(registry.routers().flat_map(|router| router.forms()))),
    ];
    for scaler in settings.workloads.catalog.scalers() {
        projections.push(Box::new(ScalerProjection(scaler.kind())));
    }
    projections
}

/// The index of Canaries by the name of their target.
pub(crate) const BY_TARGET: &str = "target";
/// The index of Canaries by the name of their apex.
pub(crate) const BY_APEX: &str = "apex";

/// The index of Deployments by those labels of their pods that can tell primary and canary pods apart, as `key=value`.
const BY_POD_LABEL: &str = "pod-label";

/// The Deployments of a namespace whose pods have a label; its key is one of `-selector-labels`.
pub(crate) fn with_pod_label(namespace: &str, key: &str, value: &str) -> Listed {
    Listed {
        kind: kinds::DEPLOYMENT,
        namespace: namespace.to_owned(),
        index: BY_POD_LABEL,
        value: format!("{key}={value}"),
    }
}

/// Deployments, found by the labels of their pods.
struct IndexedDeployments {
    keys: Vec<String>,
}

impl Projection for IndexedDeployments {
    fn kind(&self) -> Kind {
        kinds::DEPLOYMENT
    }

    fn keep(&self, object: Value) -> Value {
        DeploymentProjection.keep(object)
    }

    fn index(&self, kept: &Value) -> Vec<(&'static str, String)> {
        let labels = kept.pointer("/spec/template/metadata/labels");
        let label = |key: &String| Some(format!("{key}={}", labels?.get(key)?.as_str()?));
        let labels = self.keys.iter().filter_map(label).map(|label| (BY_POD_LABEL, label));
        DeploymentProjection.index(kept).into_iter().chain(labels).collect()
    }
}

/// Keeps Canaries complete except for kubectl's copy of the spec.
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
