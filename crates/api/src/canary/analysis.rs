//! The Canary's `spec.analysis`: steps, metric checks, alerts, session affinity.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use super::{HttpMatch, Webhook};
use crate::number;

/// Analysis of a new revision. `interval`, `threshold` and exactly one of `iterations`, `stepWeight` and
/// `stepWeights` are required. The effective value of an unset field is given by the accessor of the same
/// name.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Analysis {
    /// Time between two analysis steps, for example `30s` or `1m`. Intervals below the operator's
    /// -min-analysis-interval, which defaults to 10s, are raised to it.
    pub interval: Option<String>,
    /// Number of failed checks after which the rollout is rolled back.
    #[serde(deserialize_with = "number::int")]
    pub threshold: Option<i64>,
    /// Number of analysis steps before the promotion, for A/B testing and Blue/Green. Traffic is not shifted
    /// step by step.
    #[serde(deserialize_with = "number::int")]
    pub iterations: Option<i64>,
    /// Traffic weight of the canary, in percent, at which it is promoted. Defaults to 100.
    #[serde(deserialize_with = "number::int")]
    pub max_weight: Option<i64>,
    /// Traffic weight, in percent, that each analysis step adds to the canary.
    #[serde(deserialize_with = "number::int")]
    pub step_weight: Option<i64>,
    /// Traffic weight, in percent, that each step of the promotion moves back to the primary. If unset, all
    /// traffic is moved at once.
    #[serde(deserialize_with = "number::int")]
    pub step_weight_promotion: Option<i64>,
    /// Traffic weights of the canary, in percent: one for each analysis step, in ascending order.
    #[serde(deserialize_with = "number::ints", skip_serializing_if = "Vec::is_empty")]
    pub step_weights: Vec<i64>,
    /// Copy requests to the canary for one step before the first traffic is shifted. The responses to the
    /// copies are discarded. Defaults to false.
    pub mirror: Option<bool>,
    /// Percentage of requests to copy if `mirror` is true. Unset and 0 mean all requests (Istio).
    #[serde(deserialize_with = "number::int")]
    pub mirror_weight: Option<i64>,
    /// Percentage of the primary's pods that must be ready. Defaults to 100.
    #[serde(deserialize_with = "number::int")]
    pub primary_ready_threshold: Option<i64>,
    /// Percentage of the canary's pods that must be ready. Defaults to 100.
    #[serde(deserialize_with = "number::int")]
    pub canary_ready_threshold: Option<i64>,
    /// Conditions of the requests that are routed to the canary, for A/B testing. A request is routed if it
    /// meets all conditions of at least one entry.
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub match_: Vec<HttpMatch>,
    /// Metric checks. All of them must pass in each analysis step; they are evaluated in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// Alerts to send about the progress of a rollout.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// Webhooks to call during a rollout, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
    /// Session affinity: once a client was routed to the canary, a cookie keeps routing it there.
    pub session_affinity: Option<SessionAffinity>,
}

/// Metric check.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Metric {
    /// Name of the check in Events. `request-success-rate` and `request-duration` select built-in queries if
    /// neither `query` nor `templateRef` is set.
    pub name: String,
    /// Time window of the query, for example `1m`. Defaults to 1m.
    pub interval: Option<String>,
    /// Deprecated: use `thresholdRange`. Lower bound of `request-success-rate`, upper bound of any other
    /// metric.
    #[serde(serialize_with = "number::float")]
    pub threshold: Option<f64>,
    /// Range of accepted values, bounds included.
    pub threshold_range: Option<ThresholdRange>,
    /// Deprecated: use `templateRef`. Inline Prometheus query.
    pub query: Option<String>,
    /// MetricTemplate with the query and the metrics provider.
    pub template_ref: Option<TemplateRef>,
    /// Values for the variables of the MetricTemplate.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub template_variables: BTreeMap<String, String>,
}

/// Range of accepted values, bounds included. An unset bound does not limit the value.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ThresholdRange {
    /// Lowest accepted value.
    #[serde(serialize_with = "number::float")]
    pub min: Option<f64>,
    /// Highest accepted value.
    #[serde(serialize_with = "number::float")]
    pub max: Option<f64>,
}

/// Reference to an object of the same API group.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateRef {
    /// Name of the referent.
    pub name: String,
    /// Namespace of the referent. Defaults to the namespace of the Canary.
    pub namespace: Option<String>,
}

impl TemplateRef {
    /// The namespace it names, else `own`.
    pub fn namespace_or<'a>(&'a self, own: &'a str) -> &'a str {
        self.namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or(own)
    }
}

/// Alert about the progress of a rollout.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Alert {
    /// Display name of the alert.
    pub name: String,
    /// Lowest severity that is sent: `info`, `warn` or `error`. Defaults to `info`. Read it through
    /// [`Alert::severity`].
    #[schemars(with = "String")]
    pub severity: Option<AlertSeverity>,
    /// AlertProvider that receives the alert.
    pub provider_ref: TemplateRef,
}

/// Severity of an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertSeverity {
    /// Progress of a rollout.
    #[default]
    Info,
    /// Something that may need attention, such as a failed check.
    Warn,
    /// A failed rollout.
    Error,
    /// Any other text, as written. Empty means `info`, all others are defects.
    #[serde(untagged)]
    Other(String),
}

/// Session affinity by cookie.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionAffinity {
    /// Name of the cookie that routes a client to the canary.
    pub cookie_name: String,
    /// Name of the cookie that routes a client to the primary.
    pub primary_cookie_name: Option<String>,
    /// Lifetime of the canary's cookie in seconds. Unset and 0 mean 86400.
    #[serde(deserialize_with = "number::int")]
    pub max_age: Option<i64>,
    /// `Domain` attribute of the cookie.
    pub domain: Option<String>,
    /// `Path` attribute of the cookie.
    pub path: Option<String>,
    /// Whether the cookie has the `HttpOnly` attribute. Defaults to false.
    pub http_only: Option<bool>,
    /// Whether the cookie has the `Partitioned` attribute. Defaults to false.
    pub partitioned: Option<bool>,
    /// Whether the cookie has the `Secure` attribute. Defaults to false.
    pub secure: Option<bool>,
    /// `SameSite` attribute of the cookie: `Strict`, `Lax` or `None`.
    pub same_site: Option<String>,
}
