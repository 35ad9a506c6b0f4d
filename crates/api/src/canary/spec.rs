//! The Canary's `spec`.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use super::{Analysis, CanaryService, CanaryStatus};
use crate::number;

/// Desired state of a Canary: the workload to roll out, the traffic it receives, and the analysis of each new
/// revision.
#[skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flagger.app",
    version = "v1beta1",
    kind = "Canary",
    plural = "canaries",
    namespaced,
    status = "CanaryStatus",
    schema = "disabled",
    derive = "PartialEq",
    doc = "Rolls out new revisions of a workload step by step, analyses each, and promotes it or rolls it back."
)]
#[serde(rename_all = "camelCase", default)]
pub struct CanarySpec {
    /// Mesh or ingress that splits the traffic, for example `istio`, `kuma`, `traefik` or `kubernetes`.
    /// Defaults to the operator's `-mesh-provider` flag.
    pub provider: Option<String>,
    /// Address of the Prometheus server that answers built-in and inline queries. Defaults to the operator's
    /// `-metrics-server` flag.
    pub metrics_server: Option<String>,
    /// Maximum time in seconds for a workload to become ready before the rollout is considered failed.
    /// Defaults to 600.
    #[serde(deserialize_with = "number::int")]
    pub progress_deadline_seconds: Option<i64>,
    /// Workload to roll out.
    pub target_ref: TargetRef,
    /// Autoscaler of the target. It is copied for the primary.
    pub autoscaler_ref: Option<ScalerRef>,
    /// Ingress to copy for the canary (NGINX, Skipper).
    pub ingress_ref: Option<IngressRef>,
    /// Route whose rule is copied for the canary (APISIX).
    pub route_ref: Option<RouteRef>,
    /// Upstream whose settings are copied for primary and canary (Gloo).
    pub upstream_ref: Option<UpstreamRef>,
    /// Services and routes to generate for the target.
    #[serde(skip_serializing_if = "CanaryService::is_empty")]
    pub service: CanaryService,
    /// Analysis of a new revision: how its traffic grows, and which checks and webhooks decide whether it is
    /// promoted. Requires `interval`, `threshold` and exactly one of `iterations`, `stepWeight` and
    /// `stepWeights`. See [`CanarySpec::analysis`].
    pub analysis: Option<Analysis>,
    /// Deprecated: use `analysis`. Name of that field in `v1alpha3`; ignored if `analysis` is set.
    pub canary_analysis: Option<Analysis>,
    /// Promote new revisions without analysis. Defaults to false.
    pub skip_analysis: Option<bool>,
    /// Scale the target to its original replicas and route traffic to it before the Canary is deleted.
    /// Defaults to false.
    pub revert_on_deletion: Option<bool>,
    /// Suspend the Canary: no rollout is started or continued until it is false again. Defaults to false.
    pub suspend: Option<bool>,
}

/// Reference to an object in the namespace of the Canary.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TargetRef {
    /// API version of the referent.
    pub api_version: Option<String>,
    /// Kind of the referent.
    pub kind: String,
    /// Name of the referent.
    pub name: String,
}

/// The `apiVersion` of a Knative Service.
const KNATIVE: &str = "serving.knative.dev/v1";

impl TargetRef {
    /// The kind of a Knative Service with its group, in [`TargetRef::bound_kind`].
    pub const KNATIVE_SERVICE: &'static str = "Service.serving.knative.dev";

    /// Whether it is a Knative Service. Of no other kind of target the `apiVersion` decides anything.
    pub fn is_knative(&self) -> bool {
        self.kind == "Service" && self.api_version.as_deref() == Some(KNATIVE)
    }

    /// The kind, with its group where another kind of target has the same name.
    pub fn bound_kind(&self) -> &str {
        if self.is_knative() { Self::KNATIVE_SERVICE } else { &self.kind }
    }

    /// Refers to another kind, as [`TargetRef::bound_kind`] has it.
    pub fn set_bound_kind(&mut self, kind: &str) {
        if kind == Self::KNATIVE_SERVICE {
            self.api_version = Some(KNATIVE.to_owned());
            "Service".clone_into(&mut self.kind);
            return;
        }
        if self.is_knative() {
            self.api_version = None;
        }
        kind.clone_into(&mut self.kind);
    }
}

/// The Ingress that is copied.
pub type IngressRef = TargetRef;

/// The route that is copied.
pub type RouteRef = TargetRef;

/// Reference to the autoscaler of the target, and the settings that differ in the copy for the primary.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ScalerRef {
    /// API version of the referent, `autoscaling/v2` or `keda.sh/v1alpha1`.
    pub api_version: Option<String>,
    /// Kind of the referent, `HorizontalPodAutoscaler` or `ScaledObject`.
    pub kind: String,
    /// Name of the referent.
    pub name: String,
    /// Queries of the primary's ScaledObject, by trigger name. If unset, they are derived from the queries of
    /// the target (KEDA).
    // An empty map differs from an absent one: no query is then derived from the target's.
    pub primary_scaler_queries: Option<BTreeMap<String, String>>,
    /// Replica bounds of the primary's autoscaler. Each defaults to the bound of the target's.
    pub primary_scaler_replicas: Option<PrimaryScalerReplicas>,
}

/// Replica bounds of the primary's autoscaler.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PrimaryScalerReplicas {
    /// Lower replica bound.
    #[serde(deserialize_with = "number::int")]
    pub min_replicas: Option<i64>,
    /// Upper replica bound.
    #[serde(deserialize_with = "number::int")]
    pub max_replicas: Option<i64>,
}

/// Reference to a Gloo Upstream.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UpstreamRef {
    /// API version of the referent, `gloo.solo.io/v1`.
    pub api_version: Option<String>,
    /// Kind of the referent, `Upstream`.
    pub kind: String,
    /// Name of the referent.
    pub name: String,
    /// Namespace of the referent. Defaults to the namespace of the Canary.
    pub namespace: Option<String>,
}
