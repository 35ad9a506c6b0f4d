//! The MetricTemplate resource: a query and the metrics provider that answers it.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

/// Desired state of a MetricTemplate: a query and the metrics provider that answers it.
#[skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flagger.app",
    version = "v1beta1",
    kind = "MetricTemplate",
    namespaced,
    status = "MetricTemplateStatus",
    schema = "disabled",
    derive = "PartialEq",
    doc = "A query template for metric checks, and the metrics provider that answers it."
)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricTemplateSpec {
    /// Metrics provider that answers the query.
    pub provider: MetricProviderSpec,
    /// Query, as a text template. It may use the functions `name`, `namespace`, `target`, `service`,
    /// `ingress`, `route`, `interval` and `variables`, for example `{{ target }}`.
    pub query: String,
}

/// Metrics provider.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricProviderSpec {
    /// Type of the provider, for example `prometheus` or `datadog`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Base URL of the provider's API.
    pub address: Option<String>,
    /// Headers to send with each request (Prometheus).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Vec<String>>,
    /// Secret with the credentials, in the namespace of the template.
    pub secret_ref: Option<SecretRef>,
    /// Region of the provider (CloudWatch).
    pub region: Option<String>,
    /// Skip the verification of the server's certificate. Defaults to false.
    pub insecure_skip_verify: Option<bool>,
}

/// Reference to a Secret in the namespace of the referring object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SecretRef {
    /// Name of the referent.
    pub name: String,
}

/// Observed state of a MetricTemplate or an AlertProvider. The operator does not write it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricTemplateStatus {
    /// Conditions of the object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<crate::Condition>,
}
