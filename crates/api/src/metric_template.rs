//! The MetricTemplate: a named query, and where to ask it.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

/// The spec of a MetricTemplate (`operator.md` section 9).
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
    doc = "A named query, and where to ask it."
)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricTemplateSpec {
    /// Where to ask.
    pub provider: MetricProviderSpec,
    /// The query, a text template (`metrics.md` 3.3).
    pub query: String,
}

/// Where to ask a metric query.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricProviderSpec {
    /// `prometheus`, `datadog`, ….
    #[serde(rename = "type")]
    pub type_: String,
    /// Base address of the API.
    pub address: Option<String>,
    /// Headers sent with each request (Prometheus).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Vec<String>>,
    /// The secret with the credentials, in the template's namespace.
    pub secret_ref: Option<SecretRef>,
    /// Region (CloudWatch).
    pub region: Option<String>,
    /// Accept any certificate.
    pub insecure_skip_verify: Option<bool>,
}

/// A secret in the namespace of the object that names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SecretRef {
    /// Its name.
    pub name: String,
}

/// The status of a MetricTemplate or an AlertProvider. Nobody writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricTemplateStatus {
    /// Conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<crate::Condition>,
}
