//! Settings of an Istio DestinationRule, passed through as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use crate::number;

/// Traffic policy of the DestinationRules of primary and canary (Istio).
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TrafficPolicy {
    /// Limits of connections to the pods.
    pub connection_pool: Option<ConnectionPool>,
    /// Load balancing between the pods.
    pub load_balancer: Option<LoadBalancer>,
    /// Ejection of unhealthy pods from load balancing.
    pub outlier_detection: Option<OutlierDetection>,
    /// TLS settings of connections to the pods.
    pub tls: Option<TlsSettings>,
}

/// Limits of connections.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionPool {
    /// Limits of HTTP connections.
    pub http: Option<ConnectionPoolHttp>,
}

/// Limits of HTTP connections.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionPoolHttp {
    /// Upgrade of HTTP/1.1 connections to HTTP/2: `DEFAULT`, `DO_NOT_UPGRADE` or `UPGRADE`.
    pub h2_upgrade_policy: Option<String>,
    /// Maximum number of requests that wait for a connection.
    #[serde(deserialize_with = "number::int")]
    pub http1_max_pending_requests: Option<i64>,
    /// Maximum number of active requests.
    #[serde(deserialize_with = "number::int")]
    pub http2_max_requests: Option<i64>,
    /// Maximum number of requests per connection.
    #[serde(deserialize_with = "number::int")]
    pub max_requests_per_connection: Option<i64>,
    /// Maximum number of active retries.
    #[serde(deserialize_with = "number::int")]
    pub max_retries: Option<i64>,
    /// Time after which an idle connection is closed.
    pub idle_timeout: Option<String>,
}

/// Load balancing between pods. At most one of `simple` and `consistentHash` may be set.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancer {
    /// Algorithm: `ROUND_ROBIN`, `LEAST_CONN`, `RANDOM`, `PASSTHROUGH` or `LEAST_REQUEST`.
    pub simple: Option<String>,
    /// Session affinity by a hash of the request.
    pub consistent_hash: Option<ConsistentHash>,
    /// Load balancing by locality.
    pub locality_lb_setting: Option<LocalityLbSetting>,
    /// Time during which the traffic of a new pod grows to its full share.
    pub warmup_duration_secs: Option<String>,
}

/// Part of the request that is hashed. Exactly one of `httpHeaderName`, `httpCookie`, `useSourceIp` and
/// `httpQueryParameterName` must be set.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsistentHash {
    /// Hash this header.
    pub http_header_name: Option<String>,
    /// Hash this cookie.
    pub http_cookie: Option<HttpCookie>,
    /// Hash the source IP address.
    pub use_source_ip: Option<bool>,
    /// Hash this query parameter.
    pub http_query_parameter_name: Option<String>,
    /// Minimum number of virtual nodes on the hash ring.
    #[serde(deserialize_with = "number::int")]
    pub minimum_ring_size: Option<i64>,
}

/// Cookie that is hashed.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpCookie {
    /// Name of the cookie.
    pub name: Option<String>,
    /// Path of the cookie.
    pub path: Option<String>,
    /// Lifetime of the cookie.
    pub ttl: Option<String>,
}

/// Load balancing by locality.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalityLbSetting {
    /// Distribution of traffic between localities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub distribute: Vec<LocalityDistribute>,
    /// Failover between localities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failover: Vec<LocalityFailover>,
    /// Whether load balancing by locality is enabled.
    pub enabled: Option<bool>,
}

/// Distribution of the traffic from one locality.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalityDistribute {
    /// Locality of the client, as `region/zone/subzone`.
    pub from: Option<String>,
    /// Traffic weights in percent, by locality of the pods.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub to: BTreeMap<String, i64>,
}

/// Failover from one locality to another.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalityFailover {
    /// Region of the pods.
    pub from: Option<String>,
    /// Region that receives the traffic if the pods in `from` are unhealthy.
    pub to: Option<String>,
}

/// Ejection of unhealthy pods from load balancing.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OutlierDetection {
    /// Minimum duration of an ejection.
    pub base_ejection_time: Option<String>,
    /// Time between two evaluations.
    pub interval: Option<String>,
    /// Number of consecutive 5xx responses after which a pod is ejected.
    #[serde(rename = "consecutive5xxErrors", deserialize_with = "number::int")]
    pub consecutive_5xx_errors: Option<i64>,
    /// Deprecated: use `consecutive5xxErrors`. Number of consecutive errors after which a pod is ejected.
    #[serde(deserialize_with = "number::int")]
    pub consecutive_errors: Option<i64>,
    /// Number of consecutive gateway errors (502, 503, 504) after which a pod is ejected.
    #[serde(deserialize_with = "number::int")]
    pub consecutive_gateway_errors: Option<i64>,
    /// Number of consecutive local failures, such as refused connections, after which a pod is ejected.
    #[serde(deserialize_with = "number::int")]
    pub consecutive_local_origin_failures: Option<i64>,
    /// Maximum percentage of the pods that may be ejected.
    #[serde(deserialize_with = "number::int")]
    pub max_ejection_percent: Option<i64>,
    /// Minimum percentage of healthy pods. Below it no pod is ejected.
    #[serde(deserialize_with = "number::int")]
    pub min_health_percent: Option<i64>,
    /// Count local failures separately from errors that the pods return.
    pub split_external_local_origin_errors: Option<bool>,
}

/// TLS settings of connections to the pods.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsSettings {
    /// TLS mode: `DISABLE`, `SIMPLE`, `MUTUAL` or `ISTIO_MUTUAL`.
    pub mode: Option<String>,
    /// Path of the file with the CA certificates.
    pub ca_certificates: Option<String>,
    /// Path of the file with the client certificate.
    pub client_certificate: Option<String>,
    /// Path of the file with the private key.
    pub private_key: Option<String>,
    /// Server Name Indication of the TLS handshake.
    pub sni: Option<String>,
    /// Subject alternative names that are accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_alt_names: Vec<String>,
}
