//! What the user writes under `spec.analysis`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use super::{HttpMatch, Webhook};
use crate::number;

/// How a new revision is judged and how its traffic grows (`operator.md` 8.3). What an absent field means is told by
/// the accessor of the same name.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Analysis {
    /// Time between two steps.
    pub interval: Option<String>,
    /// Failed checks before the rollback.
    #[serde(deserialize_with = "number::int")]
    pub threshold: Option<i64>,
    /// Number of checks (A/B testing, Blue/Green).
    #[serde(deserialize_with = "number::int")]
    pub iterations: Option<i64>,
    /// Highest canary weight, in percent.
    #[serde(deserialize_with = "number::int")]
    pub max_weight: Option<i64>,
    /// Weight added by each step, in percent.
    #[serde(deserialize_with = "number::int")]
    pub step_weight: Option<i64>,
    /// Weight moved back by each step of the promotion, in percent.
    #[serde(deserialize_with = "number::int")]
    pub step_weight_promotion: Option<i64>,
    /// The weights, one per step, in percent.
    #[serde(deserialize_with = "number::ints", skip_serializing_if = "Vec::is_empty")]
    pub step_weights: Vec<i64>,
    /// Copy requests to the canary before it gets real ones.
    pub mirror: Option<bool>,
    /// Share of the requests that is copied, in percent; 0 is all (Istio).
    #[serde(deserialize_with = "number::int")]
    pub mirror_weight: Option<i64>,
    /// Share of the primary's pods that must be ready, in percent.
    #[serde(deserialize_with = "number::int")]
    pub primary_ready_threshold: Option<i64>,
    /// Share of the canary's pods that must be ready, in percent.
    #[serde(deserialize_with = "number::int")]
    pub canary_ready_threshold: Option<i64>,
    /// Which requests go to the canary (A/B testing).
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub match_: Vec<HttpMatch>,
    /// The metric checks, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// Where alerts go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// The webhooks, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
    /// Keep a client on the side it first met.
    pub session_affinity: Option<SessionAffinity>,
}

/// One metric check.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Metric {
    /// Its name in events; also selects a built-in query.
    pub name: String,
    /// The window of the query.
    pub interval: Option<String>,
    /// The old form of `thresholdRange` (`metrics.md` section 1).
    #[serde(serialize_with = "number::float")]
    pub threshold: Option<f64>,
    /// The bounds of the value.
    pub threshold_range: Option<ThresholdRange>,
    /// A query in place (deprecated).
    pub query: Option<String>,
    /// A MetricTemplate.
    pub template_ref: Option<TemplateRef>,
    /// Variables of the template.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub template_variables: BTreeMap<String, String>,
}

/// The bounds of a value, both inclusive.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ThresholdRange {
    /// The least good value.
    #[serde(serialize_with = "number::float")]
    pub min: Option<f64>,
    /// The highest good value.
    #[serde(serialize_with = "number::float")]
    pub max: Option<f64>,
}

/// An object of ours, by name and perhaps namespace.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateRef {
    /// Its name.
    pub name: String,
    /// Its namespace; the Canary's when absent.
    pub namespace: Option<String>,
}

impl TemplateRef {
    /// The namespace it names, else `own`.
    pub fn namespace_or<'a>(&'a self, own: &'a str) -> &'a str {
        self.namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or(own)
    }
}

/// Where alerts go.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Alert {
    /// A name for the reader.
    pub name: String,
    /// The least severity that is sent, as written. Read it through [`Alert::severity`].
    #[schemars(with = "String")]
    pub severity: Option<AlertSeverity>,
    /// The AlertProvider.
    pub provider_ref: TemplateRef,
}

/// How bad an alert is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertSeverity {
    /// For information.
    #[default]
    Info,
    /// Somebody should look.
    Warn,
    /// A rollout failed.
    Error,
    /// A text that is none of these, as written. Empty means `info`, all others are defects.
    #[serde(untagged)]
    Other(String),
}

/// Keep a client on the side it first met.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionAffinity {
    /// Name of the canary's cookie.
    pub cookie_name: String,
    /// Name of the primary's cookie.
    pub primary_cookie_name: Option<String>,
    /// Seconds the canary's cookie lives; 86400 when absent or 0.
    #[serde(deserialize_with = "number::int")]
    pub max_age: Option<i64>,
    /// Attribute `Domain`.
    pub domain: Option<String>,
    /// Attribute `Path`.
    pub path: Option<String>,
    /// Attribute `HttpOnly`.
    pub http_only: Option<bool>,
    /// Attribute `Partitioned`.
    pub partitioned: Option<bool>,
    /// Attribute `Secure`.
    pub secure: Option<bool>,
    /// Attribute `SameSite`.
    pub same_site: Option<String>,
}
