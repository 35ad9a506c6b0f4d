//! HTTP matching and rewriting, in the words of Istio and the Gateway API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use crate::number;

/// Conditions of a request. All conditions of one entry must be met.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpMatch {
    /// Name of the entry, for logs.
    pub name: Option<String>,
    /// Condition on the path.
    pub uri: Option<StringMatch>,
    /// Condition on the scheme, `http` or `https`.
    pub scheme: Option<StringMatch>,
    /// Condition on the method.
    pub method: Option<StringMatch>,
    /// Condition on the host.
    pub authority: Option<StringMatch>,
    /// Conditions on headers, by lowercase name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, StringMatch>,
    /// Conditions on query parameters, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub query_params: BTreeMap<String, StringMatch>,
    /// Conditions on headers that must not be met, by lowercase name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub without_headers: BTreeMap<String, StringMatch>,
    /// Gateways through which the request must arrive.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<String>,
    /// Port on which the request must arrive.
    #[serde(deserialize_with = "number::int")]
    pub port: Option<i64>,
    /// Labels that the calling pod must have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub source_labels: BTreeMap<String, String>,
    /// Namespace of the calling pod.
    pub source_namespace: Option<String>,
    /// Ignore the case of the path. Defaults to false.
    pub ignore_uri_case: Option<bool>,
}

/// Condition on a text. At most one field may be set.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StringMatch {
    /// The text must equal this value.
    pub exact: Option<String>,
    /// The text must begin with this value.
    pub prefix: Option<String>,
    /// The text must end with this value. Only supported in the headers of `analysis.match`.
    pub suffix: Option<String>,
    /// The complete text must match this regular expression.
    pub regex: Option<String>,
}

/// Rewrite of the path and host of requests.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Rewrite {
    /// Replacement of the path.
    pub uri: Option<String>,
    /// Replacement of the host.
    pub authority: Option<String>,
    /// `ReplacePrefixMatch` replaces the matched prefix of the path; any other value replaces the complete
    /// path (Gateway API).
    #[serde(rename = "type")]
    pub type_: Option<String>,
}

/// Retry policy of requests.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Retries {
    /// Number of attempts.
    #[serde(deserialize_with = "number::int")]
    pub attempts: Option<i64>,
    /// Timeout of each attempt.
    pub per_try_timeout: Option<String>,
    /// Conditions under which a request is retried, separated by commas.
    pub retry_on: Option<String>,
}

/// Header operations on requests and responses.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Headers {
    /// Operations on the headers of the request.
    pub request: Option<HeaderOperations>,
    /// Operations on the headers of the response.
    pub response: Option<HeaderOperations>,
}

/// Header operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderOperations {
    /// Values to append, by header name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<String, String>,
    /// Values to set, by header name. Existing values are replaced.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Names of headers to remove.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// Backend that receives copies of requests.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpMirror {
    /// Reference to the backend.
    pub backend_ref: Option<MirrorBackend>,
}

/// Reference to a backend that receives copies of requests.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MirrorBackend {
    /// API group of the referent. Defaults to the core group.
    pub group: Option<String>,
    /// Kind of the referent. Defaults to `Service`.
    pub kind: Option<String>,
    /// Name of the referent.
    pub name: String,
    /// Namespace of the referent. Defaults to the namespace of the Canary.
    pub namespace: Option<String>,
    /// Port of the referent. Required if it is a Service.
    #[serde(deserialize_with = "number::int")]
    pub port: Option<i64>,
}

/// Cross-Origin Resource Sharing policy.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CorsPolicy {
    /// Allow credentials in cross-origin requests.
    pub allow_credentials: Option<bool>,
    /// Allowed request headers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// Allowed methods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    /// Deprecated: use `allowOrigins`. Allowed origins, as exact texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_origin: Vec<String>,
    /// Conditions on allowed origins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<StringMatch>,
    /// Response headers that the browser may expose to scripts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// Time for which the response to a preflight request may be cached.
    pub max_age: Option<String>,
}
