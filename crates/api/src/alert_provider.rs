//! The AlertProvider resource: a service that receives alerts.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use crate::metric_template::{MetricTemplateStatus, SecretRef};

/// Desired state of an AlertProvider: the service that receives alerts, and how to reach it.
#[skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flagger.app",
    version = "v1beta1",
    kind = "AlertProvider",
    namespaced,
    status = "MetricTemplateStatus",
    schema = "disabled",
    derive = "PartialEq",
    doc = "A service that receives alerts about rollouts."
)]
#[serde(rename_all = "camelCase", default)]
pub struct AlertProviderSpec {
    /// Type of the service: `slack`, `msteams`, `discord`, `rocket` or `gchat`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Channel to post to (Slack, Discord, Rocket.Chat). Defaults to `general`.
    pub channel: Option<String>,
    /// Name of the sender (Slack, Discord, Rocket.Chat). Defaults to `flagger`.
    pub username: Option<String>,
    /// URL of the service's incoming webhook. Exactly one of `address` and `secretRef` must be set.
    pub address: Option<String>,
    /// URL of the HTTP proxy to use.
    pub proxy: Option<String>,
    /// Secret with the webhook's URL in the key `address` and an optional access token in the key `token`, in
    /// the namespace of the AlertProvider.
    pub secret_ref: Option<SecretRef>,
}

impl AlertProviderSpec {
    /// Effective channel.
    pub fn channel(&self) -> &str {
        self.channel.as_deref().filter(|c| !c.is_empty()).unwrap_or("general")
    }

    /// Effective name of the sender.
    pub fn username(&self) -> &str {
        self.username.as_deref().filter(|u| !u.is_empty()).unwrap_or("flagger")
    }
}
