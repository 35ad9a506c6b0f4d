//! HTTP matching and rewriting, in the words of Istio and the Gateway API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use crate::number;

/// Which requests are meant: all conditions of one entry, any of several entries.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpMatch {
    /// A name for logs.
    pub name: Option<String>,
    /// The path.
    pub uri: Option<StringMatch>,
    /// `http` or `https`.
    pub scheme: Option<StringMatch>,
    /// The method.
    pub method: Option<StringMatch>,
    /// The host.
    pub authority: Option<StringMatch>,
    /// Headers, by lower-case name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, StringMatch>,
    /// Query parameters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub query_params: BTreeMap<String, StringMatch>,
    /// Headers that must not match.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub without_headers: BTreeMap<String, StringMatch>,
    /// Gateways.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<String>,
    /// The port the request came to.
    #[serde(deserialize_with = "number::int")]
    pub port: Option<i64>,
    /// Labels of the calling pod.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub source_labels: BTreeMap<String, String>,
    /// Namespace of the calling pod.
    pub source_namespace: Option<String>,
    /// Ignore the case of the path.
    pub ignore_uri_case: Option<bool>,
}

/// A text condition: one of the four.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StringMatch {
    /// Equals.
    pub exact: Option<String>,
    /// Begins with.
    pub prefix: Option<String>,
    /// Ends with (only in `analysis.match` headers).
    pub suffix: Option<String>,
    /// Matches as a whole.
    pub regex: Option<String>,
}

/// How the request's path and host are rewritten.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Rewrite {
    /// The new path.
    pub uri: Option<String>,
    /// The new host.
    pub authority: Option<String>,
    /// `ReplacePrefixMatch` replaces the matched prefix, anything else the whole path (Gateway API).
    #[serde(rename = "type")]
    pub type_: Option<String>,
}

/// How often a failed request is tried again.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Retries {
    /// Number of tries.
    #[serde(deserialize_with = "number::int")]
    pub attempts: Option<i64>,
    /// Timeout of each.
    pub per_try_timeout: Option<String>,
    /// After which failures.
    pub retry_on: Option<String>,
}

/// Changes of headers.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Headers {
    /// Of the request.
    pub request: Option<HeaderOperations>,
    /// Of the response.
    pub response: Option<HeaderOperations>,
}

/// Changes of the headers of one side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderOperations {
    /// Values that are appended.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<String, String>,
    /// Values that replace.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Headers that are taken away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// A static mirror of the Gateway API.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpMirror {
    /// Where the copies go.
    pub backend_ref: Option<MirrorBackend>,
}

/// Where mirrored requests go.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MirrorBackend {
    /// Empty is the core group.
    pub group: Option<String>,
    /// `Service` when absent.
    pub kind: Option<String>,
    /// Its name.
    pub name: String,
    /// Its namespace; the Canary's when absent.
    pub namespace: Option<String>,
    /// Its port; a core Service needs one.
    #[serde(deserialize_with = "number::int")]
    pub port: Option<i64>,
}

/// Cross-origin policy.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CorsPolicy {
    /// Let browsers send credentials.
    pub allow_credentials: Option<bool>,
    /// Request headers that are allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// Methods that are allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    /// Origins that are allowed (the old form).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_origin: Vec<String>,
    /// Origins that are allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<StringMatch>,
    /// Response headers that scripts may read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// How long a preflight answer holds.
    pub max_age: Option<String>,
}
