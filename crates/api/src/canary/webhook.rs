//! The Canary's `spec.analysis.webhooks`: calls to services of the user during a rollout.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use crate::{DurationError, number, parse_duration_ms};

/// Webhook that is called during a rollout.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Webhook {
    /// Name of the webhook in Events.
    pub name: String,
    /// When the webhook is called: `confirm-rollout`, `pre-rollout`, `rollout`, `confirm-traffic-increase`,
    /// `confirm-promotion`, `post-rollout`, `rollback` or `event`. Defaults to `rollout`. Read it through
    /// [`Webhook::hook_type`].
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub type_: Option<HookType>,
    /// URL that the payload is sent to with POST.
    pub url: String,
    /// Maximum time to wait for the response, for example `30s`. Defaults to 10s. See
    /// [`Webhook::timeout_ms`].
    pub timeout: Option<String>,
    /// Number of retries after a call that failed. Defaults to 0.
    #[serde(deserialize_with = "number::int")]
    pub retries: Option<i64>,
    /// Skip the verification of the server's certificate. Defaults to false.
    #[serde(rename = "disableTLS")]
    pub disable_tls: Option<bool>,
    /// Send no alert if this webhook fails. Defaults to false.
    pub mute_alert: Option<bool>,
    /// Key-value pairs that are sent in the payload.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Webhook {
    /// When the webhook is called; absent and empty mean [`HookType::Rollout`].
    pub fn hook_type(&self) -> HookType {
        match &self.type_ {
            None => HookType::Rollout,
            Some(HookType::Other(text)) if text.is_empty() => HookType::Rollout,
            Some(written) => written.clone(),
        }
    }

    /// Maximum time to wait for the response, in milliseconds: 10 s if the text is shorter than two characters, as
    /// in Flagger.
    ///
    /// # Errors
    /// If the text is not a duration.
    pub fn timeout_ms(&self) -> Result<u64, DurationError> {
        match self.timeout.as_deref() {
            Some(text) if text.len() >= 2 => parse_duration_ms(text),
            _ => Ok(10_000),
        }
    }

    /// Number of retries after a failed call.
    pub fn retries(&self) -> u32 {
        self.retries.and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
    }

    /// Whether the server's certificate is not verified.
    pub fn disable_tls(&self) -> bool {
        self.disable_tls.unwrap_or(false)
    }

    /// Whether alerts about this webhook are suppressed.
    pub fn mute_alert(&self) -> bool {
        self.mute_alert.unwrap_or(false)
    }
}

/// When a webhook is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookType {
    /// Gate before the target is scaled up: the rollout waits until the response is a success.
    ConfirmRollout,
    /// Before the first traffic is routed to the canary; a failure counts as a failed check.
    PreRollout,
    /// In each analysis step, before the metric checks; a failure counts as a failed check.
    #[default]
    Rollout,
    /// Gate before each increase of the canary's weight: the rollout waits until the response is a success.
    ConfirmTrafficIncrease,
    /// Gate before the promotion: the rollout waits until the response is a success.
    ConfirmPromotion,
    /// After a promotion or a rollback; a failure changes nothing.
    PostRollout,
    /// In each step of a rollout; a success rolls it back.
    Rollback,
    /// With each Event of the Canary.
    Event,
    /// Any other text, as written. Empty means `rollout`, all others are defects.
    #[serde(untagged)]
    Other(String),
}

impl HookType {
    /// All types, in the order of a rollout.
    pub const ALL: [HookType; 8] = [
        HookType::ConfirmRollout,
        HookType::PreRollout,
        HookType::Rollout,
        HookType::ConfirmTrafficIncrease,
        HookType::ConfirmPromotion,
        HookType::PostRollout,
        HookType::Rollback,
        HookType::Event,
    ];

    /// The text in a manifest.
    pub fn as_str(&self) -> &str {
        match self {
            HookType::ConfirmRollout => "confirm-rollout",
            HookType::PreRollout => "pre-rollout",
            HookType::Rollout => "rollout",
            HookType::ConfirmTrafficIncrease => "confirm-traffic-increase",
            HookType::ConfirmPromotion => "confirm-promotion",
            HookType::PostRollout => "post-rollout",
            HookType::Rollback => "rollback",
            HookType::Event => "event",
            HookType::Other(text) => text,
        }
    }
}

impl std::fmt::Display for HookType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
