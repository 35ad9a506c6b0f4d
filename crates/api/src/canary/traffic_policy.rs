//! Settings of an Istio DestinationRule, passed through as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use crate::number;

/// Settings of the DestinationRules of primary and canary.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TrafficPolicy {
    /// Limits of connections.
    pub connection_pool: Option<ConnectionPool>,
    /// How a pod is chosen.
    pub load_balancer: Option<LoadBalancer>,
    /// When a pod is left out.
    pub outlier_detection: Option<OutlierDetection>,
    /// TLS towards the pods.
    pub tls: Option<TlsSettings>,
}

/// Limits of connections.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionPool {
    /// HTTP limits.
    pub http: Option<ConnectionPoolHttp>,
}

/// HTTP limits.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionPoolHttp {
    /// `DEFAULT`, `DO_NOT_UPGRADE` or `UPGRADE`.
    pub h2_upgrade_policy: Option<String>,
    /// Requests that may queue.
    #[serde(deserialize_with = "number::int")]
    pub http1_max_pending_requests: Option<i64>,
    /// Requests at a time.
    #[serde(deserialize_with = "number::int")]
    pub http2_max_requests: Option<i64>,
    /// Requests before a connection is closed.
    #[serde(deserialize_with = "number::int")]
    pub max_requests_per_connection: Option<i64>,
    /// Retries at a time.
    #[serde(deserialize_with = "number::int")]
    pub max_retries: Option<i64>,
    /// Idle connections are closed after this time.
    pub idle_timeout: Option<String>,
}

/// How a pod is chosen.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancer {
    /// `ROUND_ROBIN`, `LEAST_CONN`, `RANDOM`, `PASSTHROUGH` or `LEAST_REQUEST`.
    pub simple: Option<String>,
    /// By a hash of the request.
    pub consistent_hash: Option<ConsistentHash>,
    /// By place.
    pub locality_lb_setting: Option<LocalityLbSetting>,
    /// How long a new pod gets less.
    pub warmup_duration_secs: Option<String>,
}

/// Which part of the request is hashed: one of the four.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsistentHash {
    /// A header.
    pub http_header_name: Option<String>,
    /// A cookie.
    pub http_cookie: Option<HttpCookie>,
    /// The client's address.
    pub use_source_ip: Option<bool>,
    /// A query parameter.
    pub http_query_parameter_name: Option<String>,
    /// Least number of points on the ring.
    #[serde(deserialize_with = "number::int")]
    pub minimum_ring_size: Option<i64>,
}

/// A cookie that is hashed.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpCookie {
    /// Its name.
    pub name: Option<String>,
    /// Its path.
    pub path: Option<String>,
    /// How long it lives.
    pub ttl: Option<String>,
}

/// Load balancing by place.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalityLbSetting {
    /// Shares by place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub distribute: Vec<LocalityDistribute>,
    /// Where to go when a place is down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failover: Vec<LocalityFailover>,
    /// Whether it counts.
    pub enabled: Option<bool>,
}

/// The shares that requests from one place get.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalityDistribute {
    /// The place.
    pub from: Option<String>,
    /// Percent by place.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub to: BTreeMap<String, i64>,
}

/// Where to go when a place is down.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalityFailover {
    /// The place.
    pub from: Option<String>,
    /// The other place.
    pub to: Option<String>,
}

/// When a pod is left out.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OutlierDetection {
    /// How long.
    pub base_ejection_time: Option<String>,
    /// How often it is judged.
    pub interval: Option<String>,
    /// After so many 5xx.
    #[serde(rename = "consecutive5xxErrors", deserialize_with = "number::int")]
    pub consecutive_5xx_errors: Option<i64>,
    /// After so many errors (the old form).
    #[serde(deserialize_with = "number::int")]
    pub consecutive_errors: Option<i64>,
    /// After so many gateway errors.
    #[serde(deserialize_with = "number::int")]
    pub consecutive_gateway_errors: Option<i64>,
    /// After so many local failures.
    #[serde(deserialize_with = "number::int")]
    pub consecutive_local_origin_failures: Option<i64>,
    /// At most this percentage of the pods.
    #[serde(deserialize_with = "number::int")]
    pub max_ejection_percent: Option<i64>,
    /// Only while this percentage is healthy.
    #[serde(deserialize_with = "number::int")]
    pub min_health_percent: Option<i64>,
    /// Tell local failures from the pod's.
    pub split_external_local_origin_errors: Option<bool>,
}

/// TLS towards the pods.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsSettings {
    /// `DISABLE`, `SIMPLE`, `MUTUAL` or `ISTIO_MUTUAL`.
    pub mode: Option<String>,
    /// File of the authorities.
    pub ca_certificates: Option<String>,
    /// File of the certificate.
    pub client_certificate: Option<String>,
    /// File of the key.
    pub private_key: Option<String>,
    /// Server name.
    pub sni: Option<String>,
    /// Names that are accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_alt_names: Vec<String>,
}
