//! The Canary's `spec.service`: generated Services and routes.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use super::{CorsPolicy, Headers, HttpMatch, HttpMirror, Retries, Rewrite, TrafficPolicy};
use crate::number;

/// Services and routes to generate for the target. Fields that only some products support name them.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryService {
    /// Name of the apex Service, which clients call. Defaults to the name of the target. See
    /// [`super::CanarySpec::apex_name`].
    pub name: Option<String>,
    /// Port of the generated Services.
    #[serde(deserialize_with = "number::int")]
    pub port: Option<i64>,
    /// Name of the port. Defaults to `http`.
    pub port_name: Option<String>,
    /// Container port, as a number or a name. Defaults to the value of `port`.
    #[schemars(schema_with = "int_or_string")]
    pub target_port: Option<IntOrString>,
    /// Application protocol of the port, for example `http` or `grpc`.
    pub app_protocol: Option<String>,
    /// Traffic distribution of the generated Services: `PreferClose`, `PreferSameZone` or `PreferSameNode`.
    pub traffic_distribution: Option<String>,
    /// Add the other container ports of the target to the generated Services. Defaults to false.
    pub port_discovery: Option<bool>,
    /// Create the Services without a cluster IP. Defaults to false.
    pub headless: Option<bool>,
    /// Timeout of a request, for example `15s`.
    pub timeout: Option<String>,
    /// Timeout of a single request from the gateway to a backend (Gateway API).
    pub backend_timeout: Option<String>,
    /// Name of the mesh (App Mesh).
    pub mesh_name: Option<String>,
    /// Services that the workload calls (App Mesh).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<String>,
    /// Host names of the route. Defaults to the name of the apex Service (Istio, Gateway API, Contour and
    /// others).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Gateways that the route is attached to. Defaults to the mesh (Istio).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<String>,
    /// Parents of the route (Gateway API).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateway_refs: Vec<GatewayRef>,
    /// Create a delegate VirtualService, without hosts and gateways (Istio). Defaults to false.
    pub delegation: Option<bool>,
    /// Conditions of the requests that the route takes. Defaults to all requests.
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub match_: Vec<HttpMatch>,
    /// Rewrite of the path and host of requests.
    pub rewrite: Option<Rewrite>,
    /// Retry policy of requests.
    pub retries: Option<Retries>,
    /// Header operations on requests and responses.
    pub headers: Option<Headers>,
    /// Backends that receive copies of all requests, permanently (Gateway API). Unrelated to
    /// `analysis.mirror`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mirror: Vec<HttpMirror>,
    /// Cross-Origin Resource Sharing policy.
    pub cors_policy: Option<CorsPolicy>,
    /// Traffic policy of the generated DestinationRules (Istio).
    pub traffic_policy: Option<TrafficPolicy>,
    /// Labels and annotations of the apex Service and the route.
    pub apex: Option<MetadataBlock>,
    /// Labels and annotations of the primary Service.
    pub primary: Option<MetadataBlock>,
    /// Labels and annotations of the canary Service.
    pub canary: Option<MetadataBlock>,
    /// Keys of labels and annotations that the operator leaves alone on the generated Services.
    pub unmanaged_metadata: Option<UnmanagedMetadata>,
}

/// The schema of an integer or a string, with Kubernetes' extension.
pub(super) fn int_or_string(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "x-kubernetes-int-or-string": true })
}

impl CanaryService {
    /// Whether no field of `service` is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Labels and annotations of a generated object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MetadataBlock {
    /// Labels to set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations to set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Keys of labels and annotations that are managed by others.
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

/// Reference to a parent of a Gateway API route.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayRef {
    /// API group of the referent. Defaults to `gateway.networking.k8s.io`.
    pub group: Option<String>,
    /// Kind of the referent. Defaults to `Gateway`.
    pub kind: Option<String>,
    /// Name of the referent.
    pub name: String,
    /// Namespace of the referent. Defaults to the namespace of the Canary.
    pub namespace: Option<String>,
    /// Name of the listener.
    pub section_name: Option<String>,
    /// Port of the listener.
    #[serde(deserialize_with = "number::int")]
    pub port: Option<i64>,
}
