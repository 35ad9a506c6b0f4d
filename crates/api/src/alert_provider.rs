//! The AlertProvider: a place where alerts are sent.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use crate::metric_template::{MetricTemplateStatus, SecretRef};

/// The spec of an AlertProvider (`operator.md` 10.1).
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
    doc = "A place where alerts are sent."
)]
#[serde(rename_all = "camelCase", default)]
pub struct AlertProviderSpec {
    /// `slack`, `msteams`, `discord`, `rocket` or `gchat`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Channel (Slack, Discord, Rocket.Chat); `general` when absent.
    pub channel: Option<String>,
    /// Sender's name (Slack, Discord, Rocket.Chat); `flagger` when absent.
    pub username: Option<String>,
    /// The webhook's URL.
    pub address: Option<String>,
    /// URL of an HTTP proxy.
    pub proxy: Option<String>,
    /// A secret in the provider's namespace: key `address`, optional key `token`.
    pub secret_ref: Option<SecretRef>,
}

impl AlertProviderSpec {
    /// The channel that is used.
    pub fn channel(&self) -> &str {
        self.channel.as_deref().filter(|c| !c.is_empty()).unwrap_or("general")
    }

    /// The sender's name that is used.
    pub fn username(&self) -> &str {
        self.username.as_deref().filter(|u| !u.is_empty()).unwrap_or("flagger")
    }
}
