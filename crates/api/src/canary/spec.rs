//! What the user writes under `spec`.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use super::{Analysis, CanaryService, CanaryStatus};
use crate::number;

/// The spec of a Canary (`operator.md` 8.1).
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
    doc = "What shall be rolled out, how it is judged, and what the operator remembers of it."
)]
#[serde(rename_all = "camelCase", default)]
pub struct CanarySpec {
    /// The mesh or ingress; the operator's flag when absent.
    pub provider: Option<String>,
    /// The Prometheus that answers built-in and inline queries; the operator's flag when absent.
    pub metrics_server: Option<String>,
    /// Seconds a workload may take to become ready; 600 when absent.
    #[serde(deserialize_with = "number::int")]
    pub progress_deadline_seconds: Option<i64>,
    /// The workload that is rolled out.
    pub target_ref: TargetRef,
    /// Its scaler.
    pub autoscaler_ref: Option<ScalerRef>,
    /// The Ingress to copy (NGINX, Skipper).
    pub ingress_ref: Option<IngressRef>,
    /// The route to copy (APISIX).
    pub route_ref: Option<RouteRef>,
    /// The upstream whose settings are copied (Gloo).
    pub upstream_ref: Option<UpstreamRef>,
    /// The generated Services and routes.
    #[serde(skip_serializing_if = "CanaryService::is_empty")]
    pub service: CanaryService,
    /// How a new revision is judged. See [`CanarySpec::analysis`].
    pub analysis: Option<Analysis>,
    /// The old name of `analysis` (`v1alpha3`); counts only when that is absent.
    pub canary_analysis: Option<Analysis>,
    /// Promote without analysis.
    pub skip_analysis: Option<bool>,
    /// Give the target back its replicas when the Canary is deleted.
    pub revert_on_deletion: Option<bool>,
    /// Do nothing.
    pub suspend: Option<bool>,
}

/// An object in the Canary's namespace.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TargetRef {
    /// `apps/v1`.
    pub api_version: Option<String>,
    /// `Deployment`, `DaemonSet` or `Service`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// The Ingress that is copied.
pub type IngressRef = TargetRef;

/// The route that is copied.
pub type RouteRef = TargetRef;

/// The scaler of the target.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ScalerRef {
    /// `autoscaling/v2` or `keda.sh/v1alpha1`.
    pub api_version: Option<String>,
    /// `HorizontalPodAutoscaler` or `ScaledObject`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// KEDA: name of the trigger, and the query that the primary's copy gets.
    // An empty map is not the same as none: it says that no query is to be derived from the target's.
    pub primary_scaler_queries: Option<BTreeMap<String, String>>,
    /// Bounds that differ for the primary's copy.
    pub primary_scaler_replicas: Option<PrimaryScalerReplicas>,
}

/// Bounds of the primary's scaler.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PrimaryScalerReplicas {
    /// At least so many pods.
    #[serde(deserialize_with = "number::int")]
    pub min_replicas: Option<i64>,
    /// At most so many pods.
    #[serde(deserialize_with = "number::int")]
    pub max_replicas: Option<i64>,
}

/// The Gloo upstream whose settings are copied.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UpstreamRef {
    /// `gloo.solo.io/v1`.
    pub api_version: Option<String>,
    /// `Upstream`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace; the Canary's when absent.
    pub namespace: Option<String>,
}
