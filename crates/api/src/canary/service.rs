//! What the user writes under `spec.service`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use super::{CorsPolicy, Headers, HttpMatch, HttpMirror, Retries, Rewrite, TrafficPolicy};
use crate::number;

/// The generated Services and routes (`operator.md` 8.2). The comment of a field names the products that read it.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryService {
    /// The apex; the target's name when absent. See [`super::CanarySpec::apex_name`].
    pub name: Option<String>,
    /// Port of the Services.
    #[serde(deserialize_with = "number::int")]
    pub port: Option<i64>,
    /// Name of that port; `http` when absent.
    pub port_name: Option<String>,
    /// Container port, number or name; `port` when absent or 0.
    #[schemars(schema_with = "int_or_string")]
    pub target_port: Option<IntOrString>,
    /// Application protocol of the port.
    pub app_protocol: Option<String>,
    /// `PreferClose`, `PreferSameZone` or `PreferSameNode`.
    pub traffic_distribution: Option<String>,
    /// Add the container's other ports.
    pub port_discovery: Option<bool>,
    /// Make the Services headless.
    pub headless: Option<bool>,
    /// Timeout of a request.
    pub timeout: Option<String>,
    /// Timeout of one try (Gateway API).
    pub backend_timeout: Option<String>,
    /// Name of the mesh (App Mesh).
    pub mesh_name: Option<String>,
    /// Services that the workload calls (App Mesh).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<String>,
    /// Host names (Istio, Gateway API, Contour, …).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Gateways (Istio); the mesh itself when absent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<String>,
    /// Parents of the route (Gateway API).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateway_refs: Vec<GatewayRef>,
    /// Make a delegate VirtualService (Istio).
    pub delegation: Option<bool>,
    /// Which requests the route takes.
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub match_: Vec<HttpMatch>,
    /// How the request's path and host are rewritten.
    pub rewrite: Option<Rewrite>,
    /// How often a failed request is tried again.
    pub retries: Option<Retries>,
    /// Headers that are set, added and removed.
    pub headers: Option<Headers>,
    /// Static mirrors (Gateway API); unrelated to `analysis.mirror`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mirror: Vec<HttpMirror>,
    /// Cross-origin policy.
    pub cors_policy: Option<CorsPolicy>,
    /// DestinationRule settings (Istio).
    pub traffic_policy: Option<TrafficPolicy>,
    /// Metadata of the apex Service and the route.
    pub apex: Option<MetadataBlock>,
    /// Metadata of the primary Service.
    pub primary: Option<MetadataBlock>,
    /// Metadata of the canary Service.
    pub canary: Option<MetadataBlock>,
    /// Keys that are left alone on generated Services.
    pub unmanaged_metadata: Option<UnmanagedMetadata>,
}

/// The field's schema in Kubernetes' own words.
fn int_or_string(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "x-kubernetes-int-or-string": true })
}

impl CanaryService {
    /// Whether nothing is written under `service`.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Labels and annotations for a generated object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MetadataBlock {
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Keys of labels and annotations that somebody else manages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UnmanagedMetadata {
    /// Keys of labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Keys of annotations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<String>,
}

/// A parent of a Gateway API route.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayRef {
    /// `gateway.networking.k8s.io` when absent.
    pub group: Option<String>,
    /// `Gateway` when absent.
    pub kind: Option<String>,
    /// Its name.
    pub name: String,
    /// Its namespace; the Canary's when absent.
    pub namespace: Option<String>,
    /// The listener's name.
    pub section_name: Option<String>,
    /// The listener's port.
    #[serde(deserialize_with = "number::int")]
    pub port: Option<i64>,
}
