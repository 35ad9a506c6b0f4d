//! One Canary as routers, workloads and metric checks see it.

use std::collections::BTreeMap;

use vexil_object::Owner;

use super::{CanarySpec, ScalerRef};

/// One Canary as routers, workloads and metric checks see it: its names and its spec, under the binding that is in
/// force.
#[derive(Clone, Copy, Debug)]
pub struct CanaryView<'a> {
    /// Name and uid: the Canary as the owner of generated objects.
    pub owner: &'a Owner,
    /// Namespace of the Canary, of the target and of everything that is generated.
    pub namespace: &'a str,
    /// `spec.targetRef.name`.
    pub target: &'a str,
    /// The apex: `spec.service.name`, else the target's name.
    pub apex: &'a str,
    /// Annotations of the Canary itself; some name a mesh.
    pub annotations: &'a BTreeMap<String, String>,
    /// The user's spec.
    pub spec: &'a CanarySpec,
}

impl<'a> CanaryView<'a> {
    /// The Canary `owner` in `namespace` with this spec, without annotations.
    pub fn new(owner: &'a Owner, namespace: &'a str, spec: &'a CanarySpec) -> Self {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        CanaryView {
            owner,
            namespace,
            target: &spec.target_ref.name,
            apex: spec.apex_name(),
            annotations: &NONE,
            spec,
        }
    }

    /// The same with these annotations.
    #[must_use]
    pub fn with_annotations(self, annotations: &'a BTreeMap<String, String>) -> Self {
        CanaryView { annotations, ..self }
    }

    /// `metadata.name`.
    pub fn name(&self) -> &'a str {
        &self.owner.name
    }

    /// `spec.autoscalerRef`. Where it is set, the primary's replicas are its scaler's and are never written.
    pub fn scaler(&self) -> Option<&'a ScalerRef> {
        self.spec.autoscaler_ref.as_ref()
    }
}
